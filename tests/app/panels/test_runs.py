"""The list of runs, driven as a user drives it, over recorded runs and one at work."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot
from recorded import NAMES, at_work, run_folder

from app.edits import Document
from app.history import PROGRESS, STATE, History, Index
from app.panels.runs import RunsPanel
from core.events import Asked
from core.journal import Journal
from core.runs.run import take_requests
from core.runs.run_reading import RunState
from core.runs.run_state import RunSummary


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A project's runs: each recorded one, and one at work."""
    for name in NAMES:
        run_folder(name, tmp_path / "runs" / name)
    return tmp_path / "runs"


@pytest.fixture
def panel(runs: Path, qtbot: QtBot) -> Iterator[RunsPanel]:
    history = History()
    panel = RunsPanel(Document(), history)
    qtbot.addWidget(panel)
    panel.resize(1100, 400)
    panel.show()
    with at_work(runs / "busy"):
        with qtbot.waitSignal(history.listed):
            history.show_runs_of([runs])
        yield panel
        history.close()


def select(panel: RunsPanel, qtbot: QtBot, *names: str) -> None:
    """Click the rows of these runs, the second and later ones with Ctrl."""
    panel.table.clearSelection()
    for row, run in enumerate(panel._history.rows):
        if run.folder.name in names:
            where = panel.table.visualRect(panel._history.index(row, 0)).center()
            qtbot.mouseClick(
                panel.table.viewport(),
                Qt.MouseButton.LeftButton,
                Qt.KeyboardModifier.ControlModifier,
                where,
            )
    if len(names) == 1:
        follower = panel._history.follower(panel.selected()[0].folder)
        qtbot.waitUntil(lambda: follower.live and follower.state is not None)


def text(panel: RunsPanel, name: str, column: int) -> str:
    row = next(i for i, run in enumerate(panel._history.rows) if run.folder.name == name)
    return str(panel._history.index(row, column).data())


def press(box: QMessageBox | None, label: str) -> None:
    assert box is not None
    button = next(each for each in box.buttons() if each.text().replace("&", "") == label)
    button.click()


def test_each_run_is_told_in_words(panel: RunsPanel, qtbot: QtBot) -> None:
    words = {run.folder.name: text(panel, run.folder.name, STATE) for run in panel._history.rows}
    assert words == {
        "finished": "finished",
        "resumed": "finished",
        "stopped": "stopped",
        "failed": "failed",
        "died": "died",
        "busy": "running",
    }
    assert text(panel, "finished", PROGRESS) == "100%"
    qtbot.waitUntil(lambda: text(panel, "busy", PROGRESS).endswith("%"))
    qtbot.waitUntil(lambda: text(panel, "finished", 6).endswith("B"))


@pytest.mark.parametrize(
    ("name", "enabled"),
    [
        ("finished", {"Apply...", "Export...", "Slim...", "Delete..."}),
        ("stopped", {"Resume", "Delete..."}),
        ("died", {"Resume", "Delete..."}),
        ("busy", {"Pause", "Stop"}),
    ],
)
def test_only_what_makes_sense_can_be_pressed(
    panel: RunsPanel, qtbot: QtBot, name: str, enabled: set[str]
) -> None:
    select(panel, qtbot, name)
    always = {"Open folder", "Copy command"}
    found = {each.text() for each in panel.bar.actions() if each.isEnabled() and each.text()}
    assert found == enabled | always


def test_a_click_says_requested_until_the_worker_answers(panel: RunsPanel, qtbot: QtBot) -> None:
    select(panel, qtbot, "busy")
    folder = panel.selected()[0].folder
    panel.bar.controls.pause.trigger()
    assert text(panel, "busy", STATE) == "pause requested"
    qtbot.waitUntil(lambda: take_requests(folder) == ["pause"])
    writer = Journal(folder)
    writer.write(Asked(request="pause"))
    writer.close()
    qtbot.waitUntil(lambda: text(panel, "busy", STATE) == "pausing")


