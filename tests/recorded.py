"""Run folders around the journals of tests/journals: what a view sees of a run, without an engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from pyproj import CRS
from worlds import UTM, WEST, north_up

from core.events import Evaluated, Failed, Started
from core.files import write_json
from core.journal import NAME, read
from core.runs.charge import Status, write_status
from core.runs.map_files import map_path
from core.runs.run import open_run
from geo_io.grid import Grid
from geo_io.write import write_map, write_shares

JOURNALS = Path(__file__).parent / "journals"
NAMES = ("finished", "stopped", "failed", "died", "resumed")
SIDE = 96
NOBODY = 2**31 - 1
"""A process id that no process has."""
KILLED = "the system killed the worker, for memory had run out; lower sampling.batch, and resume"
EXITS: dict[str, dict[str, Any]] = {
    "finished": {"how": "done", "text": ""},
    "resumed": {"how": "done", "text": ""},
    "stopped": {"how": "stopped", "text": ""},
    "died": {"how": "died", "text": KILLED, "out_of_memory": True},
}


def journal(name: str) -> bytes:
    return (JOURNALS / f"{name}.jsonl").read_bytes()


def run_folder(name: str, to: Path, maps: bool = True) -> Path:
    """The folder of the recorded run `name`, as its worker left it; its maps are drawn anew."""
    empty_run(to)
    (to / NAME).write_bytes(journal(name))
    scores: dict[str, Any] = {}
    for event in read(to):
        if isinstance(event, Failed):
            write_json(to / "exit.json", {"how": "failed", "text": event.text})
        if isinstance(event, Evaluated) and event.what == "verdict":
            write_json(to / "verdict.json", event.scores)
        if isinstance(event, Evaluated) and event.what.endswith(" map"):
            scores[event.what.removesuffix(" map")] = event.scores
    if name in EXITS:
        write_json(to / "exit.json", EXITS[name])
    if scores:
        write_json(to / "scores.json", scores)
        if maps:
            draw_maps(to)
    return to


def empty_run(to: Path) -> Path:
    """A run's folder without a journal: made, not started."""
    to.mkdir(parents=True)
    started = next(event for event in read_recorded("finished") if isinstance(event, Started))
    (to / "job.yaml").write_bytes((JOURNALS / "job.yaml").read_bytes())
    write_json(to / "record.json", {"run": started.run, "inputs": {}, "versions": {}})
    return to


@contextmanager
def at_work(to: Path, name: str = "finished", step: int = 22) -> Iterator[Path]:
    """A run in the middle of its work: its journal up to a step of the first phase, and its lock held."""
    if not to.exists():
        empty_run(to)
    lines = journal(name).splitlines(keepends=True)
    last = next(i for i, line in enumerate(lines) if f'"step":{step},"losses"'.encode() in line)
    (to / NAME).write_bytes(b"".join(lines[: last + 1]))
    write_status(to, Status("running", NOBODY, worker_pid=NOBODY))
    with FileLock(to / "lock"):
        yield to


def read_recorded(name: str) -> list[Any]:
    from core.events import parse_event

    return [event for event in map(parse_event, journal(name).splitlines()) if event]


def draw_maps(run: Path) -> None:
    """Stripes of the three classes: adapted moves a fifth of the first one to the second."""
    names = open_run(run).job.legend.names
    grid = Grid(CRS(UTM).to_wkt(), north_up(1.0, WEST), SIDE, SIDE)
    before = np.repeat(np.arange(3, dtype=np.uint8), SIDE // 3)[None].repeat(SIDE, 0)
    after = before.copy()
    after[: SIDE // 5, : SIDE // 3] = 1
    after[-4:] = 255
    for which, ids in (("source-only", before), ("adapted", after), ("chosen", after)):
        colors = [(0, 0, 255), (0, 255, 0), (255, 0, 0)]
        write_map(map_path(run, which, "target"), grid, [ids], colors=colors, names=names, tags={})
        sure, to = np.full_like(ids, 200), map_path(run, which, "target", "confidence")
        write_shares(to, grid, [[sure]], names=["confidence"], scale=1 / 254, tags={})
