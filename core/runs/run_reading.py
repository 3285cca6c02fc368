"""What a run does, or how it ended, from its files alone."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.errors import BadInput
from core.files import read_json
from core.runs.charge import is_alive, is_elsewhere, is_starting, is_worked, read_status

RunStatus = Literal[
    "new", "queued", "starting", "running", "pausing", "paused", "stopping",
    "done", "stopped", "failed", "died", "lost",
]  # fmt: skip
TAIL_BYTES = 2**16
TELLING = ("started", "asked", "paused", "resumed", "ended", "failed")
"""The kinds of events that say what a run does."""
RESUME = "resume it: it goes on from its last checkpoint"


@dataclass(frozen=True)
class RunState:
    """A run's status, in words too: `sentence` says what is, `remedy` what to do next (or nothing).

    `position`: runs before it in the queue. `out_of_memory`: that is what it died of.
    """

    status: RunStatus
    sentence: str
    remedy: str = ""
    position: int = 0
    out_of_memory: bool = False
    worker: bool = False

    @property
    def alive(self) -> bool:
        return self.status in ("queued", "starting", "running", "pausing", "paused", "stopping")

    @property
    def can_start(self) -> bool:
        """Start it or, where it has begun, resume it in a new worker (`core.runs.supervise.launch`)."""
        return self.status in ("new", "stopped", "failed", "died", "lost")

    @property
    def can_pause(self) -> bool:
        return self.status in ("starting", "running")

    @property
    def can_resume(self) -> bool:
        """Let the paused worker go on (`core.runs.run.ask`)."""
        return self.status in ("pausing", "paused")

    @property
    def can_stop(self) -> bool:
        return self.alive and self.status != "stopping"

    @property
    def can_kill(self) -> bool:
        return self.alive and self.worker


def state_of(folder: Path) -> RunState:
    """What a run does or how it ended. Quick however long the run is; a folder without files is `new`."""
    exit_ = _exit(folder)
    if is_starting(folder) or (exit_ is None and is_alive(folder)):
        return _living(folder)
    return _ended(exit_) if exit_ else _without_end(folder)


def _living(folder: Path) -> RunState:
    status = read_status(folder)
    elsewhere = status is not None and is_elsewhere(status)
    worked = elsewhere or is_worked(folder)
    asked = {name for name in ("pause", "resume", "stop") if (folder / "control" / name).exists()}
    if status and status.state == "queued":
        if "stop" in asked:
            return RunState("stopping", "is leaving the queue")
        before = f"{status.position} run{'s' * (status.position != 1)} before it on {status.device}"
        return RunState("queued", f"waits for its turn: {before}", position=status.position)
    worker = status is not None and status.worker_pid is not None and not elsewhere
    doing = _doing(folder, status.since if status else 0.0) if worked else "starting"
    if "stop" in asked or doing == "stopping":
        return RunState(
            "stopping", "will stop after saving its state", "kill it if it does not", worker=worker
        )
    if doing == "paused" and "resume" not in asked:
        return RunState("paused", "is paused and holds its memory", "resume it, or stop it", worker=worker)
    if "pause" in asked or doing == "pausing":
        return RunState("pausing", "will pause after the step at hand", worker=worker)
    if doing == "starting":
        return RunState("starting", "its worker is starting", worker=worker)
    return RunState("running", "is running", worker=worker)


def _doing(folder: Path, since: float) -> RunStatus:
    """What the journal's tail says that a living worker does; before `since` it was another's."""
    lines = tail(folder / "events.jsonl").split(b"\n")[:-1]
    if not lines or _time(lines[-1]) < since:
        return "starting"
    asked: set[str] = set()
    for event in _telling(lines):
        match event["kind"]:
            case "asked" if event.get("request") in ("stop", "pause", "resume"):
                asked.add(event["request"])
            case "ended" | "failed":
                return "starting"  # that was an earlier worker
            case "paused":
                return "stopping" if "stop" in asked else "running" if "resume" in asked else "paused"
            case "resumed" | "started":
                break
    if "stop" in asked:
        return "stopping"
    return "pausing" if "pause" in asked and "resume" not in asked else "running"


def _time(line: bytes) -> float:
    try:
        return float(json.loads(line)["time"])
    except (ValueError, TypeError, KeyError):
        return time.time()  # damaged, but there


def _telling(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    """The events of TELLING kinds, newest first."""
    for line in reversed(lines):
        if any(b'"kind":"%s"' % kind.encode() in line for kind in TELLING):
            try:
                yield json.loads(line)
            except ValueError:
                continue


def tail(path: Path, size: int = TAIL_BYTES, start: int = 0) -> bytes:
    """The last `size` bytes of a file, none from before `start`; empty where there is no file."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - size, start, 0))
            return file.read()
    except OSError:
        return b""


def _exit(folder: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = read_json(folder / "exit.json")
    except BadInput:
        return None
    return found if isinstance(found, dict) and "how" in found else None


def _ended(exit_: dict[str, Any]) -> RunState:
    how, text = exit_["how"], str(exit_.get("text") or "")
    match how:
        case "done":
            return RunState("done", "is finished")
        case "stopped":
            return RunState("stopped", text or "was stopped, its state saved", RESUME)
        case "died":
            return RunState("died", text, RESUME, out_of_memory=bool(exit_.get("out_of_memory")))
    return RunState("failed", text, "mend that and resume it")


def _without_end(folder: Path) -> RunState:
    if (folder / "events.jsonl").exists() or (folder / "status.json").exists():
        return RunState("lost", "ended without a word: it was killed, or the machine went off", RESUME)
    return RunState("new", "has not been started", "start it")
