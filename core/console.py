"""A run's events on a terminal: bars with time left, plain lines when piped, JSON lines on request."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from core.events import AnyEvent, Evaluated, Progressed, Stepped
from core.progress import Progress

LINE_EVERY_S = 5.0
BAR_CHARS, MOST_WHAT_CHARS = 20, 30
QUIET = {"saved", "asked"}
IN_PERCENT = {"miou", "mf1", "accuracy", "kappa", "holdout_miou", "holdout_moved_miou"}

Show = Callable[[AnyEvent, Progress], None]


def watch(events: Iterable[AnyEvent], as_json: bool = False) -> Progress:
    """Show events as they come; returns what they came to."""
    progress = Progress()
    with _display(as_json) as show:
        for event in events:
            # Events of work outside of a run have passed no journal, which stamps the others.
            stamped = event if event.time else event.model_copy(update={"time": time.time()})
            progress.fold(stamped)
            show(stamped, progress)
    return progress


@contextmanager
def _display(as_json: bool) -> Iterator[Show]:
    if as_json:
        yield lambda event, _: print(event.model_dump_json(), flush=True)
    elif sys.stdout.isatty():
        with _bars() as show:
            yield show
    else:
        yield _Lines().show


class _Lines:
    """Every event that matters, and a line about the steps between at most every five seconds."""

    def __init__(self) -> None:
        self._next_s = 0.0

    def show(self, event: AnyEvent, progress: Progress) -> None:
        if isinstance(event, Stepped | Progressed):
            now = time.monotonic()
            if now < self._next_s:
                return
            self._next_s = now + LINE_EVERY_S
        if line := say(event, progress):
            print(line, flush=True)


@contextmanager
def _bars() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(BAR_CHARS),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Bars(*columns, console=Console(highlight=False), transient=True) as bars:
        task = bars.add_task("starting", total=None, note="")

        def show(event: AnyEvent, progress: Progress) -> None:
            if isinstance(event, Stepped | Progressed):
                bars.update(task, **_bar(event, progress, bars.console.width))
            elif line := say(event, progress):
                bars.console.print(line, markup=False)

        yield show


def _bar(event: AnyEvent, progress: Progress, width: int) -> dict[str, Any]:
    """What the bar shows: other long work while there is some, else the training.

    In `width` characters: bar, share done and time left have their place, and the losses what is over.
    """
    if progress.work:
        what, done, total = progress.work
        count = "" if isinstance(event, Progressed) and event.of_time else f"{done} of {total}"
        note = [_left(progress.work_seconds_left), count]
    else:
        what, done, total = progress.phase, progress.steps_done, progress.steps_total
        note = [_left(progress.seconds_left, "of training left"), *_losses(progress)]
    what = what if len(what) <= MOST_WHAT_CHARS else f"{what[: MOST_WHAT_CHARS - 1]}…"
    room = width - len(what) - BAR_CHARS - len("100%") - 3
    return {"description": what, "completed": done, "total": total or None, "note": _fitting(note, room)}


def _fitting(parts: list[str], room: int) -> str:
    """Time left, and of the other parts those that fit into `room` characters, up to one that does not."""
    left, *more = parts
    for part in more:
        longer = ", ".join(filter(None, (left, part)))
        if len(longer) > room:
            break
        left = longer
    return left


def say(event: AnyEvent, progress: Progress) -> str:
    """An event in one line of words; empty for those that nobody waits for."""
    if event.kind in QUIET or (isinstance(event, Evaluated) and event.step is not None):
        return ""
    speak: dict[str, Callable[[Any], str]] = {
        "started": lambda e: f"run {e.run}: {e.method}, seed {e.seed}, on {e.device}",
        "phased": lambda e: f"{e.phase}: {e.steps} steps" + (f", from step {e.step}" if e.step else ""),
        "stepped": lambda _: _step_line(progress),
        "progressed": lambda e: _work_line(e, progress),
        "evaluated": _score_line,
        "pictured": lambda e: f"{e.what}: {e.path}",
        "noted": lambda e: e.text,
        "warned": lambda e: f"warning: {e.text}",
        "paused": lambda e: f"paused in {e.phase} at step {e.step}; `isthmus resume` goes on",
        "resumed": lambda e: f"goes on in {e.phase} from step {e.step}",
        "ended": lambda e: e.how,
    }
    return speak.get(event.kind, lambda _: "")(event)


def _step_line(progress: Progress) -> str:
    step = f"{progress.phase} {progress.step} ({progress.steps_done} of {progress.steps_total})"
    left = _left(progress.seconds_left, "of training left")
    return ", ".join(filter(None, (step, *_losses(progress), left)))


def _work_line(event: Progressed, progress: Progress) -> str:
    share = f"{event.done / max(event.total, 1):.0%}"
    done = f"{event.what}: {share if event.of_time else f'{event.done} of {event.total}'}"
    return ", ".join(filter(None, (done, _left(progress.work_seconds_left))))


def _score_line(event: Evaluated) -> str:
    numbers = {name: value for name, value in event.scores.items() if isinstance(value, float)}
    return f"{event.what}: " + ", ".join(_score(name, value) for name, value in numbers.items())


def _score(name: str, value: float) -> str:
    """Scores of a map in percent, as `evaluate` prints them; other measures as they are."""
    return f"{name} {100 * value:.1f} %" if name in IN_PERCENT else f"{name} {value:.3f}"


def _losses(progress: Progress) -> list[str]:
    return [f"{name} {value:.3f}" for name, value in progress.losses.items()]


def _left(seconds: float | None, of_what: str = "left") -> str:
    return "" if seconds is None else f"{duration(seconds)} {of_what}"


def duration(seconds: float) -> str:
    """Seconds as a person says them: 40 s, 3 min, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
