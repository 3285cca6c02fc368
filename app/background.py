"""Reading in the background: a function on another thread, its result back on the window's thread."""

import itertools
import weakref
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from traceback import format_exception
from typing import Any, TypeVar

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, Slot
from shiboken6 import isValid

from app.details import keep
from app.garbage import collect_here
from core.errors import BadInput, RunFailed

Result = TypeVar("Result")

THREADS = 2
"""Of each room."""
DISKS = "disks"
"""The room of looks at what may lie on a disk that does not answer."""


# Not Qt's pool: its threads forget Python's thread-locals after every task, and pyproj crashes on that.
@cache
def _pool(room: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix=f"background {room}")


_numbers = itertools.count()


class Background(QObject):
    """Runs functions off the window's thread. Of calls with the same key only the latest is heard.

    For reads that take seconds at most: a thread cannot be ended, and Python's own work in one slows the
    window. What takes longer belongs in a process (`app.engine`). Calls wait for those of the same `room`
    alone: what may hang, as a look at a dead network disk, has one of its own. `busy`: `waiting` may have
    changed.
    """

    busy = Signal()

    def __init__(self, parent: QObject | None = None, room: str = "") -> None:
        super().__init__(parent)
        self._room = room
        collect_here()
        self._awaited: dict[Hashable, int] = {}
        _post()  # made on the window's thread, where it delivers
        if application := QCoreApplication.instance():
            application.aboutToQuit.connect(self.drop_all)

    def run(
        self,
        work: Callable[[], Result],
        done: Callable[[Result], None],
        failed: Callable[[str], None],
        key: Hashable = "",
    ) -> None:
        """Call `work` on another thread, then on this one `done` with its result or `failed` with a sentence.

        A later call with the same `key` silences this one, and skips it where it has not begun.
        """
        number = self._awaited[key] = next(_numbers)
        _pool(self._room).submit(_Task(self, key, number, work, done, failed).work)
        self.busy.emit()

    def drop(self, key: Hashable = "") -> None:
        """Nothing more is heard of the call with `key`."""
        if self._awaited.pop(key, None) is not None:
            self.busy.emit()

    def drop_all(self) -> None:
        """Nothing more is heard of any call, and what has not begun never will."""
        self._awaited.clear()
        self.busy.emit()

    @property
    def waiting(self) -> bool:
        return bool(self._awaited)

    def awaits(self, key: Hashable, number: int) -> bool:
        return self._awaited.get(key) == number


class _Task:
    """One call. The window may be gone before it ends: it holds its owner weakly."""

    def __init__(
        self,
        owner: Background,
        key: Hashable,
        number: int,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[str], None],
    ) -> None:
        self._owner, self._key, self._number = weakref.ref(owner), key, number
        self._work, self._done, self._failed = work, done, failed
        self._result: Any = None
        self._fault = ""

    def work(self) -> None:
        if self._current() is None:
            return
        try:
            self._result = self._work()
        except Exception as fault:
            self._fault = sentence(fault)
        _post().arrived.emit(self)

    def deliver(self) -> None:
        owner = self._current()
        if owner is None:
            return
        owner.drop(self._key)
        if self._fault:
            self._failed(self._fault)
        else:
            self._done(self._result)

    def _current(self) -> Background | None:
        owner = self._owner()
        # A closed window's objects are gone in Qt while Python may still hold them.
        alive = owner is not None and isValid(owner) and owner.awaits(self._key, self._number)
        return owner if alive else None


class _Post(QObject):
    """Brings tasks to the window's thread. Lives as long as the process: a late task finds it there."""

    arrived = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @Slot(object)
    def _deliver(self, task: _Task) -> None:
        task.deliver()


@cache
def _post() -> _Post:
    return _Post()


def sentence(fault: Exception) -> str:
    """What to show of anything raised: the sentence of bad input, else what kind of surprise it was."""
    if isinstance(fault, BadInput | RunFailed):
        cause = fault.__cause__
        return keep(str(fault), "".join(format_exception(cause)) if cause else "")
    text = " ".join(str(fault).split())[:200]
    said = QCoreApplication.translate("Background", "unexpected {0}: {1}; please report it, with its details")
    return keep(said.format(type(fault).__name__, text), "".join(format_exception(fault)))
