"""About, licences and the environment report."""

import sys
from pathlib import Path

import pytest
import yaml
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.engine import Engine
from app.panels.about import AboutDialog

DOCTOR = """
import json, sys
assert sys.argv[1:] == ["doctor", "--json"]
print(json.dumps({"torch_build": "2.11", "devices": [{"name": "cpu", "fault": None}]}))
sys.exit(1)
"""


@pytest.fixture
def about(qtbot: QtBot, tmp_path: Path) -> AboutDialog:
    program = tmp_path / "doctor.py"
    program.write_text(DOCTOR)
    return shown(qtbot, Engine(program=[sys.executable, str(program)]))


def shown(qtbot: QtBot, engine: Engine) -> AboutDialog:
    found = AboutDialog(engine)
    qtbot.addWidget(found)
    found.show()
    return found


def test_nothing_is_asked_before_a_page_is_opened(about: AboutDialog) -> None:
    assert not about.environment._engine.busy
    assert about.licences.table.rowCount() == 0


def test_licences_are_listed_found_and_read(about: AboutDialog, qtbot: QtBot) -> None:
    page, table = about.licences, about.licences.table
    about.pages.setCurrentWidget(page)
    qtbot.waitUntil(lambda: table.rowCount() > 10)
    qtbot.keyClicks(page.filter, "numpy")
    rows = [row for row in range(table.rowCount()) if not table.isRowHidden(row)]
    assert [table.item(row, 0).text() for row in rows] == ["numpy"]
    table.setCurrentCell(rows[0], 0)
    qtbot.waitUntil(lambda: "Redistribution" in page.text.toPlainText())


def test_the_report_holds_both_sides_and_is_copied(about: AboutDialog, qtbot: QtBot) -> None:
    page = about.environment
    about.pages.setCurrentWidget(page)
    qtbot.waitUntil(lambda: "torch_build" in page.report.toPlainText())
    qtbot.mouseClick(page.copy, Qt.MouseButton.LeftButton)
    report = yaml.safe_load(QGuiApplication.clipboard().text())
    assert report["engine"]["devices"] == [{"name": "cpu", "fault": None}]
    assert report["window"]["platform"] == "offscreen"


def test_a_silent_engine_leaves_the_windows_side(qtbot: QtBot, tmp_path: Path) -> None:
    about = shown(qtbot, Engine(program=[str(tmp_path / "nothing")]))
    about.pages.setCurrentWidget(about.environment)
    qtbot.waitUntil(lambda: "cannot be started" in about.environment.report.toPlainText())
    assert "pyside:" in about.environment.report.toPlainText()
