"""What a window died of: each has a log of its own for the interpreter's last words."""

import faulthandler
import os

from filelock import FileLock

from app.held import drop, is_left, lock_of, room


class CrashLog:
    """Where the interpreter writes its last words if this window dies; the next start shows them."""

    def __init__(self) -> None:
        self.path = room() / f"crash-{os.getpid()}.log"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(lock_of(self.path), timeout=0)
        self._lock.acquire()
        self._file = self.path.open("w", encoding="utf-8")
        faulthandler.enable(self._file)

    def close(self) -> None:
        """The window ends well."""
        faulthandler.disable()
        self._file.close()
        self._lock.release()
        drop(self.path)


def last_words() -> str:
    """What windows that died left in their logs, which are gone after it."""
    said = []
    for log in filter(is_left, sorted(room().glob("crash-*.log"))):
        said.append(log.read_text(encoding="utf-8", errors="replace"))
        drop(log)
    return "\n".join(filter(None, said))
