"""Reverse validation: what a map teaches, scored on held-out source; it adds evidence and changes nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from engines import bench_for, draw, job_for, run_for, work
from typer.testing import CliRunner

from core.bench import TARGET, Bench
from core.cli import app
from core.errors import BadInput, Stopped
from core.execution import reverse
from core.execution.reverse import compare, taught, verify
from core.files import read_json
from core.journal import read
from core.judging import signals
from core.networks.outputs import Batch
from core.parts.losses import cross_entropy
from core.runs.run import Run, ask, write_exit
from geo_io.legend import IGNORE


@pytest.fixture(autouse=True)
def _few_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "CROPS", 4)
    monkeypatch.setattr(reverse, "CROPS", 4)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    draw(tmp_path)
    made = run_for(job_for(tmp_path, "adabn"), tmp_path / "run")
    work(made)
    return made


def test_the_gain_is_of_pooled_crops_and_its_spread_of_the_same_draws_for_both() -> None:
    right, half = np.array([[8, 0], [0, 8]]), np.array([[8, 0], [8, 0]])
    found = compare(np.array([half, half, right]), np.array([right, right, right]), seed=0)
    assert found["adapted"] == {"miou": 1, "low": 1, "high": 1}
    assert found["source_only"]["miou"] == pytest.approx((24 / 40 + 8 / 24) / 2)
    assert found["gain"]["miou"] == pytest.approx(1 - found["source_only"]["miou"])
    assert found["gain"]["low"] < found["gain"]["miou"] < found["gain"]["high"]
    crops = np.array([half, right, 3 * half])
    assert compare(crops, crops, seed=0)["gain"] == {"miou": 0, "low": 0, "high": 0}


def test_a_class_that_no_crop_holds_is_in_no_mean() -> None:
    counts = np.array([[[8, 0, 0], [0, 4, 4], [0, 0, 0]]])
    assert compare(counts, counts, seed=0)["adapted"]["miou"] == pytest.approx((1 + 0.5) / 2)


def test_the_evidence_grows_and_the_choice_and_the_maps_stay(run: Run) -> None:
    """The target's check labels are gone: nothing asks for them."""
    before = read_json(run.folder / "verdict.json")
    maps = {path: path.read_bytes() for path in run.maps.rglob("*.tif")}
    (run.folder.parent / "target-labels.tif").unlink()
    list(verify(run.folder, steps=2))
    after = read_json(run.folder / "verdict.json")
    assert {path: path.read_bytes() for path in run.maps.rglob("*.tif")} == maps
    grown = {"reverse", "evidence"}
    assert {key: after[key] for key in after if key not in grown} == {
        key: before[key] for key in before if key not in grown
    }
    assert after["evidence"][:-1] == before["evidence"]
    assert after["evidence"][-1].startswith("reverse validation")
    assert after["reverse"]["steps"] == 2
    *_, verdict, end = read(run.folder)
    assert verdict.scores["reverse"] == after["reverse"]
    assert end.how == "done"
    list(verify(run.folder, steps=2))
    assert read_json(run.folder / "verdict.json") == after, "the same again, instead of one more"


def test_a_run_that_was_stopped_while_it_mapped_is_still_stopped(run: Run) -> None:
    write_exit(run, "stopped")
    list(verify(run.folder, steps=1))
    assert [event.kind for event in read(run.folder)][-2:] == ["ended", "evaluated"], "no other end"


def test_it_can_be_stopped_and_leaves_no_trace(run: Run) -> None:
    before = (run.folder / "verdict.json").read_bytes()
    told = [event.kind for event in read(run.folder)]
    working = verify(run.folder, steps=50)
    while next(working).kind != "stepped":
        pass
    ask(run.folder, "stop")
    with pytest.raises(Stopped):
        next(working)
    assert (run.folder / "verdict.json").read_bytes() == before
    assert [event.kind for event in read(run.folder)] == told


def test_the_command_says_what_it_found_and_that_the_choice_stays(run: Run) -> None:
    found = CliRunner().invoke(app, ["verify", str(run.folder), "--steps", "1"])
    assert found.exit_code == 0, found.output
    last = found.output.splitlines()[-1]
    assert last.startswith("reverse validation: a fresh network learns")
    assert last.endswith("and stays")


def test_a_run_that_adapted_nothing_is_refused(tmp_path: Path) -> None:
    draw(tmp_path)
    run = run_for(job_for(tmp_path, "source_only"), tmp_path / "run")
    with pytest.raises(BadInput, match="has not both"):
        list(verify(run.folder))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    draw(tmp_path)
    return bench_for(job_for(tmp_path, sampling={"photometric_jitter": 0}), tmp_path / "cache")


def test_it_learns_what_the_model_says_of_valid_target_pixels_and_nothing_else(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, heard = bench.segmentor, []

    def listen(outputs: Any, batch: Batch) -> torch.Tensor:
        heard.append(batch)
        return cross_entropy(outputs, batch)

    monkeypatch.setattr(reverse, "cross_entropy", listen)
    first = [float(loss) for loss in taught(bench, 3)]
    assert bench.segmentor is not model
    model.eval()
    for batch in heard:
        with torch.no_grad():
            said = model(batch.image).logits.argmax(1)
        assert torch.equal(batch.label, torch.where(batch.valid, said, IGNORE))
        assert torch.equal(batch.weight, batch.valid.float())
    assert any((~batch.valid).any() for batch in heard)
    assert bench.domains[TARGET].places[0].labels is None
    bench.segmentor = model
    assert [float(loss) for loss in taught(bench, 3)] == first, "same start, same crops"
