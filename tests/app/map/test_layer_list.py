"""The list of layers changes the map, and follows it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from worlds import NORTH, WEST, write_raster

from app.map.class_layers import ClassLayer, ConfidenceLayer
from app.map.image_layer import ImageLayer
from app.map.layer_list import LayerList
from app.map.view import MapView
from geo_io.legend import Legend

Settle = Callable[[MapView], None]
Color = Callable[[MapView, tuple[float, float]], tuple[int, int, int]]


@pytest.fixture
def image(quarters: Path) -> ImageLayer:
    return ImageLayer(quarters, name="image")


@pytest.fixture
def classes(halves: Path, legend: Legend) -> ClassLayer:
    return ClassLayer(halves, legend, "classes")


@pytest.fixture
def layers(view: MapView, settle: Settle, qtbot: QtBot, image: ImageLayer, classes: ClassLayer) -> LayerList:
    """An image and, above it, classes."""
    listed = LayerList(view)
    qtbot.addWidget(listed)
    listed.show()
    view.add(image)
    view.add(classes)
    settle(view)
    return listed


def names(layers: LayerList) -> list[str]:
    return [layers.list.item(row).text() for row in range(layers.list.count())]


def test_an_empty_list_says_what_to_do(view: MapView, qtbot: QtBot) -> None:
    listed = LayerList(view)
    qtbot.addWidget(listed)
    listed.show()
    assert listed.empty.isVisible()
    assert not listed.list.isVisible()


def test_the_topmost_layer_comes_first_and_space_hides_it(
    layers: LayerList, classes: ClassLayer, qtbot: QtBot
) -> None:
    assert names(layers) == ["classes", "image"]
    layers.choose(classes)
    qtbot.keyClick(layers.list, Qt.Key.Key_Space)
    assert not classes.visible
    qtbot.keyClick(layers.list, Qt.Key.Key_Space)
    assert classes.visible


def test_layers_are_moved_and_stay_chosen(
    view: MapView, layers: LayerList, image: ImageLayer, classes: ClassLayer, qtbot: QtBot
) -> None:
    layers.choose(image)
    assert not layers.down.isEnabled()
    qtbot.mouseClick(layers.up, Qt.MouseButton.LeftButton)
    assert view.layers == [classes, image]
    assert names(layers) == ["image", "classes"]
    assert layers.layer is image
    assert not layers.up.isEnabled()
    qtbot.mouseClick(layers.down, Qt.MouseButton.LeftButton)
    assert view.layers == [image, classes]


def test_opacity_is_that_of_the_chosen_layer(
    layers: LayerList, image: ImageLayer, classes: ClassLayer
) -> None:
    layers.choose(classes)
    layers.opacity.setValue(40)
    assert (classes.opacity, image.opacity) == (0.4, 1)
    layers.choose(image)
    assert layers.opacity.value() == 100
    assert classes.opacity == 0.4


def test_bands_are_chosen(
    view: MapView, settle: Settle, color: Color, layers: LayerList, image: ImageLayer, classes: ClassLayer
) -> None:
    classes.set_visible(False)
    layers.choose(image)
    look = layers.look
    look.bands[0].setCurrentText("band2")
    look.bands[0].activated.emit(1)
    settle(view)
    assert image.bands == ("band2", "band2", "band3")
    assert color(view, (WEST + 450, NORTH - 100)) == (255, 255, 0)
    for combo in look.bands[1:]:
        combo.setCurrentText("band2")
    look.bands[1].activated.emit(1)
    settle(view)
    assert image.bands == ("band2",)
    assert color(view, (WEST + 450, NORTH - 100)) == (255, 255, 255)


def test_a_shared_stretch_shows_the_gap_between_two_images(
    view: MapView, settle: Settle, color: Color, layers: LayerList, image: ImageLayer, tmp_path: Path
) -> None:
    values = np.full((3, 400, 600), 400, "uint16")
    values[:, :, ::2] = 600
    target = ImageLayer(write_raster(tmp_path / "target.tif", values), name="target")
    view.add(target)
    settle(view)
    spot = (WEST + 150.5, NORTH - 100.5)
    view.look_at(spot, 0.2)
    settle(view)
    assert color(view, spot)[0] in (0, 255)
    layers.choose(target)
    look = layers.look
    look.stretch.setCurrentIndex(look.stretch.findText("That of image"))
    look.stretch.activated.emit(1)
    settle(view)
    assert target.stretch is image.own_stretch
    assert color(view, spot)[0] == pytest.approx(255 * 599 / 999, abs=3)
    image.own_stretch.set_limits("band1", 0, 6000)
    settle(view)
    assert color(view, spot)[0] == pytest.approx(25.5, abs=2)
    look.show_layer(target)
    assert look.stretch.currentText() == "That of image"
    look.stretch.setCurrentIndex(0)
    look.stretch.activated.emit(0)
    settle(view)
    assert color(view, spot)[0] in (0, 255)


def test_a_stretch_whose_image_is_gone_is_still_named(
    view: MapView, settle: Settle, layers: LayerList, image: ImageLayer, quarters: Path
) -> None:
    other = ImageLayer(quarters, (), image.own_stretch, "other")
    view.add(other)
    settle(view)
    view.remove(image)
    layers.choose(other)
    assert layers.look.stretch.currentText() == "That of an image taken away"
    layers.look.stretch.setCurrentIndex(0)
    layers.look.stretch.activated.emit(0)
    assert other.stretch is other.own_stretch


def test_the_share_of_values_shown_is_chosen(
    view: MapView, settle: Settle, layers: LayerList, tmp_path: Path
) -> None:
    values = np.arange(400 * 600).reshape(1, 400, 600) % 1000
    shown = ImageLayer(write_raster(tmp_path / "ramp.tif", values.astype("uint16")), name="ramp")
    view.add(shown)
    settle(view)
    layers.choose(shown)
    form = layers.look.limits
    found = []
    for index in range(form.cut.count()):
        form.cut.setCurrentIndex(index)
        form.cut.activated.emit(index)
        assert form.cut.currentIndex() == index
        assert [float(field.text()) for field in form.fields[0]] == list(shown.limits()[0])
        found.append(shown.limits()[0])
    assert found == [pytest.approx(pair, abs=10) for pair in ((20, 979), (5, 994), (0, 999))]
    assert [low for low, _ in found] == sorted({low for low, _ in found}, reverse=True)
    layers.look.show_layer(shown)
    assert form.cut.currentText() == "Smallest to largest"


def test_limits_are_typed_and_reset(
    view: MapView, settle: Settle, color: Color, layers: LayerList, image: ImageLayer, classes: ClassLayer
) -> None:
    def type_in(row: int, column: int, text: str) -> None:
        field = form.fields[row][column]
        field.selectAll()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)
        settle(view)

    classes.set_visible(False)
    layers.choose(image)
    form, spot = layers.look.limits, (WEST + 150, NORTH - 100)
    assert [name.text() for name in form.names] == ["band1", "band2", "band3"]
    assert color(view, spot) == (255, 0, 0)
    assert form.cut.currentText() == "2 to 98 %"
    type_in(0, 1, "1999")
    assert form.cut.currentText() == "By hand"
    assert image.limits()[0] == (1, 1999)
    assert color(view, spot)[0] == pytest.approx(127, abs=2)
    type_in(0, 0, "2000")
    assert "lower one first" in form.problem.text()
    assert form.fields[0][0].text() == "1"
    form.cut.setCurrentIndex(0)
    form.cut.activated.emit(0)
    settle(view)
    assert color(view, spot) == (255, 0, 0)
    assert form.fields[0][1].text() == "1000"
    assert form.cut.findText("By hand") < 0
    for combo in layers.look.bands:
        combo.setCurrentText("band2")
    layers.look.bands[0].activated.emit(1)
    settle(view)
    assert [field.isVisible() for field, _ in form.fields] == [True, False, False]


def test_limits_hold_for_all_that_share_a_stretch(
    view: MapView, settle: Settle, layers: LayerList, image: ImageLayer, tmp_path: Path
) -> None:
    values = np.full((1, 400, 600), 400, "uint16")
    other = ImageLayer(write_raster(tmp_path / "other.tif", values), (), image.own_stretch, "other")
    view.add(other)
    settle(view)
    layers.choose(other)
    form = layers.look.limits
    form.fields[0][1].setText("800")
    form.fields[0][1].setModified(True)
    form.fields[0][1].editingFinished.emit()
    assert image.limits()[0] == other.limits()[0] == (1, 800)
    layers.look.stretch.setCurrentIndex(0)
    layers.look.stretch.activated.emit(0)
    assert form.fields[0][1].text() == f"{other.own_stretch.limits('band1')[1]:.7g}"


def test_the_legend_is_told_in_words_and_patterns_can_be_chosen(
    layers: LayerList, classes: ClassLayer
) -> None:
    layers.choose(classes)
    said = [label.text() for label in layers.look.legend.findChildren(type(layers.empty)) if label.text()]
    assert said == ["water", "forest", "crop"]
    layers.look.hatched.setChecked(True)
    assert classes.hatched


def test_a_file_that_cannot_be_shown_is_marked_and_the_reason_told(
    view: MapView, settle: Settle, layers: LayerList, tmp_path: Path
) -> None:
    lost = ConfidenceLayer(tmp_path / "lost.tif", "lost")
    view.add(lost)
    settle(view)
    layers.choose(lost)
    assert names(layers)[0] == "⚠ lost"
    assert layers.look.problem.isVisible()
    assert "does not exist" in layers.look.problem.text()


def test_every_control_has_a_name_and_a_reason(layers: LayerList, image: ImageLayer) -> None:
    layers.choose(image)
    look = layers.look
    for control in (layers.list, layers.opacity, layers.up, layers.down, *look.bands, look.stretch):
        assert control.accessibleName()
    for control in (layers.opacity, layers.up, layers.down, *look.bands, look.stretch, look.hatched):
        assert control.toolTip()
