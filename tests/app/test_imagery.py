"""The images of a place: brought in by drop, described, left out, with labels, area and bands."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_job
from gestures import drop
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from worlds import noise, north_up, write_raster

from app.edits import Document
from app.gathering import Found, gather
from app.panels.imagery import ImageryPanel
from app.scene_table import BANDS, CRS, DEPTH, LABELS, NAME, NODATA, PIXEL, VALID

Panels = dict[str, ImageryPanel]


@pytest.fixture
def document(qapp: QApplication, tmp_path: Path) -> Document:
    document = Document(qapp)
    document.open(small_job.draw(tmp_path / "world"))
    return document


@pytest.fixture
def panels(qtbot: QtBot, document: Document) -> Panels:
    found = {place: ImageryPanel(document, place) for place in ("source", "target")}
    for panel in found.values():
        qtbot.addWidget(panel)
        panel.show()
    qtbot.waitUntil(lambda: all(panel.bands.bands.count() for panel in found.values()))
    return found


def cell(panel: ImageryPanel, column: int, row: int = 0, role: Any = Qt.ItemDataRole.DisplayRole) -> Any:
    model = panel.table.model()
    return model.data(model.index(row, column), role)


def test_each_scene_shows_its_facts(panels: Panels) -> None:
    shown = {column: cell(panels["source"], column) for column in range(8)}
    assert shown == {
        NAME: "source.tif",
        CRS: "EPSG:32633",
        PIXEL: "1",
        BANDS: "3",
        DEPTH: "uint8",
        NODATA: "none",
        VALID: "100%",
        LABELS: "labels.tif",
    }
    facts = panels["target"].facts[0]
    assert facts is not None
    assert facts.footprint[0] == (505_000.0, 5_000_000.0)


def test_dropped_files_and_folders_become_scenes(
    qtbot: QtBot, panels: Panels, document: Document, tmp_path: Path
) -> None:
    panel, values = panels["target"], noise(3, 20, 20)
    (tmp_path / "more").mkdir()
    one = write_raster(tmp_path / "one.tif", values, transform=north_up(0.5))
    two = write_raster(tmp_path / "more" / "two.tif", values)
    (tmp_path / "more" / "notes.txt").write_text("mine")
    with qtbot.waitSignal(panel.facts_changed):
        drop(panel, one, tmp_path / "more", tmp_path / "world" / "target.tif")
    paths = [scene["path"] for scene in document.value("target", "scenes")]
    assert paths == [str(tmp_path / "world" / "target.tif"), str(one), str(two)]
    assert panel.notice.text() == "Images added: 2, listed before: 1"
    assert panel.current == 2
    qtbot.waitUntil(lambda: cell(panel, PIXEL, 1) == "0.5")
    document.undo.undo()
    assert len(document.value("target", "scenes")) == 1


def test_labels_in_the_folder_beside_come_along(
    qtbot: QtBot, panels: Panels, document: Document, tmp_path: Path
) -> None:
    for room, name in (("images", "a"), ("images", "b"), ("labels", "a")):
        (tmp_path / "tiles" / room).mkdir(parents=True, exist_ok=True)
        write_raster(tmp_path / "tiles" / room / f"{name}.tif", noise(1, 8, 8))
    for place, more in (("source", {}), ("target", {"use": "check"})):
        drop(panels[place], tmp_path / "tiles")
        qtbot.waitUntil(lambda place=place: len(document.value(place, "scenes")) == 3)
        _, a, b = document.value(place, "scenes")
        assert a["labels"] == {"path": str(tmp_path / "tiles/labels/a.tif"), **more}
        assert "labels" not in b
    assert "with labels" in panels["source"].notice.text()


def test_gathering_looks_into_folders_and_never_takes_labels_for_images(tmp_path: Path) -> None:
    for path in ("x/1.TIF", "x/masks/1.png", "y/labels/2.tif", "y/deep/3.jp2", "z.gpkg", "odd.xyz"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    given = [tmp_path / name for name in ("x", "y", "z.gpkg", "odd.xyz", "x")]
    assert gather(given) == [Found(tmp_path / p) for p in ("x/1.TIF", "y/deep/3.jp2", "odd.xyz")]


def test_what_holds_no_image_says_what_to_do(qtbot: QtBot, panels: Panels, tmp_path: Path) -> None:
    drop(panels["source"], tmp_path / "world" / "labels.gpkg")
    qtbot.waitUntil(lambda: bool(panels["source"].notice.text()))
    assert "No image was found in labels.gpkg; labels" in panels["source"].notice.text()


def test_a_file_that_is_no_raster_is_a_row_that_says_so(qtbot: QtBot, panels: Panels, tmp_path: Path) -> None:
    panel, broken = panels["source"], tmp_path / "broken.tif"
    broken.write_text("nothing")
    drop(panel, broken)
    qtbot.waitUntil(panel.fault.isVisible)
    assert cell(panel, CRS, 1) == "cannot be read"
    assert "is not a readable raster" in cell(panel, CRS, 1, Qt.ItemDataRole.ToolTipRole)
    assert "is not a readable raster" in panel.fault.text()
    assert panel.facts[1] is None


def test_the_check_box_leaves_a_scene_out(panels: Panels, document: Document) -> None:
    model = panels["target"].table.model()
    box = model.index(0, NAME)
    assert model.setData(box, Qt.CheckState.Unchecked.value, Qt.ItemDataRole.CheckStateRole)
    assert document.value("target", "scenes", 0, "include") is False
    assert "left out" in model.data(box, Qt.ItemDataRole.AccessibleTextRole)
    model.setData(box, Qt.CheckState.Checked.value, Qt.ItemDataRole.CheckStateRole)
    assert document.value("target", "scenes", 0, "include", default=True) is True


def test_delete_removes_the_selected_scenes(qtbot: QtBot, panels: Panels, document: Document) -> None:
    panel = panels["source"]
    panel.select(0)
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_Delete)
    assert document.value("source", "scenes") == []
    assert "Drop images" in panel._stack.currentWidget().text()
    document.undo.undo()
    assert cell(panel, NAME) == "source.tif"


def test_selection_and_zoom_are_told(qtbot: QtBot, panels: Panels) -> None:
    panel = panels["target"]
    with qtbot.waitSignal(panel.selected, check_params_cb=lambda index: index == 0):
        panel.select(0)
    with qtbot.waitSignal(panel.zoom_requested) as asked:
        panel.zoom.click()
    assert asked.args == [0]


def test_vector_labels_take_layer_attribute_and_land_without_a_polygon(
    qtbot: QtBot, panels: Panels, document: Document, tmp_path: Path
) -> None:
    panel = panels["source"]
    panel.select(0)
    panel.labels.set_file(tmp_path / "world" / "labels.gpkg")
    qtbot.waitUntil(lambda: panel.labels.attribute.findData("class") > 0)
    for combo, value in ((panel.labels.attribute, "class"), (panel.labels.unlabelled, "field")):
        combo.setCurrentIndex(combo.findData(value))
        combo.activated.emit(combo.currentIndex())
    labels = document.value("source", "scenes", 0, "labels")
    assert labels == {
        "path": str(tmp_path / "world/labels.gpkg"),
        "attribute": "class",
        "unlabelled": "field",
    }
    panel.labels.attribute.setCurrentIndex(0)
    panel.labels.attribute.activated.emit(0)
    assert "attribute" not in document.value("source", "scenes", 0, "labels")


def test_labels_of_a_target_are_for_checking_and_say_so(
    panels: Panels, document: Document, tmp_path: Path
) -> None:
    panel = panels["target"]
    panel.select(0)
    panel.labels.clear()
    assert not document.value("target", "scenes", 0).get("labels")
    panel.labels.set_file(tmp_path / "world" / "check.tif")
    panel.labels.band.setValue(2)
    assert document.value("target", "scenes", 0, "labels", "use") == "check"
    assert document.value("target", "scenes", 0, "labels", "band") == 2
    assert panel.labels.use.isVisible()


@pytest.fixture
def tiles(qtbot: QtBot, panels: Panels, document: Document, tmp_path: Path) -> ImageryPanel:
    """The source's panel with two more images, which have no labels."""
    panel = panels["source"]
    drop(panel, *(write_raster(tmp_path / f"{name}.tif", noise(3, 20, 20)) for name in "ab"))
    qtbot.waitUntil(lambda: len(document.value("source", "scenes")) == 3)
    return panel


