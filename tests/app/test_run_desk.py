"""The run that is looked at: its panels follow it, results come with its end, what it made is shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from recorded import run_folder

from app.edits import Document
from app.history import History
from app.map.class_layers import ClassLayer
from app.panels.apply import ApplyPanel
from app.place_map import PlaceMap
from app.run_desk import RunDesk
from core.events import Pictured
from core.runs.run import open_run

ANSWER = {"methods": {"combined": {"healthy": {"discriminator": {"low": 0.4, "high": 0.7, "label": "fair"}}}}}


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[RunDesk]:
    window = QWidget()
    qtbot.addWidget(window)
    history = History(window)
    target = PlaceMap(Document(window), "target", window)
    desk = RunDesk(history, target, window)
    qtbot.addWidget(desk.watching)
    qtbot.addWidget(desk.results)
    yield desk
    history.close()
    target.close_map()


def test_a_finished_run_shows_its_results(desk: RunDesk, tmp_path: Path, qtbot: QtBot) -> None:
    folder = run_folder("finished", tmp_path / "run")
    desk.choose(folder)
    qtbot.waitUntil(lambda: desk.results.outcome is not None)
    assert desk.follower is not None
    assert desk.follower.folder == folder.resolve()
    desk.choose(None)
    assert desk.results.outcome is None


def test_the_end_of_another_run_is_not_told(desk: RunDesk, tmp_path: Path, qtbot: QtBot) -> None:
    ended: list[Any] = []
    desk._history.ended.connect(ended.append)
    desk.choose(run_folder("finished", tmp_path / "run"))
    qtbot.waitUntil(lambda: desk.results.outcome is not None)
    assert ended == [], "it had ended long before somebody looked"


def test_a_map_of_a_new_scene_is_shown(desk: RunDesk, tmp_path: Path, qtbot: QtBot) -> None:
    folder = run_folder("finished", tmp_path / "run")
    applied = folder / "maps" / "target.class.tif"
    desk.apply(folder)
    panel = desk._window.findChild(ApplyPanel)
    assert panel is not None
    panel.show_requested.emit(folder, [applied])
    target = desk.preview._map
    qtbot.waitUntil(lambda: target.result("run 0") is not None)
    layer = target.result("run 0")
    assert isinstance(layer, ClassLayer)
    assert (layer.path, layer.name) == (applied, "Map of target")


def test_the_healthy_bands_are_those_of_the_runs_method(
    desk: RunDesk, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked: list[Any] = []
    monkeypatch.setattr(desk.curves, "set_healthy", marked.append)
    desk.describe(ANSWER)
    desk.choose(run_folder("finished", tmp_path / "run"))
    qtbot.waitUntil(lambda: bool(marked))
    assert list(marked[-1]) == ["discriminator"]
    desk.choose(None)
    assert marked[-1] == {}


def test_only_previews_of_a_live_journal_are_shown(desk: RunDesk, tmp_path: Path, qtbot: QtBot) -> None:
    desk.choose(run_folder("finished", tmp_path / "run"))
    follower = desk.follower
    assert follower is not None
    qtbot.waitUntil(lambda: follower.live)
    shown: list[Any] = []
    beside: list[Path | None] = []
    names: list[str] = []

    def show(key: str, layer: Any) -> None:
        shown.append((key, layer.path.name))
        beside.append(layer.confidence)
        names.append(layer.name)

    desk.preview._map.show_result = show  # type: ignore[method-assign]
    desk.preview._set_job((open_run(follower.folder).job, []))  # the recorded run's images are not there
    layers = {"pseudo": "preview/p.tif", "confidence": "preview/c.tif"}
    picture = Pictured(what="preview", path="preview/000001.class.tif", layers=layers, step=7)
    follower.happened.emit(picture)
    assert shown == [], "the preview is off"
    desk.watch.preview.on.setChecked(True)
    follower.happened.emit(picture)
    assert shown == [("preview to come", "000001.class.tif")]
    assert beside == [follower.folder / "preview/c.tif"], "a click tells how sure the network is"
    desk.watch.preview.layer.setCurrentIndex(2)
    assert shown[-1] == ("preview to come", "p.tif")
    assert beside[-1] is None
    assert names == ["Preview, step 7: classes", "Preview, step 7: pseudo labels"]
    follower.happened.emit(picture.model_copy(update={"layers": {}}))
    assert shown[-1] == ("preview to come", "000001.class.tif")
    assert names[-1] == "Preview, step 7: classes, there are no pseudo labels yet"


def test_a_click_on_a_runs_map_tells_how_sure_it_is(desk: RunDesk, tmp_path: Path) -> None:
    folder = run_folder("finished", tmp_path / "run")
    desk.layers.show(folder, open_run(folder).job, "target", "chosen")
    layer = desk.layers._map.result("run 0")
    assert isinstance(layer, ClassLayer)
    assert layer.confidence == folder / "maps/target.confidence.tif"
