"""Following one run: its events as they are written, what they come to, and what was asked of it."""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, QTimer, Signal

from app.background import Background
from core.console import say
from core.events import AnyEvent, Asked, Ended, Failed, Paused, Progressed, Resumed, Started, Stepped
from core.journal import Tail
from core.progress import Progress
from core.runs.run import Request, ask
from core.runs.run_reading import RunState, state_of
from core.runs.run_state import kill
from core.runs.supervise import launch

LIVE_MS, IDLE_MS, BEHIND_MS = 250, 1000, 1
BUDGET_S = 0.004
"""Longest that the window's thread reads at a time while it is behind: a quarter of a frame."""
PORTION_BYTES, SAID_LINES = 2**14, 2000
PROGRESS_MS, STATE_MS, UNHEARD_MS = 100, 1000, 10_000
TELLING = (Started, Asked, Paused, Resumed, Failed, Ended)
"""Events after which a run's state is another."""

PATIENT = ("pause", "resume", "stop", "checkpoint")
"""Requests that only the worker can fulfil."""

Wanted = Request | Literal["start", "kill"]


class Follower(QObject):
    """One run's folder as the window sees it; a live run is one whose journal has not ended.

    `happened` carries each event in order, those of the past first; `spoke` those worth a line of words,
    of which `said` keeps the last ones. `progressed` carries the fold of them
    at most ten times a second. `wanted` is what was asked and not heard yet, `unheard` says that this
    has lasted ten seconds; `wish` tells that either changed. `refused` carries a sentence.
    """

    happened = Signal(object)
    spoke = Signal(str)
    progressed = Signal(object)
    state_changed = Signal(object)
    wish = Signal()
    refused = Signal(str)
    caught_up = Signal()

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folder, self.progress = folder, Progress()
        self.state: RunState | None = None
        self.live = False
        self.said: deque[str] = deque(maxlen=SAID_LINES)
        self.wanted: Wanted | None = None
        self.unheard = False
        self._tail, self._background = Tail(folder), Background(self)
        self._reading = QTimer(self, interval=BEHIND_MS)
        self._reading.timeout.connect(self._read)
        self._showing = QTimer(self, singleShot=True, interval=PROGRESS_MS)
        self._showing.timeout.connect(self._show)
        self._asking_state = QTimer(self, interval=STATE_MS)
        self._asking_state.timeout.connect(self.look)
        self._patience = QTimer(self, singleShot=True, interval=UNHEARD_MS)
        self._patience.timeout.connect(self._lose_patience)
        for timer in (self._reading, self._asking_state):
            timer.start()
        self.look()

    def close(self) -> None:
        """Read no more."""
        for timer in (self._reading, self._showing, self._asking_state, self._patience):
            timer.stop()
        self._background.drop("state")

    def look(self) -> None:
        """Ask for the run's state now, in the background."""
        self._background.run(lambda: state_of(self.folder), self._set_state, self.refused.emit, "state")

    def ask(self, request: Request) -> None:
        """Pause, resume, stop: `wanted` until the worker's word comes."""
        self._want(request, lambda: ask(self.folder, request))

    def start(self) -> None:
        """Start the run, or resume one that ended early, in a worker of its own."""
        self._want("start", lambda: launch(self.folder))

    def kill(self) -> None:
        """End the worker at once; what it did since its last checkpoint is lost."""
        self._want("kill", lambda: kill(self.folder))

    def _want(self, wanted: Wanted, do: Callable[[], object]) -> None:
        self.wanted, self.unheard = wanted, False
        if wanted in PATIENT:
            self._patience.start()
        self.wish.emit()
        self._background.run(do, lambda _: self._did(wanted), self._refuse, "wish")

    def _did(self, wanted: Wanted) -> None:
        """What this process does itself is done; what is asked of the worker waits for its word."""
        if wanted not in PATIENT:
            self._fulfil()
        self.look()

    def _refuse(self, sentence: str) -> None:
        self._fulfil()
        self.refused.emit(sentence)

    def _lose_patience(self) -> None:
        self.unheard = True
        self.wish.emit()

    def _fulfil(self) -> None:
        self._patience.stop()
        if self.wanted or self.unheard:
            self.wanted, self.unheard = None, False
            self.wish.emit()

    def _set_state(self, state: RunState) -> None:
        if state == self.state:
            return
        self.state = state
        if not state.alive and self.wanted in PATIENT:
            self._fulfil()
        self.state_changed.emit(state)

    def _read(self) -> None:
        """Take what is new; while much is, some milliseconds at a time."""
        until = time.perf_counter() + BUDGET_S
        while events := self._tail.new_events(PORTION_BYTES):
            for event in events:
                self._take(event)
            if time.perf_counter() >= until:
                self._reading.setInterval(BEHIND_MS)
                return
        if not self.live:
            self.live = True
            self.caught_up.emit()
        alive = self.state is None or self.state.alive
        self._reading.setInterval(LIVE_MS if alive else IDLE_MS)

    def _take(self, event: AnyEvent) -> None:
        if event.seq == 0:
            self.progress = Progress()
        self.progress.fold(event)
        if self.live and isinstance(event, TELLING):
            if isinstance(event, Asked) and event.request == self.wanted:
                self._fulfil()
            self.look()
        self.happened.emit(event)
        if line := _in_words(event, self.progress):
            self.said.append(line)
            self.spoke.emit(line)
        if not self._showing.isActive():
            self._showing.start()

    def _show(self) -> None:
        self.progressed.emit(self.progress)


def _in_words(event: AnyEvent, progress: Progress) -> str:
    """An event as a line of the log; "" for those that a bar or a curve shows."""
    if isinstance(event, Stepped | Progressed):
        return ""
    words = f"failed: {event.text}\n{event.details}".rstrip() if isinstance(event, Failed) else ""
    words = words or say(event, progress)
    return f"{time.strftime('%H:%M:%S', time.localtime(event.time))}  {words}" if words else ""
