"""The legend: edited in place, taken from shipped ones, read from labels, and every edit undone."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import small_job
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QColorDialog
from pytestqt.qtbot import QtBot
from worlds import write_raster

from app.edits import Document
from app.legend_edits import collisions, moved, parse_values, values_text, without
from app.legend_table import COLOR, NAME, SHARE, VALUES
from app.legends import presets
from app.palettes import OKABE_ITO
from app.panels.legend import LegendPanel
from app.project import REMOVE


@pytest.fixture
def document(qapp: QApplication, tmp_path: Path) -> Document:
    document = Document(qapp)
    document.open(small_job.draw(tmp_path))
    return document


@pytest.fixture
def panel(qtbot: QtBot, document: Document) -> LegendPanel:
    panel = LegendPanel(document)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def names(document: Document) -> list[str]:
    return [each["name"] for each in document.value("legend", "classes", default=[])]


def select(panel: LegendPanel, row: int) -> None:
    panel.table.setCurrentIndex(panel.model.index(row, NAME))


def test_names_and_values_are_edited_in_place(panel: LegendPanel, document: Document) -> None:
    model = panel.model
    assert model.data(model.index(1, VALUES)) == "(1, forest)"
    assert model.setData(model.index(1, VALUES), '3, 4, "oak, beech", #00FF00')
    assert document.value("legend", "classes", 1, "values") == [3, 4, "oak, beech", "#00FF00"]
    assert model.data(model.index(1, VALUES)) == '3, 4, "oak, beech", #00FF00'
    assert model.setData(model.index(1, VALUES), "")
    assert "values" not in document.value("legend", "classes", 1)
    assert model.setData(model.index(1, NAME), " wood ")
    assert names(document) == ["water", "wood", "field"]
    assert not model.setData(model.index(1, NAME), "water")
    assert not model.setData(model.index(1, NAME), "")


def test_a_name_that_cannot_be_used_is_said_to_be_left_out(panel: LegendPanel) -> None:
    model = panel.model
    model.setData(model.index(1, NAME), "water")
    assert panel.fault.isVisible()
    assert panel.fault.fault == (
        "Another class is called water; this one is still forest: give a name of its own"
    )
    model.setData(model.index(1, NAME), "")
    assert panel.fault.fault == "A class needs a name; this one is still forest"
    model.setData(model.index(1, NAME), "wood")
    assert not panel.fault.isVisible()


def test_a_new_name_reaches_all_that_speaks_of_the_class(panel: LegendPanel, document: Document) -> None:
    labels = ("source", "scenes", 0, "labels")
    document.change("a", {(*labels, "unlabelled"): "field", (*labels, "mapping"): {1: "field", 2: "water"}})
    panel.model.setData(panel.model.index(2, NAME), "meadow")
    assert document.value(*labels, "unlabelled") == "meadow"
    assert document.value(*labels, "mapping") == {1: "meadow", 2: "water"}
    document.undo.undo()
    assert document.value(*labels, "mapping") == {1: "field", 2: "water"}
    assert names(document)[2] == "field"


def test_a_new_name_reaches_the_expected_shares(panel: LegendPanel, document: Document) -> None:
    old = document.value("legend", "classes", 0, "name")
    document.change("Expect", {("expected_shares",): {old: 0.5}})
    panel.model.setData(panel.model.index(0, 1), "sea")
    assert document.value("legend", "classes", 0, "name") == "sea"
    assert document.value("expected_shares") == {"sea": 0.5}


def test_classes_are_added_removed_and_moved(qtbot: QtBot, panel: LegendPanel, document: Document) -> None:
    panel.add()
    panel.add()
    assert names(document)[3:] == ["new class", "new class 2"]
    colors = [each["color"] for each in document.value("legend", "classes")]
    assert len(set(colors)) == 5
    select(panel, 4)
    qtbot.keyClick(panel.table, Qt.Key.Key_Delete)
    select(panel, 3)
    panel.remove_button.click()
    assert names(document) == ["water", "forest", "field"]
    select(panel, 0)
    assert not panel.up.isEnabled()
    panel.down.click()
    assert names(document) == ["forest", "water", "field"]
    assert panel.current == 1
    for _ in range(5):
        document.undo.undo()
    assert names(document) == ["water", "forest", "field"]
    assert not document.undo.canUndo()


def test_moving_and_removing_leave_the_label_values_with_their_class() -> None:
    classes = [{"name": "a", "color": "#000000"}, {"name": "b", "color": "#ffffff", "values": [7]}]
    assert [each["values"] for each in moved(classes, 0, 1)] == [[7], [0, "a"]]
    assert without(classes, 1) == [classes[0]]
    assert without([*classes, {"name": "c", "color": "#888888"}], 0)[1]["values"] == [2, "c"]


def test_a_colour_is_chosen_with_enter(
    qtbot: QtBot, panel: LegendPanel, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor("#ABCDEF"))
    panel.table.setCurrentIndex(panel.model.index(1, COLOR))
    qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert document.value("legend", "classes", 1, "color") == "#abcdef"
    assert panel.model.data(panel.model.index(1, COLOR)) == "#abcdef"


def test_a_shipped_legend_is_taken_whole_and_undone(panel: LegendPanel, document: Document) -> None:
    panel.menu.aboutToShow.emit()
    actions = {action.text(): action for action in panel.menu.actions()}
    assert set(actions) == {preset.name for preset in presets()}
    actions["LoveDA"].trigger()
    assert names(document)[:2] == ["background", "building"]
    assert panel.ignore.text() == "0, 255"
    assert "LoveDA" in panel.notice.text()
    assert document.project.job().legend.class_ids()[4] == 3
    document.undo.undo()
    assert names(document) == ["water", "forest", "field"]


def test_the_legend_is_read_from_a_label_raster_and_its_palette(
    qtbot: QtBot, panel: LegendPanel, document: Document, tmp_path: Path
) -> None:
    labels = np.array([[3] * 6, [9] * 2 + [255] * 4], np.uint8)
    path = write_raster(tmp_path / "l.tif", labels, nodata=255)
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {3: (1, 2, 3), 9: (250, 0, 0)})
    document.change("x", {("source", "scenes", 0, "labels"): {"path": str(path)}, ("legend",): REMOVE})
    panel.read_button.click()
    qtbot.waitUntil(lambda: len(names(document)) == 2)
    assert document.value("legend", "classes") == [
        {"name": "class 3", "color": "#010203", "values": [3]},
        {"name": "class 9", "color": "#fa0000", "values": [9]},
    ]
    assert [panel.model.data(panel.model.index(row, SHARE)) for row in range(2)] == ["75.0%", "25.0%"]
    assert panel.notice.text() == "Classes added for values in the labels: 2."


def test_reading_keeps_classes_that_know_their_values(
    qtbot: QtBot, panel: LegendPanel, document: Document, tmp_path: Path
) -> None:
    keys = ("source", "scenes", 0, "labels")
    document.change("x", {keys: {"path": str(tmp_path / "labels.gpkg"), "attribute": "class"}})
    panel.read_button.click()
    qtbot.waitUntil(lambda: "Every value" in panel.notice.text())
    assert names(document) == ["water", "forest", "field"]
    assert panel.model.data(panel.model.index(0, SHARE)) == "33.3%"
    document.change("y", {("legend", "classes", 1, "name"): "wood"})
    panel.read_button.click()
    qtbot.waitUntil(lambda: len(names(document)) == 4)
    assert names(document)[3] == "forest"
    assert document.value("legend", "classes", 3, "color") == OKABE_ITO[0]


def test_labels_that_do_not_say_which_attribute_are_a_sentence(
    qtbot: QtBot, panel: LegendPanel, document: Document
) -> None:
    document.change("x", {("source", "scenes", 0, "labels"): REMOVE})
    panel.read_button.click()
    qtbot.waitUntil(lambda: "has no labels to read" in panel.notice.text())
    assert panel.read_button.isEnabled()


def test_colours_too_alike_are_warned_of_and_made_safe(panel: LegendPanel, document: Document) -> None:
    assert panel.warning.isHidden()
    panel.set_color(0, "#b8860b")
    panel.set_color(1, "#A0A000")
    assert "water and forest" in panel.warning.text()
    panel.recolor_button.click()
    assert panel.warning.isHidden()
    assert [each["color"] for each in document.value("legend", "classes")] == list(OKABE_ITO[:3])


def test_a_value_of_two_classes_is_warned_of(panel: LegendPanel) -> None:
    panel.model.setData(panel.model.index(0, VALUES), "5")
    panel.model.setData(panel.model.index(2, VALUES), "5, 6")
    assert panel.warning.text() == "The value 5 belongs to both water and field: take it from one of them."
    assert collisions([{"name": "a"}, {"name": "b", "values": [0]}]) == [(0, "a", "b")]


def test_ignored_values_are_changed_only_when_they_differ(panel: LegendPanel, document: Document) -> None:
    panel.ignore.editingFinished.emit()
    assert not document.undo.canUndo()
    panel.ignore.setText("0, cloud, 0")
    panel.ignore.editingFinished.emit()
    assert document.value("legend", "ignore") == [0, "cloud"]


def test_an_empty_legend_says_what_to_do(panel: LegendPanel, document: Document) -> None:
    document.new()
    assert "at least two classes" in panel.warning.text()
    assert panel.model.rowCount() == 0


def test_shares_counted_by_preflight_are_shown(panel: LegendPanel) -> None:
    panel.show_shares({"forest": 0.125})
    assert panel.model.data(panel.model.index(1, SHARE)) == "12.5%"
    assert panel.model.data(panel.model.index(0, SHARE)) == ""


def test_values_survive_being_written_as_text() -> None:
    values = [1, -2, "forest", "oak, beech", "#00ff00"]
    assert parse_values(values_text(values)) == values
    assert parse_values(" 7, 7 , ,07") == [7]
