"""Following a run: recorded journals, live ones, and requests that are heard or not."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from recorded import NAMES, at_work, empty_run, journal, run_folder

from app import following
from app.following import Follower
from core.events import Asked, Stepped, parse_event
from core.journal import NAME, Journal
from core.runs.run import take_requests


@pytest.fixture
def follow(qapp: object) -> Iterator[object]:
    assert qapp
    followers = []

    def begin(folder: Path) -> Follower:
        followers.append(Follower(folder))
        return followers[-1]

    yield begin
    for each in followers:
        each.close()


def lines(name: str) -> list[bytes]:
    return journal(name).splitlines(keepends=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_run_comes_to_what_it_came_to(name: str, tmp_path: Path, qtbot: QtBot, follow) -> None:
    follower = follow(run_folder(name, tmp_path / name))
    with qtbot.waitSignals([follower.caught_up, follower.state_changed]):
        pass
    status = {"finished": "done", "resumed": "done", "died": "running"}.get(name, name)
    assert follower.progress.status == status
    assert follower.state.status == {"finished": "done", "resumed": "done"}.get(name, name)
    steps = [step for step, _ in follower.progress.curves["supervised"]]
    assert steps == sorted(set(steps)), "what a resumed run did again is there once"


def test_events_come_in_order_as_they_are_written(tmp_path: Path, qtbot: QtBot, follow) -> None:
    folder = empty_run(tmp_path / "run")
    follower, seen = follow(folder), []
    follower.happened.connect(lambda event: seen.append(event.seq))
    qtbot.waitUntil(lambda: follower.live)
    half = len(lines("resumed")) // 2
    (folder / NAME).write_bytes(b"".join(lines("resumed")[:half]))
    qtbot.waitUntil(lambda: len(seen) == half)
    with (folder / NAME).open("ab") as file:
        file.write(b"".join(lines("resumed")[half:]))
    qtbot.waitUntil(lambda: len(seen) == len(lines("resumed")))
    assert seen == list(range(len(seen)))


def test_progress_is_told_less_often_than_events_come(tmp_path: Path, qtbot: QtBot, follow) -> None:
    follower, told, heard = follow(run_folder("finished", tmp_path / "run")), [], []
    follower.progressed.connect(told.append)
    follower.happened.connect(heard.append)
    qtbot.waitUntil(lambda: bool(told) and told[-1].status == "done")
    assert len(heard) > 100
    assert len(told) < 10


def test_a_long_journal_is_read_a_little_at_a_time(tmp_path: Path, qtbot: QtBot, follow, monkeypatch) -> None:
    monkeypatch.setattr(following, "BUDGET_S", 0)
    folder = empty_run(tmp_path / "run")
    writer = Journal(folder)
    for step in range(2000):
        writer.write(Stepped(phase="adapt", step=step, losses={"supervised": 1.0}))
    writer.close()
    follower, turns = follow(folder), []
    follower._reading.timeout.connect(lambda: turns.append(len(turns)))
    qtbot.waitSignal(follower.caught_up).wait()
    assert len(turns) > 10, "the event loop had its turn in between"
    assert follower.progress.step == 1999


def test_a_run_made_again_in_the_same_folder_starts_over(tmp_path: Path, qtbot: QtBot, follow) -> None:
    folder = run_folder("finished", tmp_path / "run")
    follower = follow(folder)
    qtbot.waitUntil(lambda: follower.progress.status == "done")
    (folder / NAME).write_bytes(b"".join(lines("finished")[:1]))
    qtbot.waitUntil(lambda: follower.progress.status == "running")
    assert follower.progress.curves == {}


def test_a_request_is_wanted_at_once_and_heard_when_the_worker_says_so(
    tmp_path: Path, qtbot: QtBot, follow, alive
) -> None:
    folder = alive(tmp_path / "run")
    follower = follow(folder)
    qtbot.waitUntil(lambda: follower.live and follower.state is not None)
    with qtbot.waitSignal(follower.wish, timeout=0):
        follower.ask("pause")
    assert follower.wanted == "pause"
    qtbot.waitUntil(lambda: take_requests(folder) == ["pause"])
    writer = Journal(folder)
    writer.write(Asked(request="pause"))
    writer.close()
    qtbot.waitUntil(lambda: follower.wanted is None)
    assert not follower.unheard


def test_a_request_that_nobody_hears_is_told_after_a_while(
    tmp_path: Path, qtbot: QtBot, follow, alive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "UNHEARD_MS", 50)
    follower = follow(alive(tmp_path / "run"))
    qtbot.waitUntil(lambda: follower.live and follower.state is not None)
    follower.ask("stop")
    assert not follower.unheard
    qtbot.waitUntil(lambda: follower.unheard)
    assert follower.wanted == "stop"


def test_a_request_that_cannot_be_left_is_refused_in_words(tmp_path: Path, qtbot: QtBot, follow) -> None:
    follower = follow(tmp_path / "nowhere")
    with qtbot.waitSignal(follower.refused) as said:
        follower.ask("stop")
    assert "is not the folder of a run" in said.args[0]
    assert follower.wanted is None


@pytest.fixture
def alive() -> Iterator[object]:
    """Makes a run that a worker seems to hold."""
    with ExitStack() as held:
        yield lambda folder: held.enter_context(at_work(folder))


def test_recorded_lines_are_all_understood() -> None:
    for name in NAMES:
        whole = [line for line in lines(name) if line.endswith(b"\n")]
        assert all(parse_event(line) for line in whole)