def test_a_run_is_deleted_after_asking(panel: RunsPanel, qtbot: QtBot) -> None:
    select(panel, qtbot, "stopped")
    folder = panel.selected()[0].folder
    qtbot.keyClick(panel.table, Qt.Key.Key_Delete)
    press(panel.bar.question, "Cancel")
    assert folder.exists()
    qtbot.keyClick(panel.table, Qt.Key.Key_Delete)
    press(panel.bar.question, "Delete")
    qtbot.waitUntil(lambda: len(panel._history.rows) == 5)
    assert not folder.exists()


def test_dropping_checkpoints_keeps_the_maps(panel: RunsPanel, qtbot: QtBot) -> None:
    select(panel, qtbot, "finished")
    folder = panel.selected()[0].folder
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "000001.pt").write_bytes(b"0" * 10_000_000)
    panel._history.forget_sizes([folder])
    qtbot.waitUntil(lambda: text(panel, "finished", 6).endswith("MB"))
    panel.bar.drop.trigger()
    press(panel.bar.question, "Drop")
    qtbot.waitUntil(lambda: text(panel, "finished", 6).endswith("kB"))
    assert list((folder / "maps").glob("*.class.tif"))


def test_two_runs_can_be_compared_and_one_applied(panel: RunsPanel, qtbot: QtBot) -> None:
    select(panel, qtbot, "finished", "resumed")
    with qtbot.waitSignal(panel.bar.compare_requested) as said:
        panel.bar.compare.trigger()
    assert {folder.name for folder in said.args} == {"finished", "resumed"}
    select(panel, qtbot, "finished")
    with qtbot.waitSignal(panel.bar.apply_requested) as said:
        panel.bar.apply.trigger()
    assert said.args[0].name == "finished"


def test_a_run_is_copied_as_the_command_that_does_the_same(panel: RunsPanel, qtbot: QtBot) -> None:
    select(panel, qtbot, "stopped")
    panel.bar.copy.trigger()
    assert QGuiApplication.clipboard().text() == f"isthmus run {panel.selected()[0].folder}"
    select(panel, qtbot, "finished")
    panel.bar.copy.trigger()
    folder = panel.selected()[0].folder
    assert QGuiApplication.clipboard().text() == f"isthmus run {folder}/job.yaml --to {folder}-again"


def test_a_selected_run_stays_selected_when_another_comes(panel: RunsPanel, qtbot: QtBot, runs: Path) -> None:
    select(panel, qtbot, "stopped")
    run_folder("finished", runs / "another")
    panel._history.refresh()
    qtbot.waitUntil(lambda: len(panel._history.rows) == 7)
    assert [run.folder.name for run in panel.selected()] == ["stopped"]


def test_enter_opens_a_run(panel: RunsPanel, qtbot: QtBot) -> None:
    select(panel, qtbot, "finished")
    panel.table.setFocus()
    with qtbot.waitSignal(panel.opened) as said:
        qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert said.args[0].name == "finished"


def test_a_project_without_runs_says_what_to_do(tmp_path: Path, qtbot: QtBot) -> None:
    history = History()
    panel = RunsPanel(Document(), history)
    qtbot.addWidget(panel)
    panel.show()
    with qtbot.waitSignal(history.listed):
        history.show_runs_of([tmp_path])
    assert panel.hint.isVisible()
    assert "Start" in panel.hint.text()
    history.close()


def test_a_change_in_one_row_of_many_reads_those_in_sight_alone(qtbot: QtBot) -> None:
    """A live run's row changes ten times a second: columns must not be fitted to all rows each time."""
    read: set[int] = set()

    class Watched(History):
        def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
            read.add(index.row())
            return super().data(index, role)

    history, done = Watched(), RunState("done", "is finished")
    panel = RunsPanel(Document(), history)
    qtbot.addWidget(panel)
    panel.resize(700, 500)
    panel.show()
    history._set([RunSummary(Path(f"run-{i}"), f"run {i}", "combined", 0, done, 0.0) for i in range(500)])
    qtbot.wait(50)
    read.clear()
    history.dataChanged.emit(history.index(0, STATE), history.index(0, PROGRESS))
    qtbot.wait(50)
    assert 0 in read
    assert len(read) < 50
