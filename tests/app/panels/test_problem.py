"""Problems and notices, through their own buttons."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.details import keep
from app.panels.problem import NoticeBar, ProblemDialog, show_problem, split
from app.panels.said import SaidLine
from core.errors import BadInput

FAULT = BadInput("a.tif", "has no CRS", "assign one with gdal_edit")


@pytest.mark.parametrize("text", [FAULT, str(FAULT)])
def test_a_fault_is_split_into_what_is_wrong_and_what_to_try(text: str | BadInput) -> None:
    assert split(text) == ("a.tif: has no CRS", "assign one with gdal_edit")


def test_a_sentence_without_a_remedy_stays_whole() -> None:
    assert split("the worker was killed") == ("the worker was killed", "")


def test_details_unfold_and_everything_is_copied(qtbot: QtBot) -> None:
    dialog = show_problem(None, FAULT, "line 1\nline 2")
    assert dialog.sentence.text() == "a.tif: has no CRS"
    assert "gdal_edit" in dialog.remedy.text()
    assert not dialog.details.isVisible()
    qtbot.mouseClick(dialog.unfold, Qt.MouseButton.LeftButton)
    assert dialog.details.isVisible()
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == (
        "a.tif: has no CRS\n\nassign one with gdal_edit\n\nline 1\nline 2"
    )
    with qtbot.waitSignal(dialog.destroyed):
        dialog.reject()


def test_what_fails_again_and_again_is_shown_once(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    first = show_problem(window, FAULT)
    assert show_problem(window, str(FAULT)) is first
    assert show_problem(window, "another") is not first
    with qtbot.waitSignal(first.destroyed):
        first.reject()
    assert show_problem(window, FAULT).isVisible()


def test_nothing_to_unfold_shows_no_button(qtbot: QtBot) -> None:
    dialog = show_problem(None, "the worker was killed")
    assert not dialog.unfold.isVisible()
    assert not dialog.remedy.isVisible()
    with qtbot.waitSignal(dialog.destroyed):
        dialog.reject()


def test_notices_wait_in_turn_and_are_not_repeated(qtbot: QtBot) -> None:
    bar = NoticeBar()
    qtbot.addWidget(bar)
    assert not bar.isVisible()
    bar.show_notice("no overviews", action="Build them")
    bar.show_notice("disk nearly full", kind="problem")
    bar.show_notice("disk nearly full", kind="problem")
    assert bar.text.text() == "Warning: no overviews (1 more)"
    with qtbot.waitSignal(bar.acted) as acted:
        qtbot.mouseClick(bar.action, Qt.MouseButton.LeftButton)
    assert acted.args[0].text == "no overviews"
    assert bar.text.text() == "Problem: disk nearly full"
    assert not bar.action.isVisible()
    qtbot.mouseClick(bar.close_button, Qt.MouseButton.LeftButton)
    assert not bar.isVisible()


def test_details_kept_for_a_sentence_are_unfolded_and_copied(qtbot: QtBot) -> None:
    bar = NoticeBar()
    qtbot.addWidget(bar)
    bar.show_notice(keep("a.tif: cannot be read", "Traceback: the disk is gone"))
    assert bar.unfold.isVisible()
    qtbot.mouseClick(bar.unfold, Qt.MouseButton.LeftButton)
    dialog = bar.findChild(ProblemDialog)
    assert dialog is not None
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    assert "Traceback: the disk is gone" in QGuiApplication.clipboard().text()
    dialog.reject()


def test_a_line_offers_the_details_of_what_it_says(qtbot: QtBot) -> None:
    line = SaidLine("What came of it")
    qtbot.addWidget(line)
    line.show()
    line.say("3 maps are in out.")
    assert not line.unfold.isVisible()
    line.say("unknown (the engine was killed)", keep("the engine was killed", "Traceback"))
    assert line.unfold.isVisible()
    qtbot.mouseClick(line.unfold, Qt.MouseButton.LeftButton)
    dialog = line.findChild(ProblemDialog)
    assert dialog is not None
    assert dialog.details.toPlainText() == "Traceback"
    dialog.reject()


def test_a_notice_that_no_longer_holds_is_taken_back(qtbot: QtBot) -> None:
    bar = NoticeBar()
    qtbot.addWidget(bar)
    first = bar.show_notice("no overviews")
    bar.show_notice("disk nearly full")
    bar.dismiss(first)
    assert bar.notice is not None
    assert bar.notice.text == "disk nearly full"
