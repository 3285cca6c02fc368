"""An estimate asked from a small program that stands in for the engine."""

import sys
from pathlib import Path

import pytest
import yaml
from described import ready
from pytestqt.qtbot import QtBot

from app.edits import Document
from app.engine import Engine
from app.panels.estimate import EstimateLine
from core.cost import Cost, PhaseCost

PROGRAM = """
import shutil, sys, time
shutil.copy(sys.argv[2], "ASKED")
if "waits" in open(sys.argv[2]).read():
    time.sleep(60)
print(open("ANSWER").read())
sys.exit("error: b.tif: does not exist; check the path" if "broken" in open(sys.argv[2]).read() else 0)
"""


@pytest.fixture
def document(tmp_path: Path) -> Document:
    return ready(tmp_path)


@pytest.fixture
def line(qtbot: QtBot, tmp_path: Path, document: Document) -> EstimateLine:
    phase = PhaseCost(name="adapt", steps=1000, seconds_per_step=0.6)
    cost = Cost(
        device="cpu",
        phases=[phase],
        judging_s=60,
        maps_s=60,
        tiles=4,
        memory_gib=7.9,
        memory_there_gib=8,
        disk_gib=0.1,
        disk_free_gib=0,
    )
    (tmp_path / "answer").write_text(cost.model_dump_json())
    program = tmp_path / "program.py"
    text = PROGRAM.replace("ASKED", str(tmp_path / "asked.yaml")).replace("ANSWER", str(tmp_path / "answer"))
    program.write_text(text)
    found = EstimateLine(document, Engine(program=[sys.executable, str(program)]))
    qtbot.addWidget(found)
    found._rest.setInterval(0)
    found.automatic = False
    found.show()
    found.set_ready(True)
    return found


def test_the_draft_is_asked_about_and_the_answer_said_in_words(
    line: EstimateLine, qtbot: QtBot, document: Document, tmp_path: Path
) -> None:
    document.change("name", {("name",): "draft"})
    with qtbot.waitSignal(line.estimated):
        line.ask.click()
    assert yaml.safe_load((tmp_path / "asked.yaml").read_text())["name"] == "draft"
    assert line.words.text().startswith("Time and memory: about 12 min on cpu, 7.9 GiB of memory")
    # Of the disk that the run will be on, not of the engine's draft.
    assert "⚠ needs about 7.9 GiB of memory" in line.words.text()
    assert "are free" not in line.words.text()
    assert "1000 steps of adapt" in line.words.toolTip()


def test_an_edit_makes_it_unknown_and_drops_the_question(
    line: EstimateLine, qtbot: QtBot, document: Document, tmp_path: Path
) -> None:
    document.change("name", {("name",): "waits"})
    line.ask.click()
    qtbot.waitUntil((tmp_path / "asked.yaml").exists)
    document.change("seed", {("seed",): 1})
    assert not line._engine.busy
    assert line.words.text() == "Time and memory: unknown"


def test_a_failure_is_said(line: EstimateLine, qtbot: QtBot, document: Document, tmp_path: Path) -> None:
    (tmp_path / "answer").write_text("")
    document.change("name", {("name",): "broken"})
    line.ask.click()
    qtbot.waitUntil(lambda: "unknown (b.tif: does not exist" in line.words.text())


def test_an_incomplete_project_is_not_asked_about(line: EstimateLine) -> None:
    line.set_ready(False)
    assert not line.ask.isEnabled()
    assert line.words.text() == "Time and memory: unknown until the project is complete"


def test_it_asks_by_itself_when_the_user_rests(line: EstimateLine, qtbot: QtBot, document: Document) -> None:
    line.automatic = True
    with qtbot.waitSignal(line.estimated):
        document.change("seed", {("seed",): 1})


def test_a_hidden_line_asks_nothing(line: EstimateLine, qtbot: QtBot, document: Document) -> None:
    line.automatic = True
    line.hide()
    document.change("seed", {("seed",): 1})
    qtbot.wait(50)
    assert not line._engine.busy
    with qtbot.waitSignal(line.estimated):
        line.show()
