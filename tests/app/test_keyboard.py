"""The whole window for whoever uses no mouse and no eyes: names, focus, and keys that are listed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import small_job
from described import described, unnamed
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTabWidget, QToolBar, QToolButton, QWidget
from pytestqt.qtbot import QtBot
from recorded import at_work, run_folder

from app.following import Follower
from app.menus import Menus
from app.panels.about import AboutDialog
from app.panels.apply import ApplyPanel
from app.panels.compare import ComparePanel
from app.panels.export import ExportDialog
from app.panels.problem import ProblemDialog
from app.panels.settings import SettingsDialog
from app.panels.shortcuts import ShortcutsDialog, shortcuts
from app.window import MainWindow
from core.judging.comparison import read_outcome


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """On a project with a finished run, all of its panels filled."""
    monkeypatch.setenv("ISTHMUS_QUEUE", str(tmp_path / "line"))
    monkeypatch.setattr("app.engine.Engine.describe", lambda _: None)
    made = MainWindow()
    made.menus = Menus(made)  # type: ignore[attr-defined]  # kept as long as the window
    qtbot.addWidget(made)
    made.checks.automatic.setChecked(False)
    made.show()
    made.open_path(small_job.draw(tmp_path))
    made.engine.described.emit(described())
    yield made
    made.close()


def test_everything_that_takes_the_focus_has_a_name(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    run = run_folder("finished", tmp_path / "runs" / "one")
    window.open_path(run)
    qtbot.waitUntil(lambda: window.runs.results.outcome is not None)
    window.runs.watching.setCurrentWidget(window.runs.curves)
    qtbot.waitUntil(lambda: window.runs.curves.picks.count() > 0)
    assert unnamed(window) == []


@pytest.mark.parametrize("name", ["settings", "about", "keys", "export", "apply", "compare", "problem"])
def test_everything_in_a_dialog_that_takes_the_focus_has_a_name(
    window: MainWindow, tmp_path: Path, name: str
) -> None:
    run = run_folder("finished", tmp_path / "one")
    made: dict[str, QWidget] = {
        "settings": SettingsDialog(["cpu"], window),
        "about": AboutDialog(window.engine, window),
        "keys": ShortcutsDialog(window),
        "export": ExportDialog(read_outcome(run), tmp_path / "out", window),
        "apply": ApplyPanel(window),
        "compare": ComparePanel(window.history, window),
        "problem": ProblemDialog("a.tif: has no CRS; assign one", "a trace", window),
    }
    assert unnamed(made[name]) == []


def test_every_key_is_listed(window: MainWindow) -> None:
    listed = shortcuts(window)
    assert any(name.startswith("Start") and keys == "Ctrl+Return" for name, keys in listed)
    assert {
        ("Check now", "F5"),
        ("Pause", "F7"),
        ("Stop", "F8"),
        ("Move the layer up", "Ctrl+Up"),
    } <= set(listed)
    assert ("Drawing: take back the last corner", "Backspace") in listed
    assert len(listed) == len(set(listed))
    assert not any(keys.startswith("Alt+") for _, keys in listed), "the letters of buttons are underlined"


def test_buttons_of_a_toolbar_are_reached_by_tab(window: MainWindow) -> None:
    for bar in (window.runs.watch.findChild(QToolBar), window.run_list.bar):
        buttons = [each for each in bar.findChildren(QToolButton) if each.defaultAction()]
        assert buttons
        assert all(each.focusPolicy() & Qt.FocusPolicy.TabFocus for each in buttons)


def test_the_watched_run_is_paused_by_a_key_whatever_page_is_shown(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    with at_work(tmp_path / "busy") as folder:
        window.open_path(folder)
        follower = window.runs.follower
        assert isinstance(follower, Follower)
        qtbot.waitUntil(window.runs.watch.controls.pause.isEnabled)
        assert isinstance(window.runs.watching, QTabWidget)
        window.runs.watching.setCurrentWidget(window.runs.curves)
        with qtbot.waitActive(window):
            window.activateWindow()
        qtbot.keyClick(window, Qt.Key.Key_F7)
        assert follower.wanted == "pause"
        window.runs.choose(None)
        qtbot.waitUntil(lambda: (folder / "control" / "pause").exists())
