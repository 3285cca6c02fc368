"""The export dialog: an engine delivers what is ticked; cancelling and failing leave nothing half-made."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from delivered import finished_run
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app import command
from app.panels.export import ExportDialog
from core.delivery.parts import PARTS
from core.judging.comparison import read_outcome
from core.runs.map_files import map_path
from geo_io.write import read_tags

ROOT = Path(__file__).parents[3]
ENGINE_MS = 120_000
BUNDLE = "bundle.json"
HALF_MADE = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGTERM, signal.SIG_IGN)
to = Path(sys.argv[sys.argv.index("--to") + 1])
to.mkdir()
(to / "target.class.tif.partial").touch()
for done, now in ((100, 1), (500, 5)):
    print('{"kind": "progressed", "what": "classes of target", "done": %d, "total": 1000, "time": %d}'
          % (done, now), flush=True)
time.sleep(60)
"""
LOADED = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from app.panels.export import ExportDialog
from core.judging.comparison import read_outcome
app = QApplication([])
dialog = ExportDialog(read_outcome(Path(sys.argv[1])), Path(sys.argv[2]))
for part, tick in dialog.parts.items():
    tick.setChecked(part == "class")
dialog.engine.ended.connect(lambda how, _: print(how, "torch" in sys.modules))
dialog.engine.ended.connect(app.quit)
dialog.start()
app.exec()
"""


@pytest.fixture
def dialog(tmp_path: Path, qtbot: QtBot) -> ExportDialog:
    def leave(dialog: ExportDialog) -> None:
        dialog.cancel()
        qtbot.waitUntil(lambda: not dialog.engine.working)

    run = finished_run(tmp_path)
    (run.folder / "events.jsonl").touch()
    made = ExportDialog(read_outcome(run.folder), tmp_path / "out")
    qtbot.addWidget(made, before_close_func=leave)
    made.show()
    return made


def tick(dialog: ExportDialog, *parts: str) -> None:
    for part, each in dialog.parts.items():
        each.setChecked(part in parts)


def half_made(dialog: ExportDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start an engine that hears nothing, and wait until it has begun a file."""
    monkeypatch.setattr(command, "PATIENCE_MS", 100)
    monkeypatch.setattr(command, "PROGRAM", (sys.executable, "-c", HALF_MADE))
    dialog.start()
    qtbot.waitUntil(lambda: dialog.bar.value() == 500, timeout=ENGINE_MS)


def test_what_is_ticked_is_delivered(dialog: ExportDialog, tmp_path: Path, qtbot: QtBot) -> None:
    tick(dialog, "class", "report")
    exported: list[Path] = []
    dialog.exported.connect(exported.append)
    with qtbot.waitSignal(dialog.engine.ended, timeout=ENGINE_MS) as said:
        qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
        assert not dialog.inputs.isEnabled()
    assert said.args == ["done", ""]
    assert exported == [tmp_path / "out"]
    listed = json.loads((tmp_path / "out" / BUNDLE).read_text())
    assert {"target.class.tif", "report.html"} <= set(listed["files"])
    assert not (tmp_path / "out" / "target.confidence.tif").exists()
    assert str(tmp_path / "out") in dialog.said.text()
    assert dialog.show_folder.isEnabled()
    assert dialog.show_report.isEnabled()
    assert dialog.inputs.isEnabled()


def test_the_model_and_the_cleaning_reach_the_engine(
    dialog: ExportDialog, tmp_path: Path, qtbot: QtBot
) -> None:
    tick(dialog, "class")
    dialog.which.setCurrentIndex(dialog.which.findData("adapted"))
    dialog.cleaning.least.setValue(2500)
    assert "0.25 ha" in dialog.cleaning.hectares.text()
    dialog.cleaning.majority.setCurrentIndex(dialog.cleaning.majority.findData(5))
    with qtbot.waitSignal(dialog.engine.ended, timeout=ENGINE_MS) as said:
        dialog.go.click()
    assert said.args == ["done", ""]
    tags = read_tags(tmp_path / "out" / "target.class.tif")
    assert tags is not None
    assert tags["MODEL"] == "adapted"
    assert tags["CLEANED"] == "least_m2=2500, majority_px=5"
    assert not dialog.show_report.isEnabled()


