"""`events.jsonl`: a run's events, appended by its worker, followed by whoever watches."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from core.errors import BadInput
from core.events import AnyEvent, Ended, Failed, parse_event
from geo_io.whole_file import writing

NAME = "events.jsonl"


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


def read(folder: Path) -> Iterator[AnyEvent]:
    """The events so far, complete lines only."""
    return follow(folder, waiting=lambda: False)


def follow(
    folder: Path, waiting: Callable[[], bool] = lambda: True, every_s: float = 0.25
) -> Iterator[AnyEvent]:
    """The events so far, then each new one as it is written.

    Ends after the last event of an ended run, or when `waiting()` says no longer to wait. Raises
    BadInput where there is no journal.
    """
    path = folder / NAME
    if not path.exists():
        raise BadInput(folder, "holds no journal of a run", "name a run's folder, such as runs/NAME")
    with path.open("rb") as file:
        rest, over = b"", False
        while True:
            chunk = file.read()
            if not chunk:
                if over or not waiting():
                    return
                time.sleep(every_s)
                continue
            *lines, rest = (rest + chunk).split(b"\n")
            for event in map(parse_event, lines):
                if event is None:
                    continue
                yield event
                over = isinstance(event, Ended | Failed)
