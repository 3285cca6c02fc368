"""Who is in charge of a run: two locks that end with their holders, and `status.json` for whoever looks.

`lock` is held by the worker, `supervisor.lock` by what started it: a supervisor, or a terminal's own
process. A process that dies lets go of its lock whatever killed it, so that no stale file can lie.
"""

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from core.errors import BadInput
from core.files import read_json, write_json

WORKER, SUPERVISOR, STATUS = "lock", "supervisor.lock", "status.json"
BEAT_S = 2.0
STALE_S = 30.0
"""A supervisor of another machine is believed dead when it has not said anything for so long."""
STARTING_S = 15.0
"""How long a supervisor may take until it holds its lock."""
PROBED_S = 1.0
"""A free lock may seem held for a moment, while somebody looks whether it is."""


@dataclass(frozen=True)
class Status:
    """What the one in charge says; times in Unix seconds.

    `position`: runs before this one on its device; `ahead`: the folder of the next of them.
    """

    state: Literal["starting", "queued", "running"]
    pid: int
    worker_pid: int | None = None
    since: float = 0.0
    beat: float = 0.0
    position: int = 0
    ahead: str = ""
    device: str = ""
    host: str = ""


def read_status(folder: Path) -> Status | None:
    """The status as it was last written; None where there is none that can be read."""
    with suppress(BadInput, TypeError, AttributeError):
        content: dict[str, Any] = read_json(folder / STATUS)
        known = Status.__dataclass_fields__
        return Status(**{key: value for key, value in content.items() if key in known})
    return None


def write_status(folder: Path, status: Status) -> None:
    """Stamp and write; a disk that is full or a reader that holds the file must not end a run."""
    with suppress(Exception):
        stamped = asdict(status) | {"beat": round(time.time(), 3), "host": platform.node()}
        write_json(folder / STATUS, stamped)


def is_held(path: Path) -> bool:
    """Whether a living process of this machine holds the lock file."""
    if sys.platform == "win32":
        try:
            with FileLock(path, timeout=0.05):
                return False
        except Timeout:
            return True
        except OSError:
            return False
    import fcntl

    try:
        with path.open("rb") as file:
            fcntl.flock(
                file, fcntl.LOCK_SH | fcntl.LOCK_NB
            )  # shared: those who look do not disturb each other
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def is_worked(folder: Path) -> bool:
    return is_held(folder / WORKER)


def is_supervised(folder: Path) -> bool:
    return is_held(folder / SUPERVISOR)


def is_alive(folder: Path) -> bool:
    """Whether anything works on a run, here or, by its heartbeat, on another machine."""
    if is_supervised(folder) or is_worked(folder):
        return True
    status = read_status(folder)
    return status is not None and is_elsewhere(status) and time.time() - status.beat < STALE_S


def is_elsewhere(status: Status) -> bool:
    """Whether it was written on another machine, whose processes we neither see nor reach."""
    return status.host != platform.node()


def is_starting(folder: Path) -> bool:
    """Whether a supervisor has just been launched."""
    status = read_status(folder)
    return status is not None and status.state == "starting" and time.time() - status.beat < STARTING_S


@contextmanager
def in_charge(folder: Path, within_s: float = PROBED_S) -> Iterator[None]:
    """Be the one that starts a run's worker, and the only one. Raises BadInput where another one is."""
    lock = FileLock(folder / SUPERVISOR, timeout=within_s)
    try:
        lock.acquire()
    except Timeout:
        raise taken(folder) from None
    try:
        if is_worked(folder):
            raise taken(folder)
        yield
    finally:
        lock.release()


def taken(folder: Path) -> BadInput:
    status = read_status(folder)
    if status and status.state == "queued":
        return BadInput(folder, "is in the queue already", "wait for its turn, or `isthmus stop` it")
    return BadInput(folder, "another worker is running this job", "watch it with `isthmus follow`")


def own_status(state: Literal["queued", "running"], device: str) -> Status:
    """The status of a run that this process is in charge of."""
    worker = os.getpid() if state == "running" else None
    return Status(state, os.getpid(), worker, since=round(time.time(), 3), device=device)
