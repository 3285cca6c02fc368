"""Applying a run to new scenes, by a real engine in a process of its own."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from engines import draw, job_for, run_for, work
from gestures import drop
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from recorded import run_folder

from app import command
from app.panels.apply import ApplyPanel
from core.events import Warned
from core.judging import signals

ENGINE_MS = 120_000


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[ApplyPanel]:
    made = ApplyPanel()
    qtbot.addWidget(made)
    made.show()
    yield made
    made.engine.stop()
    qtbot.waitUntil(lambda: not made.engine.working)


def test_dropped_scenes_are_mapped_as_the_run_mapped_its_own(
    panel: ApplyPanel, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "CROPS", 4)
    draw(tmp_path)
    run = run_for(job_for(tmp_path, "source_only"), tmp_path / "run")
    work(run)
    shutil.copy(tmp_path / "target.tif", tmp_path / "again.tif")
    panel.show_run(run.folder)
    assert panel.hint.isVisible()
    drop(panel, tmp_path / "again.tif", tmp_path / "again.tif")
    qtbot.waitUntil(lambda: panel.scenes.count() == 1)
    assert panel.scenes.count() == 1
    assert not panel.hint.isVisible()
    panel.to.setText(str(tmp_path / "out"))
    with qtbot.waitSignal(panel.engine.ended, timeout=ENGINE_MS):
        qtbot.mouseClick(panel.go, Qt.MouseButton.LeftButton)
        assert panel.engine.working
    assert panel.said.text().startswith("1 maps are in")
    with (
        rasterio.open(tmp_path / "out" / "again.class.tif") as applied,
        rasterio.open(run.maps / "target.class.tif") as own,
    ):
        np.testing.assert_array_equal(applied.read(), own.read())
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    qtbot.mouseClick(panel.show_folder, Qt.MouseButton.LeftButton)
    assert opened == [str(tmp_path / "out")]
    with qtbot.waitSignal(panel.show_requested) as asked:
        qtbot.mouseClick(panel.show_maps, Qt.MouseButton.LeftButton)
    assert asked.args == [run.folder, [tmp_path / "out" / "again.class.tif"]]


def test_the_images_of_a_folder_are_listed(
    panel: ApplyPanel, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.tif", "b.tif"):
        (tmp_path / name).write_bytes(b"not read")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    qtbot.mouseClick(panel.add_folder, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.scenes.count() == 2)
    assert not panel.show_maps.isVisible(), "there is none yet"


def test_closing_waits_for_the_engine_to_end(
    panel: ApplyPanel, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PROGRAM", (sys.executable, "-c", "import time; time.sleep(60)"))
    panel.show_run(tmp_path)
    panel.scenes.addItem("scene.tif")
    panel.go.setEnabled(True)
    panel.go.click()
    with qtbot.waitSignal(panel.engine.ended) as said:
        panel.close()
        assert panel.isVisible()
        assert "being stopped" in panel.said.text()
    assert said.args[0] == "stopped"
    assert not panel.isVisible()


def test_what_the_engine_refuses_is_said_in_its_sentence(
    panel: ApplyPanel, tmp_path: Path, qtbot: QtBot
) -> None:
    folder = run_folder("finished", tmp_path / "run")
    (tmp_path / "scene.tif").write_bytes(b"not read")
    panel.show_run(folder)
    drop(panel, tmp_path / "scene.tif")
    qtbot.waitUntil(lambda: panel.scenes.count() == 1)
    with qtbot.waitSignal(panel.engine.ended, timeout=ENGINE_MS) as said:
        panel.go.click()
    assert said.args[0] == "failed"
    assert "has no finished source-only model" in panel.said.text()
    assert panel.go.isEnabled()


def test_it_can_be_stopped_and_begun_again(panel: ApplyPanel, tmp_path: Path, qtbot: QtBot) -> None:
    panel.show_run(run_folder("finished", tmp_path / "run"))
    (tmp_path / "scene.tif").write_bytes(b"not read")
    drop(panel, tmp_path / "scene.tif")
    qtbot.waitUntil(lambda: panel.scenes.count() == 1)
    panel.go.click()
    with qtbot.waitSignal(panel.engine.ended, timeout=ENGINE_MS) as said:
        panel.stop.click()
    assert said.args == ["stopped", ""]
    assert "go on where it was" in panel.said.text()
    assert panel.go.isEnabled()


def test_warnings_stand_below_what_came_of_it(panel: ApplyPanel) -> None:
    panel.engine.heard.emit(Warned(text="scene.tif: is in other units"))
    panel.engine.ended.emit("done", "")
    assert panel.said.text().endswith("\nWarning: scene.tif: is in other units")


def test_nothing_can_be_made_without_a_run_and_a_scene(
    panel: ApplyPanel, tmp_path: Path, qtbot: QtBot
) -> None:
    assert "Choose a finished run" in panel.title.text()
    (tmp_path / "scene.tif").write_bytes(b"")
    drop(panel, tmp_path / "scene.tif")
    qtbot.waitUntil(lambda: panel.scenes.count() == 1)
    assert not panel.go.isEnabled()
    panel.show_run(tmp_path / "run")
    assert panel.go.isEnabled()
    panel.scenes.setCurrentRow(0)
    panel.remove.click()
    assert not panel.go.isEnabled()
