"""Records the journals beside it, by real runs of a tiny job: python tests/journals/record.py

To be run again when the events change. Views are tested with them: what they show is what an engine said.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent)]

from engines import draw, job_for  # noqa: E402  # the tests' helpers, found by the line above

from core.errors import BadInput, Stopped  # noqa: E402
from core.events import AnyEvent, Asked, Stepped  # noqa: E402
from core.execution import training  # noqa: E402
from core.execution.execute import execute  # noqa: E402
from core.journal import NAME, read  # noqa: E402
from core.judging import signals  # noqa: E402
from core.runs.run import Run, ask, ask_preview, create, open_run  # noqa: E402
from geo_io.grid import Box  # noqa: E402

STEPS = 60


def main() -> None:
    signals.CROPS, training.EVENTS_A_SECOND = 4, 1000
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        draw(folder)
        job = job_for(
            folder,
            "combined",
            schedule={"steps": STEPS, "checkpoint_every": 20, "evaluate_every": 10, "lr": 3e-3},
        )
        for name, record in RECORDINGS.items():
            run = create(job, folder / name)
            record(run)
            text = (run.folder / NAME).read_text().replace(str(folder), "places")
            (HERE / f"{name}.jsonl").write_text(text)
        shutil.copy(folder / "job.yaml", HERE / "job.yaml")


def finished(run: Run) -> None:
    """With a preview of a window of the target from the tenth step on."""
    for event in execute(run):
        if isinstance(event, Stepped) and event.step == 10 and event.phase == "source":
            ask_preview(run.folder, 0, Box(8, 8, 64, 64), every_steps=15)
            _until_heard(run)


def stopped(run: Run) -> None:
    """Paused, resumed, then stopped, all while it adapts."""
    wanted: Iterator[Any] = iter(("pause", "resume", "stop"))
    try:
        for event in execute(run):
            if event.kind == "paused" or (_adapting(event) and event.step in (8, 16)):
                ask(run.folder, next(wanted))
                _until_heard(run)
    except Stopped:
        return
    raise AssertionError("the run was to be stopped")


def failed(run: Run) -> None:
    """The disk is taken away while the maps are made: a file stands where their folder is to be."""
    try:
        for event in execute(run):
            if event.kind == "evaluated" and event.what == "verdict":
                run.maps.write_text("in the way")
    except BadInput:
        return
    raise AssertionError("the run was to fail")


def died(run: Run) -> None:
    """Killed in the middle of writing a line."""
    _die(run)


def resumed(run: Run) -> None:
    """Killed likewise, then run again to its end."""
    _die(run)
    for _ in execute(open_run(run.folder)):
        pass


def _die(run: Run) -> None:
    worker = execute(run)
    for event in worker:
        if _adapting(event) and event.step == 25:
            break
    worker.close()  # type: ignore[attr-defined]  # execute is a generator
    with (run.folder / NAME).open("ab") as journal:
        journal.write(b'{"v":1,"seq":999,"time":1')


def _adapting(event: AnyEvent) -> bool:
    return isinstance(event, Stepped) and event.phase == "adapt"


def _until_heard(run: Run) -> None:
    before = sum(isinstance(event, Asked) for event in read(run.folder))
    while sum(isinstance(event, Asked) for event in read(run.folder)) == before:
        pass


RECORDINGS = {each.__name__: each for each in (finished, stopped, failed, died, resumed)}

if __name__ == "__main__":
    main()
