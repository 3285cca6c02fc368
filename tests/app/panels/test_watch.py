"""Watching a run: recorded endings in words, a live one step by step, requests and the preview's controls."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot
from recorded import at_work, journal, run_folder

from app import following
from app.following import Follower
from app.panels.watch import WatchPanel
from core.events import Progressed, Warned
from core.journal import NAME, Journal


@pytest.fixture
def panel(qtbot: QtBot) -> WatchPanel:
    made = WatchPanel()
    qtbot.addWidget(made)
    made.resize(500, 600)
    made.show()
    return made


@pytest.fixture
def watch(panel: WatchPanel, qtbot: QtBot) -> Iterator[object]:
    followers = []

    def begin(folder: Path) -> Follower:
        followers.append(Follower(folder))
        panel.show_run(followers[-1])
        with qtbot.waitSignals([followers[-1].caught_up, followers[-1].state_changed]):
            pass
        return followers[-1]

    yield begin
    panel.show_run(None)
    for each in followers:
        each.close()


@pytest.mark.parametrize(
    ("name", "word", "sentence", "can_resume"),
    [
        ("finished", "finished", "The run is finished.", False),
        ("stopped", "stopped", "goes on from its last checkpoint", True),
        ("failed", "failed", "What to do: choose another folder", True),
        ("died", "died", "The system killed the worker, for memory had run out. What to do: lower", True),
    ],
)
def test_an_ending_is_told_in_words(
    panel: WatchPanel, watch, tmp_path: Path, name: str, word: str, sentence: str, can_resume: bool
) -> None:
    watch(run_folder(name, tmp_path / "run"))
    assert panel.status.text() == f"run · {word}"
    assert sentence in panel.sentence.text()
    assert panel.controls.start.isEnabled() == can_resume
    assert not panel.preview.isEnabled()


def test_a_live_run_shows_its_step_its_work_and_its_warnings(
    panel: WatchPanel, watch, tmp_path: Path, qtbot: QtBot
) -> None:
    with at_work(tmp_path / "run") as folder:
        watch(folder)
        qtbot.waitUntil(lambda: "step 22 of 60; 22 of 90 in all" in panel.phase.text())
        assert panel.bar.text() == "24% of the training"
        assert panel.left.text().endswith(" of training left")
        writer = Journal(folder)
        writer.write(Warned(text="labels.tif: 3 values belong to no class; map them"))
        writer.write(Progressed(what="map target", done=15, total=60))
        time.sleep(0.1)
        writer.write(Progressed(what="map target", done=30, total=60))
        writer.close()
        qtbot.waitUntil(lambda: panel.bar.text() == "map target: 30 of 60")
        assert panel.left.text() == "0 s left", "of the map"
        assert panel.bar.value() == 500
        assert panel.warnings.text() == "Warning: labels.tif: 3 values belong to no class; map them"


def test_the_log_unfolds_and_holds_what_was_said_before(
    panel: WatchPanel, watch, tmp_path: Path, qtbot: QtBot
) -> None:
    follower = watch(run_folder("stopped", tmp_path / "run"))
    assert not panel.log.isVisible()
    qtbot.mouseClick(panel.unfold, Qt.MouseButton.LeftButton)
    assert panel.log.isVisible()
    assert "paused in adapt at step 8" in panel.log.toPlainText()
    shown = panel.log.toPlainText()
    panel.show_run(None)
    assert panel.log.toPlainText() == ""
    panel.show_run(follower)
    assert panel.log.toPlainText() == shown


def test_buttons_ask_the_run_and_say_so_at_once(
    panel: WatchPanel, watch, tmp_path: Path, qtbot: QtBot
) -> None:
    with at_work(tmp_path / "run") as folder:
        watch(folder)
        panel.controls.pause.trigger()
        assert panel.status.text().endswith("pause requested")
        qtbot.waitUntil((folder / "control" / "pause").exists)
        with (folder / NAME).open("ab") as file:
            lines = journal("stopped").splitlines(keepends=True)
            file.writelines(line for line in lines if b'"asked"' in line and b'"pause"' in line)
        qtbot.waitUntil(lambda: "requested" not in panel.status.text())


def test_a_worker_that_does_not_answer_can_be_killed_after_asking(
    panel: WatchPanel, watch, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "UNHEARD_MS", 50)
    killed: list[Path] = []
    monkeypatch.setattr(following, "kill", killed.append)
    with at_work(tmp_path / "run") as folder:
        watch(folder)
        assert not panel.controls.kill.isEnabled()
        panel.controls.stop.trigger()
        qtbot.waitUntil(lambda: "has not answered" in panel.sentence.text())
        panel.controls.kill.trigger()
        box = panel.controls.question
        assert isinstance(box, QMessageBox)
        assert not killed
        next(each for each in box.buttons() if each.text() == "Kill").click()
        qtbot.waitUntil(lambda: killed == [folder])


def test_preview_settings_go_out_by_signal(panel: WatchPanel, watch, tmp_path: Path, qtbot: QtBot) -> None:
    with at_work(tmp_path / "run") as folder:
        watch(folder)
        with qtbot.waitSignal(panel.preview_changed) as said:
            panel.preview.on.click()
        assert said.args == [True, 50]
        with qtbot.waitSignal(panel.preview_changed) as said:
            panel.preview.every.setValue(20)
        assert said.args == [True, 20]
        with qtbot.waitSignal(panel.layer_changed) as said:
            qtbot.keyClicks(panel.preview.layer, "pseudo")
        assert said.args == ["pseudo"]


def test_without_a_run_it_says_what_to_do(panel: WatchPanel) -> None:
    assert "Start" in panel.sentence.text()
    assert not any(action.isEnabled() for action in panel.controls.actions)