def test_every_part_is_offered_with_what_it_is(dialog: ExportDialog) -> None:
    assert [(each.text(), each.toolTip()) for each in dialog.parts.values()] == list(PARTS.values())


def test_confidence_is_offered_where_the_run_has_it(dialog: ExportDialog, tmp_path: Path) -> None:
    map_path(tmp_path / "run", "adapted", "target", "confidence").unlink()
    confidence = dialog.parts["confidence"]
    for which, there in (("adapted", False), ("source-only", True)):
        dialog.which.setCurrentIndex(dialog.which.findData(which))
        assert (confidence.isEnabled(), confidence.isChecked()) == (there, there)


def test_cleaning_is_offered_where_it_shows(dialog: ExportDialog) -> None:
    cleaning = dialog.cleaning
    cleaning.least.setValue(100)
    cleaning.simplify.setValue(1.5)
    for parts, words in (
        (["class", "polygons"], ["--least-m2", "100.0", "--simplify-m", "1.5"]),
        (["class"], ["--least-m2", "100.0"]),
        (["polygons"], ["--least-m2", "100.0", "--simplify-m", "1.5"]),
        (["model", "report"], []),
    ):
        tick(dialog, *parts)
        assert cleaning.words() == words
        assert cleaning.majority.isEnabled() == bool(words)


def test_nothing_ticked_cannot_be_exported(dialog: ExportDialog) -> None:
    assert dialog.go.isEnabled()
    dialog.scenes.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert not dialog.go.isEnabled()
    dialog.scenes.item(0).setCheckState(Qt.CheckState.Checked)
    tick(dialog)
    assert not dialog.go.isEnabled()
    tick(dialog, "class")
    dialog.folder.clear()
    assert not dialog.go.isEnabled()


def test_progress_says_what_is_made_and_how_long_it_takes(
    dialog: ExportDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    half_made(dialog, qtbot, monkeypatch)
    assert dialog.said.text() == "classes of target, 5 s left"
    assert dialog.bar.isVisible()
    assert not dialog.go.isEnabled()


def test_cancelling_leaves_no_half_written_file(
    dialog: ExportDialog, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    half_made(dialog, qtbot, monkeypatch)
    assert list(tmp_path.rglob("*.partial"))
    with qtbot.waitSignal(dialog.engine.ended, timeout=ENGINE_MS):
        qtbot.mouseClick(dialog.stop, Qt.MouseButton.LeftButton)
    assert "Cancelled" in dialog.said.text()
    assert not list((tmp_path / "out").iterdir())
    assert dialog.go.isEnabled()
    assert not dialog.show_folder.isEnabled()


def test_closing_cancels_and_waits_for_the_engine(
    dialog: ExportDialog, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    half_made(dialog, qtbot, monkeypatch)
    dialog.close()
    assert dialog.isVisible()
    qtbot.waitUntil(lambda: not dialog.isVisible(), timeout=ENGINE_MS)
    assert not dialog.engine.working
    assert not list((tmp_path / "out").iterdir())


def test_what_the_engine_refuses_is_said_in_its_sentence(
    dialog: ExportDialog, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "out").write_text("a file")
    tick(dialog, "class")
    with qtbot.waitSignal(dialog.engine.ended, timeout=ENGINE_MS):
        dialog.go.click()
    assert "cannot be written (a file is where a folder should be)" in dialog.said.text()
    assert dialog.go.isEnabled()


def test_exporting_loads_no_torch_into_the_window(tmp_path: Path) -> None:
    words = [sys.executable, "-P", "-c", LOADED, str(finished_run(tmp_path).folder), str(tmp_path / "out")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout == "done False\n", done.stderr
