from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.map.feed import Identified
from app.map.frame import MapPoint
from app.panels.identified import IdentifiedPanel


def test_what_lies_under_a_click_is_listed_and_copied(qtbot: QtBot) -> None:
    panel = IdentifiedPanel()
    qtbot.addWidget(panel)
    panel.show()
    assert panel.hint.isVisible()
    rows = [("map", [("class", "forest"), ("confidence", "87%")]), ("labels", [])]
    panel.show_answer(Identified(MapPoint(500_000.5, 5_000_000.25, 45.15, 15.0), rows))
    assert not panel.hint.isVisible()
    lines = panel.lines()
    assert lines[0] == "Place"
    assert lines[1] == "  map units: 500000.500, 5000000.250"
    assert "45.15" in lines[2]
    assert lines[3:] == ["map", "  class: forest", "  confidence: 87%", "labels nothing here"]
    panel.copy()
    assert QGuiApplication.clipboard().text().splitlines() == lines
    panel.show_answer(Identified(MapPoint(1.0, 2.0, None, None), []))
    assert panel.lines() == ["Place", "  map units: 1.000, 2.000"], "what was shown before is gone"
    panel.show_answer(Identified(MapPoint(15.1234567, 45.5, 45.5, 15.1234567), []))
    assert panel.lines()[1] == "  map units: 15.123457, 45.500000", "a metre needs five digits of a degree"
