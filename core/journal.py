"""`events.jsonl`: a run's events, appended by its worker, followed by whoever watches."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from core.errors import BadInput
from core.events import AnyEvent, parse_event
from geo_io.whole_file import writing

NAME = "events.jsonl"

CHUNK_BYTES = 2**18
"""Read at a time: some milliseconds of work, so that a window stays free."""


class Journal:
    """The writing end. One per run, safe to write from several threads."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._lock = threading.Lock()
        with writing(self._path):
            self._seq = _mend(self._path)
            self._file: IO[bytes] = self._path.open("ab")

    def write(self, event: AnyEvent) -> AnyEvent:
        """Stamp the event, append it and flush; returns it as written."""
        with self._lock:
            stamped = event.model_copy(update={"seq": self._seq, "time": round(time.time(), 3)})
            with writing(self._path):
                self._file.write(stamped.model_dump_json().encode() + b"\n")
                self._file.flush()
            self._seq += 1
        return stamped

    def close(self) -> None:
        with suppress(OSError):  # what a full disk refused is told already, and tried here again
            self._file.close()


def _mend(path: Path) -> int:
    """Cut a broken last line, left by a worker that was killed; returns the next sequence number."""
    if not path.exists():
        return 0
    whole = path.read_bytes()
    end = whole.rfind(b"\n") + 1
    if end < len(whole):
        with path.open("rb+") as file:
            file.truncate(end)
    return whole.count(b"\n", 0, end)


class Tail:
    """The reading end, which never waits: each call gives what was written since the last one.

    Only whole lines are taken, each once, so that a line which is still being written, or was broken by
    a kill and mended by the next worker, is read when it is whole. `at`: bytes read so far.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self.at = 0

    def new_events(self, most_bytes: int = CHUNK_BYTES) -> list[AnyEvent]:
        """The next events in order, of some `most_bytes` of the journal; [] where there is nothing new.

        A journal that became shorter than what was read is another one, read from its start: its first
        event has `seq` 0.
        """
        try:
            with self._path.open("rb") as file:
                if file.seek(0, os.SEEK_END) < self.at:
                    self.at = 0
                file.seek(self.at)
                chunk = file.read(most_bytes)
                if len(chunk) == most_bytes and b"\n" not in chunk:
                    chunk += file.readline()
        except OSError:
            return []
        whole = chunk[: chunk.rfind(b"\n") + 1]
        self.at += len(whole)
        return [event for event in map(parse_event, whole.splitlines()) if event]

    @property
    def unread_bytes(self) -> int:
        """How much of the journal lies ahead; of an unfinished line too."""
        try:
            return max(self._path.stat().st_size - self.at, 0)
        except OSError:
            return 0


def read(folder: Path) -> Iterator[AnyEvent]:
    """The events so far, complete lines only."""
    return follow(folder, waiting=lambda: False)


def follow(folder: Path, waiting: Callable[[], bool], every_s: float = 0.25) -> Iterator[AnyEvent]:
    """The events so far, then each new one as it is written, until `waiting()` says no longer to wait.

    A run that ended goes on when it is resumed, so that its last event is no end. Raises BadInput where
    there is no journal by then.
    """
    tail, wait = Tail(folder), True
    while True:
        before = tail.at
        yield from tail.new_events()
        if tail.at > before:
            continue
        if not wait:
            break
        wait = waiting()  # if no longer, what was written until now is read all the same
        if wait:
            time.sleep(every_s)
    if not (folder / NAME).exists():
        raise BadInput(folder, "holds no journal of a run", "name a run's folder, such as runs/NAME")
