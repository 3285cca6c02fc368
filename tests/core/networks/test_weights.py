import pickle
from pathlib import Path

import pytest
import segmentation_models_pytorch as smp
import timm
import torch
from engines import draw, job_for, run_for
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.errors import BadInput
from core.events import Noted
from core.execution.execute import execute
from core.job import Network
from core.networks.segmentor import Segmentor, WeightReport, build_segmentor
from core.networks.weights import default_folder

MOBILENET = "tu-mobilenetv3_small_050"
RGB = ["red", "green", "blue"]
REAL = (
    Path(__file__).parents[4] / "shared" / "weights" / "mobilenetv1_100_imagenet_keras_nolastpw.safetensors"
)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No hub but a cache folder, which is returned."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def trained() -> dict[str, Tensor]:
    """All tensors of a small timm network, every one of them unlike its initial value."""
    state = timm.create_model("mobilenetv3_small_050").state_dict()
    return {name: tensor + 0.25 if tensor.is_floating_point() else tensor for name, tensor in state.items()}


def build(
    path: object, encoder: str = MOBILENET, bands: list[str] = RGB, **options: object
) -> tuple[Segmentor, WeightReport]:
    weights = None if path is None else str(path)
    network = Network.model_validate({"encoder": encoder, "weights": weights, **options})
    return build_segmentor(network, bands, 3)