def of_scenes(document: Document, name: str) -> list[Any]:
    return [scene.get(name) for scene in document.value("source", "scenes")]


def test_labels_and_area_are_chosen_for_all_selected_images(
    tiles: ImageryPanel, document: Document, tmp_path: Path
) -> None:
    own = document.value("source", "scenes", 0, "labels", "path")
    rows = tiles.table.selectionModel()
    rows.select(tiles.table.model().index(1, 0), rows.SelectionFlag.ClearAndSelect | rows.SelectionFlag.Rows)
    rows.select(tiles.table.model().index(2, 0), rows.SelectionFlag.Select | rows.SelectionFlag.Rows)
    assert "2 images" in tiles.chosen.text()
    tiles.labels.set_file(tmp_path / "all.tif")
    tiles.area.set_file(tmp_path / "area.gpkg")
    file = {"path": str(tmp_path / "all.tif")}
    assert of_scenes(document, "labels") == [{"path": own}, file, file]
    assert of_scenes(document, "area") == [None, *[str(tmp_path / "area.gpkg")] * 2]
    tiles.table.selectAll()
    assert tiles.labels.file.text() == "2 label files"
    tiles.labels.band.setValue(2)
    assert of_scenes(document, "labels") == [{"path": own, "band": 2}, *[file | {"band": 2}] * 2]
    assert not tiles.area.draw.isEnabled(), "it is drawn on one"
    tiles.area.clear()
    tiles.labels.clear()
    assert of_scenes(document, "labels") == of_scenes(document, "area") == [None] * 3
    for _ in range(5):
        document.undo.undo()
    assert of_scenes(document, "labels") == [{"path": own}, None, None]


