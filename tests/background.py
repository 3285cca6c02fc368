"""Runs in the background, as real processes: start, wait, strike."""

import os
import signal
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.runs.charge import read_status
from core.runs.run_state import RunState, is_run, kill, state_of

PATIENCE_S = 180.0
ENDED = ("done", "stopped", "failed", "died", "lost")


def wait_until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)


def wait_for(folder: Path, statuses: Collection[str]) -> RunState:
    """Until the run is in one of these; fails where it ends otherwise."""
    over = {*statuses, *ENDED}
    wait_until(lambda: state_of(folder).status in over, f"{folder.name} is {statuses}")
    state = state_of(folder)
    assert state.status in statuses, f"{state}: {log_of(folder)}"
    return state


def wait_for_checkpoint(folder: Path, beside: Collection[Path] = ()) -> None:
    """Until there is one that is not among those known."""
    known = set(beside)

    def saved() -> bool:
        assert state_of(folder).status not in ENDED, f"{state_of(folder)}: {log_of(folder)}"
        return not set(folder.glob("checkpoints/*.pt")) <= known

    wait_until(saved, "a checkpoint is there")


def worker_of(folder: Path) -> int:
    status = read_status(folder)
    assert status is not None
    assert status.worker_pid is not None, status
    return status.worker_pid


def strike(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def log_of(folder: Path) -> str:
    log = folder / "log.txt"
    return log.read_text(errors="replace") if log.exists() else ""


@contextmanager
def nothing_left(root: Path) -> Iterator[None]:
    """Whatever a test does, no process of its runs below `root` outlives it."""
    try:
        yield
    finally:
        for folder in filter(is_run, root.rglob("*")):
            status = read_status(folder)
            if status and status.pid and status.pid != os.getpid() and state_of(folder).alive:
                with suppress(Exception):
                    kill(folder)
                with suppress(ProcessLookupError):
                    strike(status.pid)
