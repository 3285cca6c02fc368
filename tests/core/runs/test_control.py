"""Requests to a worker: heard whatever becomes of their record."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from small_job import draw

from core.errors import RunFailed
from core.runs.control import Control
from core.runs.run import ask, create
from core.variants import plan


class FullDisk:
    """In the place of a journal."""

    def write(self, event: Any) -> Any:
        raise RunFailed(f"{event.kind}: could not be written; free some disk space")


def until(met: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not met() and time.monotonic() < deadline:
        time.sleep(0.02)
    return met()


def test_a_run_that_is_paused_on_a_full_disk_still_hears_resume_and_stop(tmp_path: Path) -> None:
    draw(tmp_path)
    planned = plan(tmp_path / "job.yaml", {})
    run = create(planned.job, planned.folder)
    control = Control(run, FullDisk())  # type: ignore[arg-type]
    try:
        ask(run.folder, "pause")
        assert until(lambda: not control.running.is_set())
        ask(run.folder, "resume")
        assert until(control.running.is_set)
        ask(run.folder, "stop")
        assert until(control.stop.is_set)
    finally:
        control.close()
