"""What a run's folder says of it, and keeping house: no worker is needed for any of this."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from small_job import draw

from core.errors import BadInput
from core.events import AnyEvent, Asked, Ended, Failed, Paused, Resumed, Started, Stepped
from core.files import write_json, write_text
from core.journal import Journal
from core.runs import run_state
from core.runs.charge import SUPERVISOR, WORKER, Status, own_status, read_status, write_status
from core.runs.run import Run, ask, create, write_exit
from core.runs.run_reading import TAIL_BYTES
from core.runs.run_state import (
    APPLIED,
    EXPORTED,
    delete,
    drop_checkpoints,
    is_run,
    kill,
    list_runs,
    require_outside_runs,
    size_bytes,
    state_of,
    tail,
)
from core.variants import plan

START = Started(run="r", method="m", seed=0, device="cpu", phases=[("adapt", 9)])
PAUSED, RESUMED = Paused(phase="adapt", step=1), Resumed(phase="adapt", step=1)
STOP, PAUSE, RESUME = (Asked(request=name) for name in ("stop", "pause", "resume"))  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create(plan(draw(tmp_path), {}).job, tmp_path / "runs" / "one")


@pytest.mark.parametrize("inside", [".", "maps", "maps/north", "phases", "new"])
def test_what_a_run_has_made_is_not_mixed_with(run: Run, inside: str) -> None:
    with pytest.raises(BadInput, match="lies in the folder of the run one"):
        require_outside_runs(run.folder / inside)


def test_beside_it_there_is_room_for_what_is_made_of_it_later(run: Run) -> None:
    for folder in (EXPORTED, f"{APPLIED}/here", "../another"):
        require_outside_runs(run.folder / folder)


def journal(run: Run, *events: AnyEvent) -> None:
    writer = Journal(run.folder)
    for event in events:
        writer.write(event)
    writer.close()


def step(number: int) -> Stepped:
    return Stepped(phase="adapt", step=number, losses={"supervised": 0.25})


@contextmanager
def at_work(run: Run, status: Status | None = None) -> Iterator[None]:
    """As if a supervised worker held the run."""
    with FileLock(run.folder / WORKER), FileLock(run.folder / SUPERVISOR):
        write_status(run.folder, status or Status("running", os.getpid(), os.getpid()))
        yield


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], "starting"),
        ([START], "running"),
        ([START, step(1), PAUSE], "pausing"),
        ([START, step(1), PAUSE, step(2), PAUSED], "paused"),
        ([START, PAUSE, PAUSED, RESUME], "running"),
        ([START, PAUSE, PAUSED, RESUME, RESUMED, step(3)], "running"),
        ([START, PAUSE, RESUME, step(3)], "running"),
        ([START, step(1), STOP, step(2)], "stopping"),
        ([START, PAUSE, PAUSED, STOP], "stopping"),
        ([START, STOP, Ended(how="stopped")], "starting"),
        ([START, STOP, Ended(how="stopped"), START, step(2)], "running"),
        ([START, Failed(text="no disk")], "starting"),
    ],
)
def test_a_living_run_does_what_its_journal_says(run: Run, events: list[AnyEvent], expected: str) -> None:
    if events:
        journal(run, *events)
    with at_work(run):
        assert state_of(run.folder).status == expected
        assert state_of(run.folder).alive
        assert state_of(run.folder).can_kill


def test_what_an_earlier_worker_said_is_past(run: Run) -> None:
    """It was killed while it paused; the next one has not said anything yet."""
    journal(run, START, PAUSE, PAUSED)
    with at_work(run, Status("running", 1, 1, since=time.time() + 1)):
        assert state_of(run.folder).status == "starting"


def test_a_request_shows_before_the_worker_has_heard_it(run: Run) -> None:
    journal(run, START, step(1))
    with at_work(run):
        for request, expected in (("pause", "pausing"), ("stop", "stopping")):
            ask(run.folder, request)  # type: ignore[arg-type]  # one of them
            assert state_of(run.folder).status == expected
        assert not state_of(run.folder).can_stop
    with at_work(run):
        (run.folder / "control" / "stop").unlink()
        assert state_of(run.folder).can_resume


@pytest.mark.parametrize(
    ("how", "expected", "can_start"),
    [
        ("done", "done", False),
        ("stopped", "stopped", True),
        ("failed", "failed", True),
        ("died", "died", True),
    ],
)
def test_an_ended_run_is_what_it_says(run: Run, how: str, expected: str, can_start: bool) -> None:
    write_exit(run, how, "because", out_of_memory=how == "died")
    state = state_of(run.folder)
    assert (state.status, state.can_start) == (expected, can_start)
    assert not state.alive
    assert not any((state.can_stop, state.can_pause, state.can_resume, state.can_kill))
    assert state.out_of_memory == (how == "died")
    assert state.sentence == ("is finished" if how == "done" else "because")


def test_a_run_without_a_word_is_new_or_lost(run: Run) -> None:
    assert state_of(run.folder).status == "new"
    write_status(run.folder, Status("running", 1, 2))
    assert state_of(run.folder).status == "lost"
    (run.folder / "status.json").unlink()
    journal(run, START)
    assert state_of(run.folder).status == "lost"
    assert state_of(run.folder).can_start


def test_a_launch_counts_as_alive_until_it_should_have_shown(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_exit(run, "stopped")
    write_status(run.folder, Status("starting", 0))
    assert state_of(run.folder).status == "starting"
    now = time.time()
    monkeypatch.setattr("core.runs.charge.time.time", lambda: now + 60)
    assert state_of(run.folder).status == "stopped"


def test_a_run_of_another_machine_is_alive_while_its_heart_beats(run: Run) -> None:
    journal(run, START)
    elsewhere = {"state": "running", "pid": 1, "worker_pid": 2, "beat": time.time(), "host": "elsewhere"}
    write_json(run.folder / "status.json", elsewhere)
    assert state_of(run.folder).alive
    assert not state_of(run.folder).can_kill
    write_json(run.folder / "status.json", elsewhere | {"beat": time.time() - 60})
    assert state_of(run.folder).status == "lost"


def test_a_damaged_status_or_journal_is_no_obstacle(run: Run) -> None:
    journal(run, START)
    with (run.folder / "events.jsonl").open("ab") as file:
        file.write(b'{"kind":"paused", broken\n{"kind":"paus')
    with at_work(run):
        write_text(run.folder / "status.json", "[1]")
        assert read_status(run.folder) is None
        assert state_of(run.folder).status == "running"
    write_text(run.folder / "exit.json", "[]")
    assert state_of(run.folder).status == "lost"


def test_a_long_journal_is_read_from_its_end(run: Run) -> None:
    line = step(1).model_dump_json().encode() + b"\n"
    with (run.folder / "events.jsonl").open("wb") as file:
        file.write(Asked(request="stop").model_dump_json().encode() + b"\n")
        file.write(line * (2 * TAIL_BYTES // len(line)))
        file.write(PAUSED.model_dump_json().encode() + b"\n")
    assert len(tail(run.folder / "events.jsonl")) == TAIL_BYTES
    with at_work(run):
        assert state_of(run.folder).status == "paused"


def test_runs_are_listed_newest_first_with_what_decides_them(run: Run, tmp_path: Path) -> None:
    settings = {"seed": 4, "method.name": "advent"}
    other = create(plan(tmp_path / "job.yaml", settings).job, tmp_path / "runs" / "two")
    journal(run, START)
    os.utime(other.folder / "job.yaml", (10, 10))
    (tmp_path / "runs" / "no run").mkdir()
    found = list_runs([tmp_path / "runs", run.folder, tmp_path / "missing"])
    assert [(each.folder, each.name, each.method, each.seed) for each in found] == [
        (run.folder, "small", "source_only", 0),
        (other.folder, "small", "advent", 4),
    ]
    assert [each.state.status for each in found] == ["lost", "new"]
    assert found[0].started > found[1].started == 10


def test_a_size_counts_a_map_with_two_names_once(run: Run) -> None:
    before = size_bytes(run.folder)
    write_text(run.maps / "adapted" / "a.tif", "x" * 5000)
    os.link(run.maps / "adapted" / "a.tif", run.maps / "a.tif")
    assert size_bytes(run.folder) == before + 5000


def test_deleting_takes_a_run_and_nothing_else(run: Run, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not the folder of a run"):
        delete(tmp_path)
    with at_work(run), pytest.raises(BadInput, match="stop it first"):
        delete(run.folder)
    write_exit(run, "done")
    with FileLock(run.folder / WORKER), pytest.raises(BadInput, match="stop it first"):
        delete(run.folder)  # what works on a run that has ended: `isthmus verify`
    delete(run.folder)
    assert not list((tmp_path / "runs").iterdir())


def test_an_interrupted_deletion_leaves_nothing_like_a_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Path) -> None:
        raise OSError(5, "unplugged")

    monkeypatch.setattr(run_state.shutil, "rmtree", interrupted)
    with pytest.raises(BadInput, match="could not be deleted"):
        delete(run.folder)
    left = list(run.folder.parent.iterdir())
    assert len(left) == 1
    assert not is_run(left[0])
    assert not list_runs([run.folder.parent])
    monkeypatch.undo()
    other = create(run.job, run.folder)
    delete(other.folder)
    assert not list(run.folder.parent.iterdir())


def test_a_slimmed_run_keeps_its_models_and_maps(run: Run) -> None:
    kept = ["phases/adapted/weights.safetensors", "maps/a.class.tif", "cache/data.json"]
    spare = ["checkpoints/00000001.pt", "phases/source-only/snapshot/00000002.pt"]
    for name in kept + spare:
        write_text(run.folder / name, "x" * 100)
    with pytest.raises(BadInput, match="not finished"):
        drop_checkpoints(run.folder)
    write_exit(run, "done")
    assert drop_checkpoints(run.folder) == 200
    assert all((run.folder / name).exists() for name in kept)
    assert not any((run.folder / name).exists() for name in spare)


def test_only_a_worker_that_is_there_can_be_killed(run: Run) -> None:
    """A number left behind may be another process's by now."""
    write_status(run.folder, Status("running", 1, worker_pid=os.getpid()))
    with pytest.raises(BadInput, match="no worker to kill"):
        kill(run.folder)


def test_status_says_when_and_where(run: Run) -> None:
    write_status(run.folder, own_status("running", "cpu"))
    found = json.loads((run.folder / "status.json").read_text())
    assert abs(found["beat"] - time.time()) < 60
    assert found["pid"] == found["worker_pid"] == os.getpid()
