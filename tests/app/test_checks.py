"""Preflight in the window: asked of the engine, told in plain words, and never of an older project."""

import sys
from pathlib import Path

import pytest
import small_job
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.edits import Document
from app.engine import Engine
from app.panels.checks import ChecksPanel
from app.panels.problem import ProblemDialog
from app.project import REMOVE
from core.checks.findings import Verdict

LOOK_MS = 60_000


@pytest.fixture
def document(qapp: QApplication, tmp_path: Path) -> Document:
    document = Document(qapp)
    document.open(small_job.draw(tmp_path))
    return document


@pytest.fixture
def panel(qtbot: QtBot, document: Document) -> ChecksPanel:
    panel = ChecksPanel(document)
    qtbot.addWidget(panel)
    panel.resize(700, 700)
    panel.show()
    return panel


def look(qtbot: QtBot, panel: ChecksPanel) -> Verdict:
    with qtbot.waitSignal(panel.verdict_changed, timeout=LOOK_MS, check_params_cb=bool):
        panel.again.click()
    assert panel.verdict is not None
    return panel.verdict


def texts(box: QLabel) -> str:
    return "\n".join(label.text() for label in box.findChildren(QLabel))


def test_a_sound_project_is_ready_and_its_classes_and_bands_are_drawn(
    qtbot: QtBot, panel: ChecksPanel, document: Document
) -> None:
    document.change("pretrained", {("network", "weights"): "imagenet"})
    verdict = look(qtbot, panel)
    assert panel.words.text() == "Ready to run"
    assert panel.faults == []
    assert panel.fault_box.isHidden()
    assert panel.warning_box.isHidden()
    assert [(name, round(share, 3), color) for name, share, color in panel.classes.bars] == [
        ("water", 0.312, "#0000ff"),
        ("forest", 0.344, "#008800"),
        ("field", 0.344, "#ffcc00"),
    ]
    assert [pair[0].band for pair in panel.bands.pairs] == ["red", "green", "blue"]
    assert "they differ by 1.00 times" in panel.pair.text()
    assert "red 0.0" in panel.pair.text()
    assert verdict.pair is not None


def test_a_fault_says_what_to_do_and_is_no_verdict_that_can_run(
    qtbot: QtBot, panel: ChecksPanel, document: Document, tmp_path: Path
) -> None:
    missing = str(tmp_path / "gone.tif")
    document.change("break", {("target", "scenes", 0, "path"): missing})
    verdict = look(qtbot, panel)
    assert len(verdict.faults) == 1
    assert panel.words.text() == "Cannot run: a fault"
    assert panel.faults[0].endswith("gone.tif: does not exist; check the path")
    assert "gone.tif: does not exist.\nWhat to do: check the path." in texts(panel.fault_box)
    assert panel.pair_box.isHidden()


def test_a_warning_lets_the_project_run(qtbot: QtBot, panel: ChecksPanel, document: Document) -> None:
    document.change("crop", {("sampling", "crop_px"): 100})
    verdict = look(qtbot, panel)
    assert verdict.warnings
    assert panel.faults == []
    assert panel.words.text().startswith("Can run, with")
    assert "What to do: lower sampling.crop_px" in texts(panel.warning_box)


def test_what_is_missing_is_said_at_once(panel: ChecksPanel, document: Document) -> None:
    document.change("empty", {("target", "scenes"): []})
    assert panel.words.text().startswith("Not ready")
    assert panel.faults == ["the target has no image"]
    assert "the target has no image" in texts(panel.fault_box)
    assert not panel.again.isEnabled()


def test_a_wrong_setting_is_the_sentence_of_the_job(panel: ChecksPanel, document: Document) -> None:
    panel.automatic.setChecked(False)
    document.change("break", {("sampling", "crop_px"): 1})
    panel.again.click()
    assert "crop_px" in panel.faults[0]
    assert panel.verdict is None


def test_an_edit_takes_the_verdict_back_and_asks_again_by_itself(
    qtbot: QtBot, panel: ChecksPanel, document: Document
) -> None:
    look(qtbot, panel)
    with qtbot.waitSignal(panel.verdict_changed) as gone:
        document.change("edit", {("target", "nodata"): 255.0})
    assert gone.args == [None]
    assert panel.verdict is None
    with qtbot.waitSignal(panel.verdict_changed, timeout=LOOK_MS) as again:
        pass
    assert isinstance(again.args[0], Verdict)


def test_colours_and_what_preflight_does_not_look_at_keep_the_verdict(
    qtbot: QtBot, panel: ChecksPanel, document: Document
) -> None:
    look(qtbot, panel)
    document.change("paint", {("legend", "classes", 0, "color"): "#123456"})
    document.change("longer", {("schedule", "steps"): 10})
    assert panel.verdict is not None


def test_without_looking_by_itself_it_waits_to_be_asked(
    qtbot: QtBot, panel: ChecksPanel, document: Document
) -> None:
    panel.automatic.setChecked(False)
    document.change("edit", {("target", "nodata"): 255.0})
    qtbot.wait(1000)
    assert panel.checker.state == "waiting"
    document.change("back", {("target", "nodata"): REMOVE})
    panel.automatic.setChecked(True)
    assert panel.checker.state == "looking"


def test_looking_can_be_stopped(qtbot: QtBot, panel: ChecksPanel) -> None:
    panel.again.click()
    assert panel.busy.isVisible()
    with qtbot.assertNotEmitted(panel.verdict_changed, wait=500):
        panel.stop.click()
    assert panel.checker.state == "waiting"
    assert not panel.busy.isVisible()


def test_an_engine_that_dies_is_a_sentence(qtbot: QtBot, document: Document) -> None:
    program = "import sys; print('Traceback: the cause', file=sys.stderr); sys.exit(1)"
    broken = Engine(program=[sys.executable, "-c", program])
    panel = ChecksPanel(document, engine=broken)
    qtbot.addWidget(panel)
    panel.check()
    qtbot.waitUntil(lambda: panel.checker.state == "failed")
    assert panel.words.text() == "The check itself failed"
    assert panel.faults
    assert panel.verdict is None
    next(each for each in panel.fault_box.findChildren(QPushButton) if each.text() == "Details").click()
    problem = panel.findChild(ProblemDialog)
    assert problem is not None
    assert problem.details.toPlainText() == "Traceback: the cause"
    problem.reject()
