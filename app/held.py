"""Files that one window holds by a lock that ends with it, so that no other takes them for a dead one's."""

import contextlib
from pathlib import Path

from PySide6.QtCore import QStandardPaths

from core.runs.charge import is_held


def room() -> Path:
    """Where windows keep what outlives them."""
    return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation))


def lock_of(path: Path) -> Path:
    """The lock that holds the file at `path`."""
    return path.with_suffix(".lock")


def is_left(path: Path) -> bool:
    """Whether the file is there, and no window that lives holds it."""
    return path.exists() and not is_held(lock_of(path))


def drop(path: Path) -> None:
    """Nobody wants the file any more."""
    for each in (path, lock_of(path)):
        with contextlib.suppress(OSError):
            each.unlink(missing_ok=True)
