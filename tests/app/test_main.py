"""What the window does before and after itself: the crash log, uncaught errors, the first moment."""

import faulthandler
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from described import JOB
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.crash_log import CrashLog, last_words
from app.main import Faults, greet
from app.panels.problem import ProblemDialog
from app.window import MainWindow

DYING = "import os; from app.crash_log import CrashLog; log = CrashLog(); os.abort()"


@pytest.fixture
def faults(qapp: object, monkeypatch: pytest.MonkeyPatch) -> Faults:
    assert qapp
    for module in (sys, threading):
        monkeypatch.setattr(module, "excepthook", module.excepthook)
    faults = Faults()
    faults.install()
    return faults


def raise_here(text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        sys.excepthook(*sys.exc_info())


def test_an_error_that_nobody_caught_comes_as_a_sentence_with_its_trace(faults: Faults, qtbot: QtBot) -> None:
    with qtbot.waitSignal(faults.caught) as said:
        raise_here("two\n  lines")
    assert said.args[0] == "ValueError: two lines"
    assert "raise_here" in said.args[1]


def test_an_error_of_another_thread_comes_too(faults: Faults, qtbot: QtBot) -> None:
    thread = threading.Thread(target=lambda: int("no number"))
    with qtbot.waitSignal(faults.caught) as said:
        thread.start()
    thread.join()
    assert said.args[0].startswith("ValueError: invalid literal")


def test_ctrl_c_is_no_fault(faults: Faults, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(faults.caught):
        sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)


def test_a_fault_is_shown_with_its_details(quiet_window: MainWindow) -> None:
    quiet_window.tell_fault("ValueError: no", "Traceback ...")
    (dialog,) = quiet_window.findChildren(ProblemDialog)
    assert dialog.sentence.text() == "ValueError: no"
    assert "report" in dialog.remedy.text()
    assert dialog.details.toPlainText() == "Traceback ..."


def test_the_last_words_of_a_window_that_died_are_read_once(qapp: object) -> None:
    assert qapp
    assert last_words() == ""
    application = "from PySide6.QtCore import QCoreApplication as Q; Q.setApplicationName('pytest-qt-qapp'); "
    done = subprocess.run([sys.executable, "-P", "-c", application + DYING], capture_output=True, check=False)
    assert done.returncode != 0
    text = last_words()
    assert "Fatal Python error" in text, done.stderr
    assert last_words() == ""


def test_a_window_that_is_listened_to_leaves_an_empty_log(qapp: object) -> None:
    assert qapp
    was_on = faulthandler.is_enabled()
    log = CrashLog()
    try:
        assert log.path.read_text() == ""
        assert last_words() == ""
        assert log.path.exists(), "another window's start leaves it alone"
    finally:
        log.close()
        if was_on:
            faulthandler.enable(sys.__stderr__)
    assert not list(log.path.parent.glob("crash-*"))


def test_the_first_moment_tells_of_a_crash_and_opens_what_was_named(
    quiet_window: MainWindow, tmp_path: Path
) -> None:
    (tmp_path / "fields.yaml").write_text(JOB)
    greet(quiet_window, "Fatal Python error", tmp_path / "fields.yaml")
    (dialog,) = quiet_window.findChildren(ProblemDialog)
    assert "Runs went on, and edits were kept" in dialog.sentence.text()
    assert dialog.details.toPlainText() == "Fatal Python error"
    assert quiet_window.document.value("name") == "fields"


def test_without_a_path_what_was_never_saved_is_offered(
    quiet_window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, asked = quiet_window.document, list[str]()
    document.new()
    document.change("Seed", {("seed",): 7})
    document._write_swap()
    assert document._swap._lock
    document._swap._lock.release()  # as its process would that dies
    document.new()

    def question(_parent: object, _title: str, text: str) -> QMessageBox.StandardButton:
        asked.append(text)
        return QMessageBox.StandardButton.Yes

    monkeypatch.setattr(QMessageBox, "question", question)
    greet(quiet_window, "", None)
    assert len(asked) == 1
    assert document.value("seed") == 7
    assert quiet_window.pages.currentWidget() is quiet_window.desk
    assert quiet_window.findChildren(ProblemDialog) == []
