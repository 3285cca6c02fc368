"""What an analyst does, through the real widgets, with a real worker, on the built-in sample."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from gestures import drop
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.exceptions import TimeoutError
from pytestqt.qtbot import QtBot

from app.edits import Keys
from app.map.class_layers import ClassLayer, ConfidenceLayer
from app.map.raster_item import OVERALL
from app.panels.export import ExportDialog
from app.place_map import PlaceMap
from app.window import MainWindow
from core.files import read_json
from core.sample.sample import draw_sample

LONG = 180_000
SMALL: dict[Keys, object] = {
    ("sampling",): {"crop_px": 64, "batch": 2},
    ("network",): {
        "encoder": "resnet18",
        "weights": None,
        "encoder_depth": 3,
        "decoder_channels": [32, 16, 16],
    },
    ("schedule", "threads"): 1,
    ("schedule", "lr"): 1e-3,
    ("schedule", "checkpoint_every"): 10,
    ("predict", "tile_px"): 256,
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_sample(tmp_path_factory.mktemp("drawn") / "sample").parent


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    monkeypatch.setenv("ISTHMUS_QUEUE", str(tmp_path / "line"))
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda window: window.document.undo.setClean())
    window.show()
    return window


def click(qtbot: QtBot, widget: QWidget) -> None:
    assert widget.isEnabled(), f"{widget.accessibleName()} cannot be pressed"
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def drag(qtbot: QtBot, widget: QWidget, start: QPoint, end: QPoint) -> None:
    qtbot.mousePress(widget, Qt.MouseButton.LeftButton, pos=start)
    for share in (0.3, 0.7, 1.0):
        qtbot.mouseMove(widget, start + (end - start) * share)
    qtbot.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=end)


def pixels(shown: PlaceMap) -> np.ndarray | None:
    """What the preview on the map shows, as painted; None while there is none."""
    layer = shown.result("preview")
    entry = shown.view.feed.cache.get(layer.key, OVERALL) if layer is not None else None
    if entry is None or entry[1] is None:
        return None
    image = entry[1].convertToFormat(QImage.Format.Format_ARGB32)
    rows = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1)
    return rows[:, : image.width()].copy()


def differ(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    """Whether two pictures of the same window are not the same."""
    return one is not None and other is not None and one.shape == other.shape and bool((one != other).any())


def test_from_imagery_to_an_exported_map(
    window: MainWindow, sample: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def until(true: Callable[[], object], words: str) -> None:
        try:
            qtbot.waitUntil(lambda: bool(true()), timeout=LONG)
        except TimeoutError:
            raise AssertionError(f"never: {words}; the window says {window.notice.notice}") from None

    def answer(_parent: object, title: str, *_: object) -> tuple[str, str]:
        return (str(sample / "source/labels.gpkg" if "labels" in title else tmp_path / "job.yaml"), "")

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)

    # Imagery, with labels of the source.
    window.files.new()
    source, target = window.places.imagery["source"], window.places.imagery["target"]
    drop(source, sample / "source/scene.tif")
    drop(target, sample / "target")
    until(lambda: all(source.facts) and len(target.facts) == 2 and all(target.facts), "the facts are read")
    source.select(0)
    click(qtbot, source.labels.choose_button)
    until(lambda: source.labels.attribute.findText("class") >= 0, "the attributes are listed")
    qtbot.keyClicks(source.labels.attribute, "class")
    assert window.document.value("source", "scenes", 0, "labels", "attribute") == "class"

    # Classes, read from the labels.
    window.steps.show_step("legend")
    click(qtbot, window.legend.read_button)
    until(lambda: len(window.document.value("legend", "classes", default=[])) == 6, "the classes are read")

    # An area on the map, undone and redone.
    view = window.maps.source.view
    until(lambda: view.frame_of_map is not None and not view.busy, "the map is drawn")
    window.maps.take_tool("rectangle")
    box = view.viewport().rect()
    drag(qtbot, view.viewport(), box.center() - QPoint(90, 90), box.center() + QPoint(90, 90))
    assert "POLYGON" in window.document.value("source", "scenes", 0, "area_wkt", default="")
    window.document.undo.undo()
    assert window.document.value("source", "scenes", 0, "area_wkt") is None
    window.document.undo.redo()

    # The method, the checks, the start.
    window.document.change("Small", SMALL)
    window.document.change("Steps", {("schedule", "steps"): 60})
    window.check()
    until(lambda: window.checks.verdict is not None, "preflight has looked")
    assert window.checks.faults == []
    window.steps.show_step("method")
    until(lambda: window.method.bar.start.isEnabled() or window.files.save(), "the engine has answered")
    until(window.method.bar.start.isEnabled, "Start can be pressed")
    click(qtbot, window.method.bar.start)
    until(lambda: window.runs.follower, "the run is looked at")
    follower = window.runs.follower
    assert follower is not None
    until(lambda: follower.progress.step >= 2, "steps are made")

    # Watched: a preview that changes, a pause, a resume.
    watch, shown = window.runs.watch, window.maps.target
    watch.preview.every.setValue(5)
    watch.preview.on.setChecked(True)
    until(lambda: pixels(shown) is not None, "a preview is shown")
    first = pixels(shown)
    until(lambda: differ(first, pixels(shown)), "the preview changes")
    classes = pixels(shown)
    watch.preview.layer.setCurrentText("confidence")
    until(lambda: isinstance(shown.result("preview"), ConfidenceLayer), "the confidence is shown")
    until(lambda: differ(classes, pixels(shown)), "the confidence is another picture")
    watch.preview.layer.setCurrentText("classes")
    until(lambda: isinstance(shown.result("preview"), ClassLayer), "the classes are shown again")
    watch.controls.pause.trigger()
    until(lambda: follower.state and follower.state.status == "paused", "the run is paused")
    watch.controls.start.trigger()
    until(lambda: follower.state and follower.state.status == "running", "the run goes on")
    step = follower.progress.steps_done
    until(lambda: follower.progress.steps_done > step, "steps are made again")

    # The worker is killed: the window says so, and resumes.
    os.kill(read_json(follower.folder / "status.json")["worker_pid"], signal.SIGKILL)
    until(lambda: follower.state and follower.state.status == "died", "the window says that the worker died")
    assert "killed" in follower.state.sentence
    until(watch.controls.start.isEnabled, "Resume can be pressed")
    watch.preview.on.setChecked(False)
    watch.controls.start.trigger()
    until(lambda: follower.state and follower.state.status == "done", "the run is finished")

    # Judged: a swipe; and taken home.
    results = window.runs.results
    until(lambda: results.outcome, "the results are read")
    until(lambda: results.maps.buttons["swipe"].isEnabled(), "the maps can be shown")
    click(qtbot, results.maps.buttons["swipe"])
    until(lambda: shown.view.swipe is not None, "the swipe is there")
    assert results.verdict.text()
    window.steps.show_step("results")
    click(qtbot, results.export)
    until(lambda: window.findChildren(ExportDialog), "the export dialog is open")
    (dialog,) = window.findChildren(ExportDialog)
    dialog.folder.setText(str(tmp_path / "home"))
    with qtbot.waitSignal(dialog.exported, timeout=LONG):
        dialog.start()
    listed = read_json(tmp_path / "home/bundle.json")["files"]
    assert {"model/model.onnx", "report.html", "north.json", "north.polygons.gpkg"} <= set(listed)
    for name in ("north", "south"):
        with (
            rasterio.open(tmp_path / f"home/{name}.class.tif") as exported,
            rasterio.open(follower.folder / f"maps/{name}.class.tif") as made,
            rasterio.open(sample / f"target/{name}.tif") as image,
        ):
            assert exported.crs == image.crs
            assert exported.transform == image.transform
            assert np.array_equal(exported.read(), made.read())
            assert np.array_equal(exported.read(1) == 255, (image.read() == 0).all(0))
    dialog.close()
