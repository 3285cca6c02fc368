"""Requests to a working run, heard within a second however long a step takes."""

import threading
from contextlib import suppress
from typing import Literal

from core.errors import BadInput, RunFailed
from core.events import Asked
from core.journal import Journal
from core.runs.run import Request, Run, View, take_requests, take_view

EVERY_S = 0.2


class Control:
    """Listens to the run's `control/` folder in a thread; the worker looks between steps.

    Without a journal it hears nothing: the other devices of a run do as the first one says. `view` is
    the window to preview, and `looked` is set when it was asked for anew.
    """

    def __init__(self, run: Run, journal: Journal | None) -> None:
        self.stop, self.checkpoint = threading.Event(), threading.Event()
        self.running, self.looked = threading.Event(), threading.Event()
        self.running.set()
        self.view = View()
        self._run, self._journal, self._closed = run, journal, threading.Event()
        self._thread = threading.Thread(target=self._listen, name="control", daemon=True)
        if journal:
            self._thread.start()

    def close(self) -> None:
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _listen(self) -> None:
        while not self._closed.wait(EVERY_S):
            self._look()
            for request in take_requests(self._run.folder):
                if request == "pause":
                    self.running.clear()
                if request in ("resume", "stop"):
                    self.running.set()
                if request == "stop":
                    self.stop.set()
                if request in ("checkpoint", "pause", "stop"):
                    self.checkpoint.set()
                self._tell(request)

    def _look(self) -> None:
        """Take over the view that was asked for last; one that stays the same is worth no event."""
        view = take_view(self._run.folder)
        if view is None:
            return
        if view != self.view:
            self._tell("preview")
        self.view = view
        self.looked.set()

    def _tell(self, request: Request | Literal["preview"]) -> None:
        """Best effort: who listens goes on listening on a full disk."""
        assert self._journal
        with suppress(BadInput, RunFailed):
            self._journal.write(Asked(request=request))
