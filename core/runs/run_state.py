"""Runs as their owner sees them: what each does, what it takes on disk; delete, slim, kill."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from core.errors import BadInput
from core.runs.charge import is_supervised, is_worked, read_status, taken
from core.runs.run_reading import RunState, RunStatus, state_of, tail

__all__ = [
    "RunState", "RunStatus", "RunSummary", "delete", "drop_checkpoints", "is_run", "kill", "list_runs",
    "require_outside_runs", "size_bytes", "state_of", "tail",
]  # fmt: skip
TERMINATE_S, KILL_S = 5.0, 5.0
KILLED = "kill"
EXPORTED, APPLIED = GUESTS = "exported", "applied"
"""Folders in that of a run for what is made of it later; the run itself writes nothing there."""
"""The file in `control/` that says that a kill was wanted."""


@dataclass(frozen=True)
class RunSummary:
    """A run in a list. `started`: Unix seconds of its first event, else of when it was made."""

    folder: Path
    name: str
    method: str
    seed: int
    state: RunState
    started: float

    def size_bytes(self) -> int:
        """Counted when asked: it walks the folder."""
        return size_bytes(self.folder)


def list_runs(folders: Iterable[Path]) -> list[RunSummary]:
    """The runs that these folders are or hold, newest first; what cannot be read as a run is left out."""
    found: dict[Path, RunSummary] = {}
    for folder in folders:
        for each in [folder, *_subfolders(folder)]:
            if is_run(each) and each not in found and (summary := _summary(each)):
                found[each] = summary
    return sorted(found.values(), key=lambda run: run.started, reverse=True)


def is_run(folder: Path) -> bool:
    """Whether a folder is a run's: made whole, and not one that is being deleted."""
    made = (folder / "job.yaml").is_file() and (folder / "record.json").is_file()
    return made and not folder.name.startswith(".")


def require_outside_runs(to: Path) -> None:
    """Raises BadInput where what is to be written would mix with, or replace, what a run has made."""
    to = to.resolve()
    for folder in (to, *to.parents):
        if is_run(folder) and to.relative_to(folder).parts[:1] not in [(name,) for name in GUESTS]:
            problem = f"lies in the folder of the run {folder.name}"
            raise BadInput(to, problem, "name a folder outside of runs")


def _subfolders(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return []


def _summary(folder: Path) -> RunSummary | None:
    try:
        made = (folder / "job.yaml").stat().st_mtime
        name, method, seed = _facts(folder / "job.yaml", made)
        return RunSummary(folder, name, method, seed, state_of(folder), _first_time(folder) or made)
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return None


@lru_cache(maxsize=1000)
def _facts(job: Path, _modified: float) -> tuple[str, str, int]:
    content = yaml.load(job.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    method = content["method"]
    return str(content["name"]), str(method["name"] if isinstance(method, dict) else method), content["seed"]


def _first_time(folder: Path) -> float | None:
    try:
        with (folder / "events.jsonl").open("rb") as file:
            return float(json.loads(file.readline())["time"])
    except (OSError, ValueError, KeyError):
        return None


def size_bytes(folder: Path) -> int:
    """What a run takes on disk; a map that has two names counts once."""
    sizes: dict[tuple[int, int], int] = {}
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                found = (Path(base) / name).lstat()
            except OSError:
                continue  # gone meanwhile
            sizes[found.st_dev, found.st_ino] = found.st_size
    return sum(sizes.values())


def delete(folder: Path) -> None:
    """Delete a run for good. Raises BadInput where it is alive, or no run.

    It is renamed before it is emptied, so that what an interruption leaves does not look like a run;
    the next deletion beside it takes that too.
    """
    _require_idle(folder, "delete")
    for left in folder.parent.glob(".*.deleted-*"):
        shutil.rmtree(left, ignore_errors=True)
    doomed = folder.with_name(f".{folder.name}.deleted-{time.time_ns()}")
    try:
        folder.rename(doomed)
        shutil.rmtree(doomed)
    except OSError as fault:
        problem = f"could not be deleted ({fault.strerror})"
        raise BadInput(folder, problem, "close what has its files open, and try again") from None


def drop_checkpoints(folder: Path) -> int:
    """Delete what only a resume needs of a finished run; its models and maps stay. Returns the bytes freed.

    Raises BadInput where the run has not ended well: it would begin anew.
    """
    _require_idle(folder, "slim")
    if state_of(folder).status != "done":
        raise BadInput(
            folder, "is not finished: its checkpoints are what it resumes from", "let it end first"
        )
    before = size_bytes(folder)
    for spare in [folder / "checkpoints", *folder.glob("phases/*/snapshot")]:
        shutil.rmtree(spare, ignore_errors=True)
    return before - size_bytes(folder)


def _require_idle(folder: Path, verb: str) -> None:
    if not is_run(folder) or folder.is_symlink():
        raise BadInput(folder, "is not the folder of a run", f"name a run to {verb}")
    if state_of(folder).alive or is_worked(folder):  # what verifies an ended run works on it as well
        raise BadInput(folder, f"is at work: it is too early to {verb} it", "stop it first")


def kill(folder: Path) -> None:
    """End a run's worker and all it started: politely, after 5 s by force. Takes up to 10 s.

    Its supervisor, where there is one, writes how it ended. Raises BadInput where no worker is known.
    """
    status = read_status(folder)
    if status is None or status.worker_pid is None or not (is_supervised(folder) or is_worked(folder)):
        raise BadInput(folder, "has no worker to kill", "stop it, if it waits in the queue")
    with contextlib.suppress(OSError):
        (folder / "control").mkdir(exist_ok=True)
        (folder / "control" / KILLED).touch()
    _signal(status.worker_pid, force=False)
    if not _gone(folder, TERMINATE_S):
        _signal(status.worker_pid, force=True)
        if not _gone(folder, KILL_S):
            raise taken(folder)


def _gone(folder: Path, within_s: float) -> bool:
    """Whether nothing works on the run any more, at the latest after some seconds."""
    deadline = time.monotonic() + within_s
    while is_worked(folder) or is_supervised(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _signal(pid: int, force: bool) -> None:
    """To a worker's whole group where it leads one, as a supervised one does."""
    if sys.platform == "win32":  # no polite way reaches a process without a window
        subprocess.run(["taskkill", "/PID", str(pid), "/T", "/F"], capture_output=True, check=False)
        return
    number = signal.SIGKILL if force else signal.SIGTERM
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