def test_one_file_of_labels_serves_all_images(
    tiles: ImageryPanel, document: Document, tmp_path: Path, qtbot: QtBot
) -> None:
    tiles.select(1)
    assert not tiles.labels.all_button.isEnabled(), "there are none yet"
    assert not tiles.area.all_button.isEnabled()
    labels = {"path": str(tmp_path / "world/labels.gpkg"), "attribute": "class", "unlabelled": "field"}
    document.change("Labels", {("source", "scenes", 1, "labels"): labels})
    tiles.area.set_file(tmp_path / "area.gpkg")
    qtbot.mouseClick(tiles.labels.all_button, Qt.MouseButton.LeftButton)
    tiles.tabs.setCurrentWidget(tiles.area)
    qtbot.mouseClick(tiles.area.all_button, Qt.MouseButton.LeftButton)
    assert of_scenes(document, "labels") == [labels] * 3
    assert of_scenes(document, "area") == [str(tmp_path / "area.gpkg")] * 3
    document.undo.undo()
    document.undo.undo()
    assert of_scenes(document, "labels")[2] is None


def test_labels_that_cannot_be_read_are_a_sentence(qtbot: QtBot, panels: Panels, tmp_path: Path) -> None:
    (tmp_path / "bad.gpkg").write_text("nothing")
    panels["source"].select(0)
    panels["source"].labels.set_file(tmp_path / "bad.gpkg")
    qtbot.waitUntil(panels["source"].labels.problem.isVisible)
    assert "cannot be read as vector data" in panels["source"].labels.problem.text()


def test_the_area_is_asked_for_described_and_cleared(
    qtbot: QtBot, panels: Panels, document: Document, tmp_path: Path
) -> None:
    area = panels["target"].area
    panels["target"].select(0)
    panels["target"].tabs.setCurrentWidget(area)
    with qtbot.waitSignal(panels["target"].draw_area_requested) as asked:
        area.draw.click()
    assert asked.args == [0]
    wkt = "POLYGON ((505000 5000000, 505100 5000000, 505100 4999900, 505000 4999900, 505000 5000000))"
    document.change("draw", {("target", "scenes", 0, "area_wkt"): wkt})
    assert "1 ha" in area.state.text()
    area.set_file(tmp_path / "area.gpkg")
    assert "area_wkt" not in document.value("target", "scenes", 0)
    assert "area.gpkg" in area.state.text()
    area.clear_button.click()
    assert "All of the image" in area.state.text()


