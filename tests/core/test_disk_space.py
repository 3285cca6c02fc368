"""What a run is guessed to write, against what it did write."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from small_job import draw

from core.disk_space import needed_bytes, require_room
from core.errors import BadInput, RunFailed
from core.execution.execute import execute
from core.runs.run import create
from core.runs.run_state import size_bytes, state_of
from core.variants import plan

Usage = namedtuple("Usage", "total used free")


def test_a_run_takes_no_more_than_was_guessed_and_is_refused_where_that_is_not_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"schedule.steps": 3, "schedule.checkpoint_every": 1, "method.name": "combined"}
    run = create(plan(draw(tmp_path), settings).job, tmp_path / "run")
    guessed = needed_bytes(run.job)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, guessed - 2**20))
    with pytest.raises(RunFailed, match=r"has \d+ MB free, and \d+ MB are needed"):
        list(execute(run))
    assert state_of(run.folder).status == "failed"
    assert not run.checkpoints.exists()
    monkeypatch.undo()
    for _ in execute(run):
        pass
    assert size_bytes(run.folder) / 10 < guessed
    assert size_bytes(run.folder) < guessed
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, guessed // 2))
    require_room(run)  # what is there already need not be written again


def test_large_scenes_and_both_models_ask_for_room(tmp_path: Path) -> None:
    job = plan(draw(tmp_path), {}).job
    one = plan(tmp_path / "job.yaml", {"predict.models": "chosen", "predict.confidence": False}).job
    shares = plan(tmp_path / "job.yaml", {"predict.probabilities": True}).job
    assert needed_bytes(shares) > needed_bytes(job)
    unmapped = plan(tmp_path / "job.yaml", {"target.scenes.0.map": False}).job
    assert needed_bytes(job) > needed_bytes(one) > needed_bytes(unmapped)
    larger = plan(tmp_path / "job.yaml", {"network.encoder": "resnet101"}).job
    assert needed_bytes(larger) > 2 * needed_bytes(job)


def test_a_network_that_cannot_be_made_is_said_before_the_room_it_would_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create(plan(draw(tmp_path), {"network.encoder": "resnet81"}).job, tmp_path / "run")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 0))
    with pytest.raises(BadInput, match="did you mean 'resnet18'"):
        list(execute(run))


def test_a_scene_that_cannot_be_read_is_left_to_the_worker(tmp_path: Path) -> None:
    job = plan(draw(tmp_path), {}).job
    (tmp_path / "target.tif").write_bytes(b"")
    assert needed_bytes(job) > 0
