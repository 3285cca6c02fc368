"""Files that unsaved edits are kept in: outside the project's folder, which may be read-only."""

import contextlib
import hashlib
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout
from PySide6.QtCore import QStandardPaths

from app.project import Project
from core.errors import BadInput
from core.files import write_text
from core.runs.charge import is_held

UNTITLED = "untitled-"


class Swap:
    """Where the edits of one open project are kept: of that in `project`, or of one that has no file yet.

    The latter is held by a lock that ends with its window, so that no other takes it for a lost one.
    """

    def __init__(self, project: Path | None = None, lost: Path | None = None) -> None:
        key = hashlib.sha256(str(project).encode()).hexdigest()[:16] if project else UNTITLED + uuid4().hex
        self.path = lost or _room() / f"{key}.yaml"
        self._lock = None if project else FileLock(_lock_of(self.path), timeout=0)
        if lost:
            self._take()

    def write(self, project: Project) -> None:
        """Raises BadInput or OSError where it cannot be written."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._take()
        write_text(self.path, project.dumped(self.path.parent))

    def _take(self) -> None:
        if self._lock is None or self._lock.is_locked:
            return
        try:
            self._lock.acquire()
        except Timeout:
            raise BadInput("the edits", "are in another window already", "look for them there") from None

    def remove(self) -> None:
        if self._lock is not None:
            self._lock.release()
        drop_swap(self.path)


def lost_swaps() -> list[Path]:
    """Edits of projects without a file whose window has died; the latest first."""
    there = [path for path in _room().glob(f"{UNTITLED}*.yaml") if not is_held(_lock_of(path))]
    return sorted(there, key=lambda path: path.stat().st_mtime, reverse=True)


def drop_swap(swap: Path) -> None:
    """Nobody wants it any more."""
    for path in (swap, _lock_of(swap)):
        _remove(path)


def _room() -> Path:
    return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation)) / "swap"


def _lock_of(swap: Path) -> Path:
    return swap.with_suffix(".lock")


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
