"""The menus: each command does what its button does, and no more often."""

from pathlib import Path

import pytest
from described import described, ready
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.menus import Menus
from app.panels.shortcuts import gestures, shortcuts
from app.window import MainWindow


@pytest.fixture
def window(quiet_window: MainWindow, tmp_path: Path) -> MainWindow:
    """On a project that nothing is missing from."""
    Menus(quiet_window)
    quiet_window.engine.described.emit(described())
    ready(tmp_path)
    quiet_window.open_path(tmp_path / "fields.yaml")
    quiet_window.method.check()
    return quiet_window


def command(window: MainWindow, text: str) -> QAction:
    menus = [action.menu() for action in window.menuBar().actions()]
    found = [each for menu in menus if isinstance(menu, QMenu) for each in menu.actions()]
    (only,) = [each for each in found if each.text().replace("&", "") == text]
    return only


def test_start_in_the_menu_is_off_with_the_button_and_says_why(window: MainWindow, qtbot: QtBot) -> None:
    action, bar = command(window, "Start"), window.method.bar
    assert action.isEnabled()
    window.method.faults = ["b.tif: has no CRS; assign one"]
    assert (action.isEnabled(), bar.start.isEnabled()) == (False, False)
    for text in (action.toolTip(), action.statusTip(), bar.start.toolTip()):
        assert text == "b.tif: has no CRS; assign one"
    with qtbot.assertNotEmitted(window.method.start_requested):
        action.trigger()
    window.method.faults = []
    assert (action.isEnabled(), bar.start.isEnabled()) == (True, True)
    started: list[str] = []
    window.method.start_requested.disconnect()
    window.method.start_requested.connect(lambda: started.append("once"))
    action.trigger()
    assert started == ["once"]


def test_a_fault_of_the_last_moment_stops_a_start_from_the_menu(window: MainWindow, qtbot: QtBot) -> None:
    """It is judged a moment after an edit; Ctrl+R may be quicker."""
    window.document.change("x", {("source", "scenes"): []})
    with qtbot.assertNotEmitted(window.method.start_requested):
        command(window, "Start").trigger()
    assert not window.document.undo.isClean(), "a start saves first"


def test_an_unsaved_project_is_copied_from_nowhere(window: MainWindow) -> None:
    action, bar, board = command(window, "Copy as command"), window.method.bar, QGuiApplication.clipboard()
    action.trigger()
    assert board.text().startswith("isthmus run")
    board.setText("before")
    window.document.change("x", {("seed",): 5})
    assert (action.isEnabled(), bar.copy.isEnabled()) == (False, False)
    assert "Save the project first" in action.toolTip()
    assert action.statusTip() == bar.copy.toolTip() == action.toolTip()
    action.trigger()
    assert board.text() == "before"
    window.document.save()
    assert action.isEnabled()


def test_commands_of_a_project_wait_for_one(quiet_window: MainWindow, tmp_path: Path) -> None:
    Menus(quiet_window)
    names = ("Save", "Save as...", "Check now", "Start", "Copy as command", "Imagery")
    assert not any(command(quiet_window, name).isEnabled() for name in names)
    ready(tmp_path)
    quiet_window.open_path(tmp_path / "fields.yaml")
    for name in ("Save", "Save as...", "Check now", "Copy as command", "Imagery"):
        assert command(quiet_window, name).isEnabled(), name


def test_each_command_shows_its_step_and_each_shortcut_is_of_one_command(window: MainWindow) -> None:
    for name in window.steps.names:
        command(window, window.steps.title(name)).trigger()
        assert window.steps.current == name
    keys = [key for text, key in shortcuts(window) if (text, key) not in gestures()]
    assert {"Ctrl+R", "Ctrl+Shift+C", "F5", "Ctrl+S"} <= set(keys)
    assert sorted(keys) == sorted(set(keys))


def test_projects_opened_lately_are_in_the_menu(window: MainWindow, tmp_path: Path) -> None:
    recent = command(window, "Open recent").menu()
    assert isinstance(recent, QMenu)
    recent.aboutToShow.emit()
    assert [each.text() for each in recent.actions()] == [str(tmp_path / "fields.yaml")]
