"""Weights for work offline: fetched whole, under the name that runs look for, with their licence."""

import subprocess
import sys
from pathlib import Path

import pytest
import segmentation_models_pytorch as smp
import torch

from core.errors import BadInput
from core.job import Network
from core.networks.download import download, licence_of
from core.networks.licences import LICENCES
from core.networks.segmentor import build_segmentor


def resnet() -> torch.nn.Module:
    torch.manual_seed(3)
    return smp.encoders.get_encoder("resnet18", in_channels=3, weights=None)


def test_what_is_fetched_is_what_a_run_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = download("resnet18", tmp_path, resnet)
    assert path == tmp_path / "resnet18.safetensors"
    monkeypatch.setenv("ISTHMUS_WEIGHTS", str(tmp_path))
    network, report = build_segmentor(Network(encoder="resnet18"), ("red", "green", "blue"), 2, seed=0)
    assert report.source == str(path)
    assert report.loaded == report.total
    found = dict(network.named_parameters())
    name = next(name for name in found if name.endswith("encoder.layer1.0.conv1.weight"))
    assert torch.equal(found[name], dict(resnet().named_parameters())["layer1.0.conv1.weight"])


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    path = download("resnet18", tmp_path, resnet)
    before = path.read_bytes()

    def refuse() -> torch.nn.Module:
        raise AssertionError("asked the hub")

    assert download("resnet18", tmp_path, refuse) == path
    assert path.read_bytes() == before


def test_a_hub_out_of_reach_leaves_nothing_behind(tmp_path: Path) -> None:
    def out_of_reach() -> torch.nn.Module:
        raise OSError("no route")

    with pytest.raises(BadInput, match=r"no pretrained weights could be had.*put resnet18\.safetensors into"):
        download("resnet18", tmp_path, out_of_reach)
    assert list(tmp_path.iterdir()) == []


def test_licences_are_those_of_the_publishers() -> None:
    assert licence_of("tu-pvt_v2_b2") == "apache-2.0"
    assert licence_of("mit_b2") == LICENCES["mit_b"]
    assert "huggingface.co/smp-hub/resnet18" in licence_of("resnet18")
    with pytest.raises(BadInput, match="did you mean"):
        licence_of("tu-pvt_v2_b22")


SLOW = """
import sys, time, types
from pathlib import Path
from geo_io.whole_file import whole
def download(encoder, to):
    with whole(to / encoder) as partial:
        partial.touch()
        print("begun", flush=True)
        time.sleep(60)
sys.modules["core.networks.download"] = types.SimpleNamespace(download=download, licence_of=lambda _: "mit")
from core.cli import main
sys.argv = ["isthmus", "weights", "resnet18", "--to", sys.argv[1], "--json"]
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no process can be told to end there")
def test_a_download_that_is_told_to_end_leaves_nothing_behind(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        assert list(tmp_path.iterdir())
        process.terminate()
        process.wait(30)
    assert list(tmp_path.iterdir()) == []
