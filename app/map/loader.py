"""Reads for the map on other threads: the wanted ones only, the most wanted first."""

import threading
import weakref
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, TypeVar

from PySide6.QtCore import QObject, Signal, Slot

from app.background import sentence
from app.garbage import collect_here

THREADS = 2
Result = TypeVar("Result")


class Request(NamedTuple):
    """`key` says what is wanted, its first two entries by which layer and in which state (its revision)."""

    key: tuple[Hashable, ...]
    work: Callable[[], object]


def attempt(work: Callable[[], Result]) -> tuple[Result | None, str | None]:
    """What `work` returned, or the sentence of the error it raised."""
    try:
        return work(), None
    except Exception as fault:
        return None, sentence(fault)


class Loader(QObject):
    """Works through the latest list of requests. What a newer list lacks is dropped unread.

    `done` carries (key, what the work returned, None or the sentence of the error it raised), on the thread
    of this object. The threads live as long as it does, and are Python's: those of a Qt pool are new to
    Python each time they are lent, every file would be opened anew for each burst of reads, and pyproj,
    which keeps state by thread, crashes in them.
    """

    done = Signal(object, object, object)
    _ended = Signal(object, object, object)

    def __init__(self, parent: QObject | None = None, threads: int = THREADS) -> None:
        super().__init__(parent)
        collect_here()
        self._queue = _Queue(weakref.ref(self))
        self._threads = [threading.Thread(target=self._queue.work, daemon=True) for _ in range(threads)]
        self.destroyed.connect(self._queue.stop)
        self._told = 0
        self._ended.connect(self._tell)
        for thread in self._threads:
            thread.start()

    def want(self, requests: Sequence[Request]) -> None:
        """Replace what is waiting by `requests`, the first the most urgent; what is running goes on."""
        self._queue.replace(requests)

    @property
    def busy(self) -> bool:
        """Whether something is waiting, running or not yet told."""
        return self._queue.busy or self._told < self._queue.done

    @Slot(object, object, object)
    def _tell(self, key: object, result: object, problem: object) -> None:
        self.done.emit(key, result, problem)
        self._told += 1  # after telling: whoever waits for the end sees what it led to

    def stop(self) -> None:
        """Drop what waits and wait for what runs: at most one read a thread. It never starts again."""
        self._queue.stop()
        for thread in self._threads:
            thread.join()


class _Queue:
    """What the threads share; it outlives the loader until they have ended."""

    def __init__(self, loader: "weakref.ref[Loader]") -> None:
        self._loader = loader
        self._changed = threading.Condition()
        self._waiting: list[Request] = []
        self._running: set[tuple[Hashable, ...]] = set()
        self._stopped = False
        self.done = 0

    @property
    def busy(self) -> bool:
        with self._changed:
            return bool(self._waiting or self._running)

    def replace(self, requests: Sequence[Request]) -> None:
        with self._changed:
            self._waiting = [r for r in requests if r.key not in self._running][::-1]
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._waiting, self._stopped = [], True
            self._changed.notify_all()

    def work(self) -> None:
        while (request := self._next()) is not None:
            result, problem = attempt(request.work)
            self._tell(request, result, problem)
            del request, result  # a layer that both may hold is not this thread's to end

    def _next(self) -> Request | None:
        with self._changed:
            while not self._waiting and not self._stopped:
                self._changed.wait()
            if self._stopped:
                return None
            request = self._waiting.pop()
            self._running.add(request.key)
            return request

    def _tell(self, request: Request, result: object, problem: str | None) -> None:
        with self._changed:  # held while telling, so that the loader cannot be destroyed meanwhile
            self._running.discard(request.key)
            loader = self._loader()
            if loader is not None and not self._stopped:
                self.done += 1
                loader._ended.emit(request.key, result, problem)
