"""Settings chosen in the dialog are kept, or not."""

import sys
import threading
from pathlib import Path

import pytest
from described import unnamed
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app import command
from app.panels.settings import SettingsDialog
from app.preferences import Preferences


@pytest.fixture
def dialog(qtbot: QtBot) -> SettingsDialog:
    return shown(qtbot)


def shown(qtbot: QtBot) -> SettingsDialog:
    found = SettingsDialog(["cpu", "cuda:0"])
    qtbot.addWidget(found)
    found.show()
    return found


def test_what_is_chosen_is_kept_and_shown_again(dialog: SettingsDialog, qtbot: QtBot, tmp_path: Path) -> None:
    qtbot.keyClick(dialog.theme, Qt.Key.Key_End)
    qtbot.keyClick(dialog.device, Qt.Key.Key_End)
    qtbot.keyClick(dialog.checkpoints, Qt.Key.Key_End)
    qtbot.keyClick(dialog.notifications, Qt.Key.Key_Space)
    dialog.cache.setValue(1024)
    qtbot.keyClicks(dialog.weights, str(tmp_path))
    qtbot.waitUntil(dialog._ok.isEnabled)
    with qtbot.waitSignal(dialog.applied):
        qtbot.mouseClick(dialog._ok, Qt.MouseButton.LeftButton)
    kept = Preferences()
    assert (kept.theme, kept.device, kept.checkpoints, kept.notifications) == (
        "dark",
        "cuda:0",
        "delete",
        False,
    )
    assert (kept.tile_cache_mib, kept.weights_folder) == (1024, tmp_path)
    again = shown(qtbot)
    assert again.theme.currentText() == "Dark"
    assert again.weights.text() == str(tmp_path)
    assert not again.notifications.isChecked()


def test_a_cancelled_dialog_changes_nothing(dialog: SettingsDialog, qtbot: QtBot) -> None:
    qtbot.keyClick(dialog.theme, Qt.Key.Key_End)
    with qtbot.assertNotEmitted(dialog.applied):
        dialog.reject()
    assert Preferences().theme == "system"


def test_the_weights_folder_is_judged_at_once(dialog: SettingsDialog, qtbot: QtBot, tmp_path: Path) -> None:
    assert not dialog.found.isVisible()
    qtbot.keyClicks(dialog.weights, str(tmp_path / "nowhere"))
    qtbot.waitUntil(lambda: "no folder" in dialog.found.text())
    assert not dialog._ok.isEnabled()
    dialog.weights.setText(str(tmp_path))
    qtbot.waitUntil(lambda: "no weights yet" in dialog.found.text())
    (tmp_path / "resnet18.safetensors").touch()
    dialog.weights.setText(f"{tmp_path}/")
    qtbot.waitUntil(lambda: dialog.found.text() == "Holds weights of resnet18.")
    assert dialog._ok.isEnabled()


def test_a_disk_that_does_not_answer_holds_nothing_up(
    dialog: SettingsDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()
    monkeypatch.setattr(Path, "is_dir", lambda _: answer.wait(10) and False)
    dialog.weights.setText("/dead/weights")
    assert dialog.found.text() == "Looking at the folder..."
    assert not dialog._ok.isEnabled()
    dialog.weights.clear()
    assert dialog._ok.isEnabled()
    assert not answer.is_set()
    answer.set()


def test_a_folder_is_chosen_in_the_dialog(
    dialog: SettingsDialog, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    qtbot.mouseClick(dialog.browse, Qt.MouseButton.LeftButton)
    assert dialog.weights.text() == str(tmp_path)


def test_a_download_ends_with_the_dialog(
    dialog: SettingsDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PROGRAM", (sys.executable, "-c", "import time; time.sleep(60)"))
    dialog.download.button.click()
    with qtbot.waitSignal(dialog.download.engine.ended) as said:
        dialog.reject()
    assert said.args[0] == "stopped"


def test_a_device_that_is_gone_stays_chosen(qtbot: QtBot) -> None:
    Preferences().device = "cuda:5"
    assert shown(qtbot).device.currentData() == "cuda:5"


def test_every_control_is_named(dialog: SettingsDialog) -> None:
    assert unnamed(dialog) == []
