"""A run in the foreground: watched, stopped by Ctrl-C at a safe place, gone where its input was bad."""

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from core.console import watch
from core.errors import BadInput, RunFailed
from core.runs.charge import STATUS, in_charge, own_status, write_status
from core.runs.run import Run, ask, take_requests
from core.runs.run_queue import device_of, in_line
from core.variants import Planned, begin


def finish(planned: Planned, as_json: bool = False, quiet: bool = False) -> bool:
    """Begin or resume a run and see it through; False where it was finished already."""
    made = _make(planned.folder)
    with _leaving_nothing(made, BadInput, RunFailed):
        work = begin(planned)
    if work.done:
        return False
    from core.execution.execute import execute

    with _leaving_nothing(made, BadInput), _in_charge(work), stopping_safely(work):
        if quiet:
            for _ in execute(work):
                pass
        else:
            watch(execute(work), as_json)
    return True


@contextlib.contextmanager
def _leaving_nothing(made: list[Path], *faults: type[Exception]) -> Iterator[None]:
    """What fails before anything is learnt leaves no run behind."""
    try:
        yield
    except faults:
        if made and not any(path for room in ("checkpoints", "phases") for path in made[0].glob(f"{room}/*")):
            shutil.rmtree(made[0], ignore_errors=True)
            _remove_empty(made[1:])
        raise


def _make(folder: Path) -> list[Path]:
    """Make a new run's folder; returns what was made, innermost first, and nothing if it was there already.

    Only what this process made is its own to remove: another may work beside it, or on the same job.
    """
    made: list[Path] = []
    try:
        for path in reversed([folder, *folder.parents]):
            if not path.is_dir():
                path.mkdir()
                made.insert(0, path)
    except OSError as fault:
        _remove_empty(made)
        problem = f"cannot be made ({fault.strerror})"
        raise BadInput(folder, problem, "choose another folder with --to, or try again") from None
    return made


def _remove_empty(folders: list[Path]) -> None:
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


@contextlib.contextmanager
def _in_charge(work: Run) -> Iterator[None]:
    """Be one's own supervisor: what is started in a terminal begins at once, and background runs wait for it.

    Of several devices the first one's process is in charge.
    """
    if os.environ.get("RANK", "0") != "0":
        yield
        return
    device = device_of(work.job.schedule.device)
    with in_charge(work.folder), contextlib.ExitStack() as line:
        take_requests(work.folder)  # what was asked of an earlier worker is void
        write_status(work.folder, own_status("running", device))
        with contextlib.suppress(BadInput, RunFailed, OSError):  # no place for tickets must not hinder it
            line.enter_context(in_line(work.folder, device, at_once=True))
        try:
            yield
        finally:
            (work.folder / STATUS).unlink(missing_ok=True)


@contextlib.contextmanager
def stopping_safely(work: Run) -> Iterator[None]:
    """Ctrl-C asks the run to stop at a safe place; a second one does not wait for it."""

    def on_signal(number: int, _: object) -> None:
        signal.signal(number, before[signal.Signals(number)])
        print("stopping after this step (once more: at once)", file=sys.stderr)
        ask(work.folder, "stop")

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
