"""Files that unsaved edits are kept in: outside the project's folder, which may be read-only."""

import hashlib
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from app.held import drop, is_left, lock_of, room
from app.project import Project
from core.errors import BadInput
from core.files import write_text

UNTITLED = "untitled-"


class Swap:
    """Where the edits of one open project are kept: of that in `project`, or of one that has no file yet.

    Once written it is held. Where two windows have a project open, the edits of the first are kept.
    """

    def __init__(self, project: Path | None = None, lost: Path | None = None) -> None:
        key = hashlib.sha256(str(project).encode()).hexdigest()[:16] if project else UNTITLED + uuid4().hex
        self.path = lost or room() / "swap" / f"{key}.yaml"
        self._lock = FileLock(lock_of(self.path), timeout=0)
        if lost:
            self._take()

    @property
    def is_ours(self) -> bool:
        """Whether there are edits that this window kept, or that outlived another."""
        return self.path.exists() if self._lock.is_locked else is_left(self.path)

    def write(self, project: Project) -> None:
        """Raises BadInput or OSError where it cannot be written, or is another window's."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._take()
        write_text(self.path, project.dumped(self.path.parent))

    def _take(self) -> None:
        if self._lock.is_locked:
            return
        try:
            self._lock.acquire()
        except Timeout:
            raise BadInput("the edits", "are in another window already", "look for them there") from None

    def remove(self) -> None:
        """Drop the edits, unless they are another window's."""
        ours = self.is_ours
        self._lock.release()
        if ours:
            drop(self.path)


def lost_swaps() -> list[Path]:
    """Edits of projects without a file whose window has died; the latest first."""
    there = [path for path in (room() / "swap").glob(f"{UNTITLED}*.yaml") if is_left(path)]
    return sorted(there, key=lambda path: path.stat().st_mtime, reverse=True)
