"""One run at a time on each device, first come, first served, over all windows and terminals of a user.

A run in line has a ticket, a small file in a folder of the user's on this machine. It counts while the
run is alive, by the run's own locks: what a crash leaves behind holds up nobody.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from core.errors import BadInput
from core.files import read_json, write_json
from core.runs.charge import is_supervised, is_worked

FIRST = 10**9
"""The number of the first ticket: leaves room before it for runs that do not wait."""

LOCKED_S = 60.0
"""Whoever takes a ticket holds the line for a blink; longer than this, something is broken."""


@dataclass(frozen=True)
class Ticket:
    """A run's place in the line of its device."""

    path: Path
    folder: Path
    device: str

    @property
    def number(self) -> int:
        return int(self.path.stem)

    def ahead(self) -> list[Path]:
        """The living runs before this one on its device, the next one first; none: it is its turn."""
        return [
            each.folder
            for each in reversed(_tickets(self.path.parent))
            if each.number < self.number and each.device == self.device and each.folder != self.folder
        ]


@contextmanager
def in_line(folder: Path, device: str, at_once: bool = False) -> Iterator[Ticket]:
    """Take a ticket for a run that this process is in charge of, and give it back in the end.

    `at_once`: the run does not wait, as when it is started in a terminal; but others wait for it.
    """
    line = line_folder()
    with FileLock(line / "lock", timeout=LOCKED_S):
        tickets = _tickets(line)
        for old in (each for each in tickets if each.folder == folder):
            old.path.unlink(missing_ok=True)
        numbers = [each.number for each in tickets] or [FIRST]
        number = min(numbers) - 1 if at_once else max(numbers) + 1
        path = line / f"{number}.ticket"
        write_json(path, {"folder": str(folder), "device": device})
    try:
        yield Ticket(path, folder, device)
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _tickets(line: Path) -> list[Ticket]:
    """The tickets of living runs by number; those of dead ones are thrown away."""
    found = []
    for path in line.glob("*.ticket"):
        try:
            content = read_json(path)
            ticket = Ticket(path, Path(content["folder"]), content["device"])
        except (BadInput, KeyError, TypeError):
            continue  # given back meanwhile
        if is_supervised(ticket.folder) or is_worked(ticket.folder):
            found.append(ticket)
        else:
            with suppress(OSError):
                path.unlink(missing_ok=True)
    return sorted(found, key=lambda ticket: ticket.number)


def line_folder() -> Path:
    """Where this user's tickets for this machine are: below ISTHMUS_QUEUE, else in the user's cache."""
    folder = _base() / re.sub(r"\W+", "_", platform.node() or "here")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # a user without a home still wants to train
        folder = Path(tempfile.gettempdir()) / f"isthmus-queue-{os.environ.get('USER', '')}"
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _base() -> Path:
    if chosen := os.environ.get("ISTHMUS_QUEUE"):
        return Path(chosen)
    if sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "isthmus" / "queue"


def device_of(wanted: str) -> str:
    """The device that `schedule.device` will come to, as one name for all runs that share it; no torch."""
    kind, _, index = wanted.partition(":")
    if kind == "auto":
        kind = "cuda" if _has_nvidia() else "mps" if _is_apple() else "cpu"
    if kind != "cuda":
        return kind
    visible = [part.strip() for part in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    place = int(index) if index.isdigit() else 0
    return f"cuda:{visible[place] if place < len(visible) and visible[place] else place}"


def _has_nvidia() -> bool:
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    if sys.platform == "win32":
        return _answers(["nvidia-smi", "-L"])
    in_windows = (
        Path("/dev/dxg").exists() and shutil.which("nvidia-smi") is not None
    )  # WSL has no such driver file
    return in_windows or Path("/proc/driver/nvidia/version").exists()


def _is_apple() -> bool:
    return sys.platform == "darwin" and platform.machine() == "arm64"


def _answers(command: list[str]) -> bool:
    with suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    return False
