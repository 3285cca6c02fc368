"""What the window learns of its runs: which ended, and what they take on disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from recorded import EXITS, at_work, run_folder

from app.history import SIZE, History
from core.files import write_json
from core.runs.run_reading import RunState


@pytest.fixture
def history(qapp: object) -> Iterator[History]:
    assert qapp
    history = History()
    yield history
    history.close()


@pytest.fixture
def told(history: History) -> list[tuple[str, str]]:
    """The runs that were told to have ended, and how."""
    found: list[tuple[str, str]] = []
    history.ended.connect(lambda follower: found.append((follower.folder.name, follower.state.status)))
    return found


def listed(history: History, qtbot: QtBot, *folders: Path) -> None:
    with qtbot.waitSignal(history.listed):
        history.show_runs_of(folders)


@pytest.mark.parametrize("left", [False, True])
def test_the_end_of_each_run_that_was_seen_at_work_is_told_once(
    history: History, told: list[tuple[str, str]], tmp_path: Path, qtbot: QtBot, left: bool
) -> None:
    run_folder("finished", tmp_path / "runs" / "finished")
    with at_work(tmp_path / "runs" / "busy") as busy, at_work(tmp_path / "runs" / "other"):
        listed(history, qtbot, tmp_path / "runs")
        if left:
            listed(history, qtbot)
            assert history.rows == []
        write_json(busy / "exit.json", EXITS["died"])
        qtbot.waitUntil(lambda: told == [("busy", "died")])
        if not left:
            listed(history, qtbot, tmp_path / "runs")
        history.follower(busy).state_changed.emit(RunState("died", "once more"))
        assert told == [("busy", "died")]


def test_a_run_that_ends_before_it_is_followed_is_told(
    history: History, told: list[tuple[str, str]], tmp_path: Path, qtbot: QtBot
) -> None:
    with at_work(tmp_path / "runs" / "busy") as busy:
        history.listed.connect(lambda: write_json(busy / "exit.json", EXITS["finished"]))
        listed(history, qtbot, tmp_path / "runs")
        qtbot.waitUntil(lambda: told == [("busy", "done")])


def test_the_size_of_a_run_is_the_one_that_it_ends_with(
    history: History, tmp_path: Path, qtbot: QtBot
) -> None:
    """A supervisor may drop the checkpoints when the run is already finished."""

    def size() -> str:
        return str(history.index(0, SIZE).data())

    with at_work(tmp_path / "runs" / "busy") as busy:
        (busy / "checkpoints").mkdir()
        (busy / "checkpoints" / "1.pt").write_bytes(b"0" * 10_000_000)
        write_json(busy / "exit.json", EXITS["finished"])
        listed(history, qtbot, tmp_path / "runs")
        qtbot.waitUntil(lambda: size().endswith("MB"))
        (busy / "checkpoints" / "1.pt").unlink()
    listed(history, qtbot, tmp_path / "runs")
    qtbot.waitUntil(lambda: size().endswith("kB"))
