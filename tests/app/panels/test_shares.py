"""Class shares given in percent, as absent, or left to the engine."""

from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.panels.shares import ABSENT, AUTOMATIC, SHARE, SharesTable

CLASSES = [{"name": "water", "color": "#0000ff"}, {"name": "forest", "color": "#00ff00"}]


@pytest.fixture
def table(qtbot: QtBot) -> SharesTable:
    found = SharesTable()
    qtbot.addWidget(found)
    found.show()
    found.set_values(CLASSES, {})
    # As the panel does: what is changed comes back from the document.
    found.changed.connect(lambda shares: found.set_values(CLASSES, shares))
    return found


def choose(table: SharesTable, row: int, mode: int) -> None:
    box = table.rows[row].mode
    box.setCurrentIndex(mode)
    box.activated.emit(mode)


def test_a_share_is_typed_in_percent(table: SharesTable, qtbot: QtBot) -> None:
    said: list[Any] = []
    table.changed.connect(said.append)
    choose(table, 0, SHARE)
    line = table.rows[0].percent.box.lineEdit()
    qtbot.keyClicks(line, "0.5")
    assert said[-1] == {"water": 0.005}
    assert line.text() == "0.5"
    assert table.rows[0].mode.currentIndex() == SHARE
    assert "Given: 0.5 %" in table.total.text()


def test_absent_is_a_share_of_nothing_and_automatic_is_none(table: SharesTable) -> None:
    said: list[Any] = []
    table.changed.connect(said.append)
    choose(table, 1, ABSENT)
    choose(table, 1, AUTOMATIC)
    assert said == [{"forest": 0.0}, {}]


def test_shares_of_a_job_are_shown(table: SharesTable) -> None:
    table.set_values(CLASSES, {"water": 0.25, "forest": 0})
    assert [row.mode.currentIndex() for row in table.rows] == [SHARE, ABSENT]
    assert table.rows[0].percent.box.lineEdit().text() == "25"
    assert not table.rows[1].percent.isVisible()
    assert table.faults == []


def test_too_much_is_told(table: SharesTable) -> None:
    table.set_values(CLASSES, {"water": 0.75, "forest": 0.5})
    assert table.faults == ["Expected shares: they add up to 125 %; lower one"]
    assert table.total.text().startswith("⚠")


def test_a_wrong_share_is_told(table: SharesTable, qtbot: QtBot) -> None:
    choose(table, 0, SHARE)
    qtbot.keyClicks(table.rows[0].percent.box.lineEdit(), "120")
    assert table.faults == ["water must be at least 0, at most 100"]


def test_a_class_that_is_gone_can_be_let_go(table: SharesTable) -> None:
    table.set_values(CLASSES, {"marsh": 0.1})
    assert "marsh is not in the legend any more" in table.faults[0]
    assert table.rows[-1].label.text() == "marsh (not in the legend)"
    choose(table, 2, AUTOMATIC)
    assert table.faults == []
    assert len(table.rows) == 2


def test_without_classes_the_way_to_them_is_named(table: SharesTable) -> None:
    table.set_values([], {})
    assert table._empty.isVisible()


def test_controls_are_named(table: SharesTable) -> None:
    assert [row.mode.accessibleName() for row in table.rows] == [
        "What is known of water",
        "What is known of forest",
    ]
    assert table.rows[0].mode.focusPolicy() != Qt.FocusPolicy.NoFocus
