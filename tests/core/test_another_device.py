"""All that is computed lies on the run's device: shown on one that refuses what a graphics card refuses."""

import os
from pathlib import Path

import elsewhere
import numpy as np
import pytest
import rasterio
import torch
from elsewhere import ELSEWHERE
from engines import NARROW, assert_equal_weights, job_for, run_for, weights, work

from core.checks import preflight
from core.devices import autocast_type, reading_threads
from core.execution import reverse
from core.execution.estimate import estimate
from core.execution.execute import execute
from core.execution.remap import map_scenes
from core.execution.reverse import verify
from core.execution.translate import translate_scenes
from core.files import read_json
from core.job import Job, Schedule
from core.journal import read
from core.runs.run import Run, ask_preview, open_run
from geo_io.grid import Box

pytestmark = pytest.mark.usefixtures("few_crops")


def test_what_a_card_refuses_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    near = torch.arange(4.0)
    with elsewhere.elsewhere(monkeypatch):
        far = near.to(ELSEWHERE)
        assert far.device == torch.zeros(2, device=ELSEWHERE).device == (far * 2).device == ELSEWHERE
        assert (far + torch.tensor(1)).sum().item() == 10, "a number lies anywhere"
        assert far[torch.tensor([0, 2])].cpu().tolist() == [0, 2], "and so does an index"
        for wrong in (lambda: far + near, lambda: torch.cat([near, far]), lambda: far.add_(near)):
            with pytest.raises(RuntimeError, match="on the CPU meets one elsewhere"):
                wrong()
        for wrong in (far.numpy, lambda: np.asarray(far)):
            with pytest.raises(RuntimeError, match="numpy"):
                wrong()
        for wrong in (
            lambda: near.to(ELSEWHERE, non_blocking=True),
            lambda: far.copy_(near, non_blocking=True),
        ):
            with pytest.raises(RuntimeError, match="nobody waits"):
                wrong()


@pytest.mark.parametrize(
    ("device", "cores", "threads"),
    [("cpu", 16, 1), ("cuda", 1, 1), ("cuda", 2, 1), ("mps", 4, 2), ("cuda", 64, 4), ("cuda", None, 1)],
)
def test_beside_a_card_half_of_the_cores_read_ahead(
    device: str, cores: int | None, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert reading_threads(torch.device(device)) == threads


@pytest.mark.parametrize(
    ("precision", "device", "able", "halves"),
    [
        ("auto", "cpu", True, True),
        ("auto", "cpu", False, False),
        ("auto", "cuda", True, True),
        ("auto", "cuda", False, False),
        ("auto", "mps", True, False),
        ("32", "cpu", True, False),
        ("32", "cuda", True, False),
        ("bf16", "cpu", False, True),
        ("bf16", "mps", False, True),
    ],
)
def test_half_precision_is_taken_where_it_is_faster(
    precision: str, device: str, able: bool, halves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torch calls cards able that only emulate it, and processors that have the type but not the units."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True, "amx_bf16": able})
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation or able
    )
    chosen = autocast_type(Schedule(precision=precision), torch.device(device))
    assert chosen == (torch.bfloat16 if halves else None)


def whole_run(job: Job, folder: Path) -> Run:
    """Killed in its middle and gone on with; looked at meanwhile."""
    run = run_for(job, folder)
    ask_preview(run.folder, 0, Box(8, 16, 50, 40), 1)
    for event in execute(run):
        if event.kind == "saved" and event.phase == "adapt":
            break
    work(open_run(run.folder))
    return run


def test_a_run_there_ends_as_one_here(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "LEAST_PX", 16)
    options = {"adabn": "always", "adabn_batches": 2}
    network = {"multi_resolution": {"attention_width": 8}}
    job = job_for(places, "combined", options, network=network, schedule={"steps": 4, "evaluate_every": 1})
    here = whole_run(job, places / "here")
    with elsewhere.elsewhere(monkeypatch, "core.execution.execute"):
        there = whole_run(job, places / "there")
    for stage in ("source-only", "adapted"):
        assert_equal_weights(weights(here, stage), weights(there, stage))
    assert (there.folder / "verdict.json").read_bytes() == (here.folder / "verdict.json").read_bytes()
    (device,) = {event.device for event in read(here.folder) if event.kind == "started"}
    assert device == f"cpu ({torch.get_num_threads()} threads, float32)"
    kinds = [{event.kind for event in read(run.folder)} for run in (here, there)]
    assert kinds[0] == kinds[1] >= {"pictured", "evaluated", "resumed"}
    for made in sorted(here.maps.rglob("*.tif")):
        with rasterio.open(made) as one, rasterio.open(there.maps / made.relative_to(here.maps)) as other:
            np.testing.assert_array_equal(one.read(), other.read())


def test_what_is_done_with_a_finished_run_is_done_there(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reverse, "CROPS", 4)
    job = job_for(places, "cyclegan", {**NARROW, "warm_share": 0.0})
    run = run_for(job, places / "run")
    work(run)
    users = (
        "core.execution.estimate",
        "core.execution.remap",
        "core.execution.reverse",
        "core.execution.translate",
    )
    with elsewhere.elsewhere(monkeypatch, *users):
        assert estimate(job, places).total_s > 0
        list(map_scenes(run.folder, [places / "target.tif"], places / "more", "adapted", probabilities=True))
        list(translate_scenes(run.folder, places / "translated"))
        list(verify(run.folder, steps=2))
    assert len(list((places / "more").glob("*.tif"))) == 3
    assert list((places / "translated").glob("*.tif"))
    assert "reverse" in read_json(run.folder / "verdict.json")
