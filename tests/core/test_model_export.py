"""The delivered model: both graphs say what torch says, at any size they claim, and describe themselves."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from engines import draw, job_for, run_for, work
from pyproj import CRS
from stac import item_faults
from worlds import north_up

from core.delivery.bundle import deliver
from core.delivery.catalogue import SCHEMAS
from core.delivery.deployed import Deployed, plugin_metadata
from core.delivery.model import PARITY
from core.execution.remap import finished_model
from core.prepare import seen_target
from core.runs.run import Run
from geo_io.grid import Grid

SIZES = ((1, 2, 2), (2, 5, 3), (1, 4, 7))
"""Batch, and sides in multiples of what the network takes."""


def trained(folder: Path, **network: Any) -> Run:
    draw(folder)
    sampling = {"crop_px": 64, "batch": 2}
    run = run_for(job_for(folder, "source_only", network=network, sampling=sampling), folder / "run")
    work(run)
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(tmp_path_factory.mktemp("single"))


@pytest.fixture(scope="module")
def to(run: Run) -> Path:
    list(deliver(run.folder, run.folder / "out", parts=["class", "model"]))
    return run.folder / "out"


def wanted(run: Run, values: np.ndarray) -> np.ndarray:
    """Probabilities of pixel values by the run's own network."""
    stats, _ = seen_target(run.folder / "cache")
    network = Deployed(finished_model(run, "source-only", stats.names, torch.device("cpu")), stats)
    with torch.no_grad():
        return network(torch.from_numpy(values)).numpy()


def pixels(seed: int, b: int, h: int, w: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4000, (b, 4, h, w)).astype(np.float32)


def multiple(run: Run) -> int:
    stats, _ = seen_target(run.folder / "cache")
    return finished_model(run, "source-only", stats.names, torch.device("cpu")).multiple_px


@pytest.mark.parametrize(("b", "rows", "cols"), SIZES)
def test_onnx_undoes_the_plugins_scaling_and_agrees_at_any_size(
    run: Run, to: Path, b: int, rows: int, cols: int
) -> None:
    side = multiple(run)
    values = pixels(rows, b, rows * side, cols * side)
    session = onnxruntime.InferenceSession(to / "model/model.onnx")
    (found,) = session.run(None, {"image": values / 255})
    expected = wanted(run, values)
    assert np.abs(found - expected).max() < PARITY
    assert expected.std() > 0.01, "a network that says the same everywhere would agree with anything"
    assert found.sum(1) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(("b", "rows", "cols"), SIZES)
def test_the_exported_program_agrees_too(run: Run, to: Path, b: int, rows: int, cols: int) -> None:
    side = multiple(run)
    values = pixels(rows, b, rows * side, cols * side)
    program = torch.export.load(to / "model/model.pt2").module()
    with torch.no_grad():
        found = program(torch.from_numpy(values)).numpy()
    assert np.abs(found - wanted(run, values)).max() < PARITY


def test_the_plugin_finds_what_it_looks_for(run: Run, to: Path) -> None:
    known = {p.key: json.loads(p.value) for p in onnx.load(to / "model/model.onnx").metadata_props}
    assert known["model_type"] == "Segmentor"
    assert list(known["class_names"].values()) == run.job.legend.names
    assert known["resolution"] == pytest.approx(100.0)
    assert known["tile_size"] == 64
    assert known["tiles_overlap"] == 25
    assert known["isthmus"] == {"run": run.id}


def test_the_plugin_is_told_the_resolution_in_units_of_the_map(run: Run) -> None:
    web = Grid(CRS(3857).to_wkt(), north_up(1.0, 0, 8_399_738), 8, 8)  # at 60 degrees north
    assert float(plugin_metadata(run.job, 0.5, web, 64)["resolution"]) == pytest.approx(100, rel=0.01)


def test_the_model_item_says_what_goes_in_and_comes_out(run: Run, to: Path) -> None:
    found = json.loads((to / "model.json").read_text())
    assert item_faults(found) == []
    properties = found["properties"]
    assert {"mlm:name", "mlm:architecture", "mlm:tasks", "mlm:input", "mlm:output"} <= set(properties)
    assert SCHEMAS["mlm"] in found["stac_extensions"]
    (given,) = properties["mlm:input"]
    assert [b["name"] for b in properties["bands"]] == given["bands"] == ["blue", "green", "red", "nir"]
    named = [[b["name"] for b in asset["bands"]] for asset in found["assets"].values()]
    assert named == [given["bands"]] * 3
    stats, _ = seen_target(run.folder / "cache")
    assert [s["mean"] for s in given["value_scaling"]] == pytest.approx(list(stats.mean))
    (out,) = properties["mlm:output"]
    assert [c["title"] for c in out["classification:classes"]] == run.job.legend.names
    assert {a["mlm:artifact_type"] for a in found["assets"].values()} == {
        "safetensors",
        "torch.export.save",
        "onnx",
    }


def test_a_network_of_two_resolutions_takes_one_size(tmp_path: Path) -> None:
    run = trained(tmp_path, multi_resolution={"attention_width": 8})
    list(deliver(run.folder, tmp_path / "out", parts=["class", "model"]))
    session = onnxruntime.InferenceSession(tmp_path / "out/model/model.onnx")
    assert session.get_inputs()[0].shape == [1, 4, 64, 64]
    values = pixels(0, 1, 64, 64)
    (found,) = session.run(None, {"image": values / 255})
    assert np.abs(found - wanted(run, values)).max() < PARITY