def saved(path: Path, tensors: dict[str, Tensor]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return path


def refusal(path: object, **options: object) -> str:
    with pytest.raises(BadInput) as caught:
        build(path, **options)  # type: ignore[arg-type]
    return str(caught.value)


def test_every_tensor_is_counted_and_loaded(tmp_path: Path, trained: dict[str, Tensor]) -> None:
    path = saved(tmp_path / "w.safetensors", trained)
    segmentor, report = build(path)
    own = {name.removeprefix("model."): t for name, t in segmentor.body.encoder.state_dict().items()}
    counted = [name for name in own if not name.endswith("num_batches_tracked")]
    assert all(torch.equal(own[name], trained[name]) for name in counted if name != "conv_stem.weight")
    torch.testing.assert_close(own["conv_stem.weight"], trained["conv_stem.weight"])
    assert (report.loaded, report.total, report.notes) == (len(counted), len(counted), ())
    assert report.text == f"206 of 206 tensors loaded from {path}"


def test_null_loads_nothing() -> None:
    _, report = build(None)
    assert report.text.startswith("0 of 206 tensors loaded from nothing (network.weights: null): the encoder")


@pytest.mark.parametrize("prefix", ["encoder.", "module.encoder.model.", "backbone."])
def test_prefixes_are_seen_through(tmp_path: Path, trained: dict[str, Tensor], prefix: str) -> None:
    path = saved(tmp_path / "w.safetensors", {prefix + name: t for name, t in trained.items()})
    assert build(path)[1].loaded == 206


def test_names_of_timm_and_of_its_feature_extractors_are_one(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.safetensors", timm.create_model("test_convnext").state_dict())
    segmentor, report = build(path, "tu-test_convnext")
    assert any("stages_0" in name for name, _ in segmentor.body.encoder.named_parameters())
    assert report.loaded == report.total > 0


def test_unused_stages_do_not_count(tmp_path: Path, trained: dict[str, Tensor]) -> None:
    shallow = {
        name: t for name, t in trained.items() if not name.startswith(("blocks.3", "blocks.4", "blocks.5"))
    }
    path = saved(tmp_path / "w.safetensors", shallow)
    _, report = build(path, encoder_depth=3)
    assert report.loaded == report.total < 206
    assert "tensors of" in refusal(path)


def test_a_few_missing_tensors_are_named(tmp_path: Path, trained: dict[str, Tensor]) -> None:
    kept = {name: t for name, t in trained.items() if name != "bn1.running_mean"}
    _, report = build(saved(tmp_path / "w.safetensors", kept))
    assert (report.loaded, report.total) == (205, 206)
    assert report.notes == ("left at random: model.bn1.running_mean (absent)",)


@pytest.mark.parametrize(("lost", "refused"), [(10, False), (11, True)])
def test_below_95_percent_is_refused(
    tmp_path: Path, trained: dict[str, Tensor], lost: int, refused: bool
) -> None:
    names = [name for name in trained if name.startswith("blocks") and name.endswith("weight")][:lost]
    path = saved(tmp_path / "w.safetensors", {name: t for name, t in trained.items() if name not in names})
    if refused:
        assert f"only {206 - lost} of 206 tensors of {MOBILENET} are in it; not model.{names[0]}" in refusal(
            path
        )
    else:
        assert build(path)[1].loaded == 206 - lost


def test_a_first_convolution_of_other_bands_is_drawn_anew(tmp_path: Path, trained: dict[str, Tensor]) -> None:
    four = trained | {"conv_stem.weight": torch.full((16, 4, 3, 3), 7.0)}
    segmentor, report = build(saved(tmp_path / "w.safetensors", four))
    assert report.notes == (
        "left at random: model.conv_stem.weight ((16, 4, 3, 3) instead of (16, 3, 3, 3))",
    )
    assert segmentor.body.encoder.model.conv_stem.weight.detach().std() < 1


def test_bands_take_the_filters_of_their_colours(tmp_path: Path, trained: dict[str, Tensor]) -> None:
    path = saved(tmp_path / "w.safetensors", trained)
    stem = build(path, bands=["nir", "B", "Red", "g"])[0].body.encoder.model.conv_stem.weight
    old = trained["conv_stem.weight"]
    expected = torch.stack([old.mean(1), old[:, 2], old[:, 0], old[:, 1]], dim=1) * 3 / 4
    torch.testing.assert_close(stem.detach(), expected)


def test_the_decoder_does_not_depend_on_the_weights(tmp_path: Path, trained: dict[str, Tensor]) -> None:
    loaded = build(saved(tmp_path / "w.safetensors", trained))[0].body.decoder.state_dict()
    drawn = build(None)[0].body.decoder.state_dict()
    assert all(torch.equal(loaded[name], drawn[name]) for name in drawn)


def test_only_safetensors_is_read(tmp_path: Path, trained: dict[str, Tensor]) -> None:
    torch.save(trained, tmp_path / "w.pth")
    assert "w.pth: is not a .safetensors file" in refusal(tmp_path / "w.pth")
    disguised = tmp_path / "pickle.safetensors"
    disguised.write_bytes(pickle.dumps({"a": 1}))
    assert "pickle.safetensors: is no readable safetensors file" in refusal(disguised)


def test_damaged_files_are_refused(tmp_path: Path, trained: dict[str, Tensor]) -> None:
    path = saved(tmp_path / "w.safetensors", trained)
    whole = path.read_bytes()
    for content in (b"", whole[:5], whole[: len(whole) // 2]):
        path.write_bytes(content)
        assert "is no readable safetensors file" in refusal(path)
    path.unlink()
    assert "does not exist" in refusal(path)


def test_values_that_are_not_finite_are_refused(tmp_path: Path, trained: dict[str, Tensor]) -> None:
    broken = trained | {"bn1.bias": trained["bn1.bias"] * torch.nan}
    assert "not finite (model.bn1.bias)" in refusal(saved(tmp_path / "w.safetensors", broken))


def test_two_networks_in_one_file_are_refused(tmp_path: Path, trained: dict[str, Tensor]) -> None:
    both = trained | {f"encoder.{name}": t + 1 for name, t in trained.items()}
    assert "holds several networks" in refusal(saved(tmp_path / "w.safetensors", both))


def test_imagenet_looks_into_the_offline_folder_first(
    tmp_path: Path, trained: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "given" / f"{MOBILENET}.safetensors", trained)
    network = Network(encoder=MOBILENET, weights="imagenet")
    assert build_segmentor(network, RGB, 3, path.parent)[1].source == str(path)
    monkeypatch.setenv("ISTHMUS_WEIGHTS", str(path.parent))
    assert build_segmentor(network, RGB, 3)[1].source == str(path)
    monkeypatch.delenv("ISTHMUS_WEIGHTS")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "isthmus" / "weights"


@pytest.mark.parametrize("encoder", [MOBILENET, "resnet18"])
def test_without_the_hub_the_remedies_are_named(tmp_path: Path, encoder: str) -> None:
    with pytest.raises(BadInput) as caught:
        build_segmentor(Network(encoder=encoder, weights="imagenet"), RGB, 3, tmp_path)
    assert f"put {encoder}.safetensors into {tmp_path}" in str(caught.value)
    assert "network.weights: null" in str(caught.value)


def test_encoders_without_pretrained_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^network.weights: no pretrained weights"):
        build_segmentor(Network(encoder="tu-convnext_atto_rms", weights="imagenet"), RGB, 3, tmp_path)


def test_hub_weights_come_through_timms_own_loading(
    tmp_path: Path, offline: Path, trained: dict[str, Tensor]
) -> None:
    _cached(offline, "timm/mobilenetv3_small_050.lamb_in1k", "0" * 40, trained)
    segmentor, report = build_segmentor(Network(encoder=MOBILENET, weights="imagenet"), RGB, 3, tmp_path)
    assert report.text == f"206 of 206 tensors loaded from the hub's {MOBILENET}"
    stem = segmentor.body.encoder.model.conv_stem.weight.detach()
    torch.testing.assert_close(stem, trained["conv_stem.weight"])


def test_hub_weights_come_through_smps_own_loading(tmp_path: Path, offline: Path) -> None:
    encoder = smp.encoders.get_encoder("mobilenet_v2", weights=None)
    state = {name: t + 0.25 if t.is_floating_point() else t for name, t in encoder.state_dict().items()}
    settings = smp.encoders.encoders["mobilenet_v2"]["pretrained_settings"]["imagenet"]
    _cached(offline, settings["repo_id"], settings["revision"], state)
    segmentor, report = build_segmentor(Network(encoder="mobilenet_v2", weights="imagenet"), RGB, 3, tmp_path)
    assert report.loaded == report.total == sum(not name.endswith("num_batches_tracked") for name in state)
    last = segmentor.body.encoder.features[18][0].weight.detach()
    assert torch.equal(last, state["features.18.0.weight"])


def _cached(cache: Path, repository: str, revision: str, tensors: dict[str, Tensor]) -> None:
    """A repository of the hub in the folder where its client keeps what it has downloaded."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / revision
    saved(snapshot / "model.safetensors", tensors)
    (snapshot / "config.json").write_text("{}")
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(revision)


def test_restrictive_licences_are_named() -> None:
    _, report = build(None, "mit_b0")
    assert report.licence is not None
    assert "non-commercial" in report.licence
    assert report.notes == (f"mit_b0: {report.licence}",)
    assert build(None)[1].licence is None


def test_a_run_notes_what_its_user_should_know_of_the_weights(tmp_path: Path) -> None:
    draw(tmp_path)
    job = job_for(tmp_path, "source_only", network={"encoder": "mit_b0"}, schedule={"steps": 1})
    said = execute(run_for(job, tmp_path / "run"))
    assert any(
        "tensors loaded" in e.text and "non-commercial" in e.text for e in said if isinstance(e, Noted)
    )
    said.close()  # type: ignore[attr-defined]  # execute is a generator


def test_real_weights_load_completely() -> None:
    if not REAL.exists():
        pytest.skip("no folder of real weights beside the repository")
    before = load_file(REAL)
    segmentor, report = build(REAL, "tu-mobilenetv1_100", ["nir", "red", "green"])
    stem = segmentor.body.encoder.model.conv_stem.weight.detach()
    assert torch.equal(stem[:, 1], before["conv_stem.weight"][:, 0])
    assert report.loaded == report.total == len(before)