def test_bands_are_chosen_ordered_and_named(qtbot: QtBot, panels: Panels, document: Document) -> None:
    bands = panels["source"].bands
    bands.bands.item(1).setCheckState(Qt.CheckState.Unchecked)
    assert document.value("source", "bands") == ["red", "blue"]
    bands.bands.setCurrentRow(1)
    bands.shift(-1)
    assert document.value("source", "bands") == ["blue", "red"]
    assert [bands.bands.item(i).text() for i in range(3)] == ["blue", "red", "green"]
    bands.bands.item(0).setText("B02")
    assert document.value("source", "band_names") == ["red", "green", "B02"]
    assert document.value("source", "bands") == ["B02", "red"]
    qtbot.waitUntil(lambda: panels["source"].facts[0] is not None)
    facts = panels["source"].facts[0]
    assert facts is not None
    assert facts.bands == ("B02", "red")
    bands.use_all()
    assert document.value("source", "bands") is None


def test_the_last_band_in_use_stays(panels: Panels, document: Document) -> None:
    bands = panels["source"].bands
    for _ in range(3):
        bands.bands.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert len(document.value("source", "bands")) == 1
    assert bands.bands.item(0).checkState() == Qt.CheckState.Checked


def test_nodata_is_a_number_or_the_files_own(panels: Panels, document: Document) -> None:
    bands = panels["source"].bands
    for text, value in (("7,5", 7.5), ("none", 7.5), ("", None)):
        bands.nodata.setText(text)
        bands.nodata.editingFinished.emit()
        assert document.value("source", "nodata") == value
    bands.invalid_when.setCurrentIndex(1)
    bands.invalid_when.activated.emit(1)
    assert document.value("source", "invalid_when") == "any"


def test_changed_nodata_is_read_anew(qtbot: QtBot, panels: Panels, tmp_path: Path) -> None:
    values = np.full((1, 10, 10), 3, np.uint8)
    values[:, :4] = 9
    drop(panels["source"], write_raster(tmp_path / "a.tif", values))
    qtbot.waitUntil(lambda: cell(panels["source"], VALID, 1) == "100%")
    panels["source"].bands.nodata.setText("9")
    panels["source"].bands.nodata.editingFinished.emit()
    qtbot.waitUntil(lambda: cell(panels["source"], VALID, 1) == "60%")


def test_a_bands_name_that_is_taken_is_said_to_be_left_out(panels: Panels) -> None:
    bands = panels["source"].bands
    bands.bands.item(1).setText("RED")
    assert bands.bands.item(1).text() == "green"
    assert bands.fault.fault == (
        "Another band is called RED; this one is still green: give a name of its own"
    )
    bands.bands.item(1).setText("")
    assert bands.fault.fault == "A band needs a name; this one is still green"
    bands.bands.item(1).setText("B03")
    assert bands.fault.fault == ""


def test_a_nodata_value_that_is_no_number_is_said_and_the_old_one_stays(
    panels: Panels, document: Document
) -> None:
    bands = panels["source"].bands
    document.change("x", {("source", "nodata"): -3.4028234663852886e38})
    bands.nodata.editingFinished.emit()
    assert document.value("source", "nodata") == -3.4028234663852886e38, "left as it was shown"
    bands.nodata.setText("none")
    for _ in range(2):  # Enter, then the focus goes
        bands.nodata.editingFinished.emit()
    assert bands.nodata.text() == "-3.4028234663852886e+38"
    assert bands.fault.fault.startswith("none is no number, so nodata is still: -3.4028234663852886e+38;")
    bands.nodata.setText("0")
    bands.nodata.editingFinished.emit()
    assert bands.fault.fault == ""
