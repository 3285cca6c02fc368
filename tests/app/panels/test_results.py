"""Results of a recorded run: the verdict in words, figures before and after, what can be shown."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from pytestqt.qtbot import QtBot
from recorded import run_folder

from app import areas
from app.areas import AreaCount
from app.background import THREADS, Background
from app.panels.results import ResultsPanel
from core.files import read_json, write_json
from core.judging.comparison import read_outcome


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[ResultsPanel]:
    made = ResultsPanel()
    qtbot.addWidget(made)
    made.resize(560, 800)
    made.show()
    yield made
    made.show_run(None)


@pytest.fixture
def show(panel: ResultsPanel, qtbot: QtBot) -> object:
    def read(folder: Path) -> Path:
        panel.show_run(folder)
        qtbot.waitUntil(lambda: panel.outcome is not None and panel.outcome.folder == folder)
        return folder

    return read


def test_the_verdict_is_told_in_words_with_its_reasons(panel: ResultsPanel, show, tmp_path: Path) -> None:
    folder = show(run_folder("finished", tmp_path / "run"))
    verdict = read_json(folder / "verdict.json")
    assert verdict["chosen"] == "source-only"
    assert panel.verdict.text() == "Adapted is probably not better: the source-only model is kept"
    assert all(reason in panel.reasons.text() for reason in verdict["reasons"])
    assert "without any label" in panel.reasons.text()


@pytest.mark.parametrize(
    ("chosen", "sure", "said"),
    [
        ("adapted", "clear", "Adapting helped: all signs agree"),
        ("adapted", "likely", "Adapting probably helped"),
        ("adapted", "cannot tell", "It cannot be told whether adapting helped: nothing speaks against"),
        ("source-only", "cannot tell", "It cannot be told whether adapting helped: the source-only model"),
        ("source-only", "likely", "Adapted is probably not better"),
    ],
)
def test_it_never_sounds_surer_than_the_verdict(
    panel: ResultsPanel, show, tmp_path: Path, chosen: str, sure: str, said: str
) -> None:
    folder = run_folder("finished", tmp_path / "run")
    verdict = read_json(folder / "verdict.json")
    write_json(folder / "verdict.json", verdict | {"chosen": chosen, "sure": sure})
    show(folder)
    assert panel.verdict.text().startswith(said)


def test_signals_and_scores_stand_side_by_side_with_arrows_and_words(
    panel: ResultsPanel, show, tmp_path: Path
) -> None:
    folder = show(run_folder("finished", tmp_path / "run"))
    verdict, scores = read_json(folder / "verdict.json"), read_json(folder / "scores.json")
    rows = {row[0]: row[1:] for row in panel.signals.texts()}
    before, after = verdict["source_only"]["entropy"], verdict["adapted"]["entropy"]
    assert after < before
    assert rows["uncertainty (entropy)"] == [
        f"{before:.3f}",
        f"{after:.3f}",
        f"▼ {before - after:.3f} better",
    ]
    rows = {row[0]: row[1:] for row in panel.scores.texts()}
    assert rows["mean IoU"][0] == f"{scores['source-only']['miou']:.3f}"
    assert rows["IoU field"][2].endswith("worse")


def test_class_areas_are_counted_in_hectares(panel: ResultsPanel, show, tmp_path: Path, qtbot: QtBot) -> None:
    show(run_folder("finished", tmp_path / "run"))
    qtbot.waitUntil(lambda: panel.areas.isVisible())
    # Stripes of 32 x 96 pixels of a square metre; adapted gives 19 rows of the first to the second.
    rows = {row[0]: row[1:] for row in panel.areas.texts()}
    assert rows["water"] == ["0.31", "0.23", "▼ 0.07 (-24%)"]
    assert rows["field"][2].startswith("▲ 0.05")
    assert not panel.areas_note.isVisible()


def test_counting_areas_keeps_no_request_waiting(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, gate = read_outcome(run_folder("finished", tmp_path / "run")), threading.Event()
    monkeypatch.setattr(areas, "class_areas", lambda *_: gate.wait(10) and ())
    counts, heard = [AreaCount() for _ in range(THREADS)], list[str]()
    for count in counts:
        count.count(outcome)
    background = Background()
    background.run(lambda: "paused", heard.append, heard.append)
    qtbot.waitUntil(lambda: heard == ["paused"])
    assert not gate.is_set()
    for count in counts:
        count.stop()
    gate.set()


def test_a_damaged_map_is_said_beside_the_areas(
    panel: ResultsPanel, show, tmp_path: Path, qtbot: QtBot
) -> None:
    folder = run_folder("finished", tmp_path / "run")
    (folder / "maps" / "adapted" / "target.class.tif").write_bytes(b"no raster")
    show(folder)
    qtbot.waitUntil(lambda: "could not be counted" in panel.areas_note.text())
    assert "target.class.tif" in panel.areas_note.text()


def test_buttons_ask_the_map_to_show_layers(panel: ResultsPanel, show, tmp_path: Path, qtbot: QtBot) -> None:
    folder = show(run_folder("finished", tmp_path / "run"))
    for what in ("adapted", "source-only", "chosen", "confidence", "disagreement", "swipe"):
        with qtbot.waitSignal(panel.show_requested) as said:
            qtbot.mouseClick(panel.maps.buttons[what], Qt.MouseButton.LeftButton)
        assert said.args == [folder, "target", what]
    with qtbot.waitSignal(panel.export_requested) as said:
        qtbot.mouseClick(panel.export, Qt.MouseButton.LeftButton)
    assert said.args == [folder]


def test_what_needs_both_models_is_off_where_there_is_one(panel: ResultsPanel, show, tmp_path: Path) -> None:
    folder = run_folder("finished", tmp_path / "run")
    (folder / "maps" / "adapted" / "target.class.tif").unlink()
    show(folder)
    enabled = {what for what, button in panel.maps.buttons.items() if button.isEnabled()}
    assert enabled == {"chosen", "source-only", "confidence"}


def test_a_run_without_a_verdict_says_when_there_will_be_one(
    panel: ResultsPanel, show, tmp_path: Path
) -> None:
    show(run_folder("stopped", tmp_path / "run"))
    assert panel.verdict.text() == "The run has not come to a verdict yet"
    assert "when the training has ended" in panel.reasons.text()
    assert not panel.export.isVisible()


def test_a_folder_that_is_no_run_is_said(panel: ResultsPanel, tmp_path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.failed) as said:
        panel.show_run(tmp_path)
    assert "is not the folder of a run" in said.args[0]
    assert panel.verdict.text() == "No results yet"


def test_a_table_is_copied_as_text(panel: ResultsPanel, show, tmp_path: Path, qtbot: QtBot) -> None:
    show(run_folder("finished", tmp_path / "run"))
    panel.scores.setFocus()
    qtbot.keySequence(panel.scores, QKeySequence(QKeySequence.StandardKey.Copy))
    first, second, *_ = QGuiApplication.clipboard().text().splitlines()
    assert first == "Against check labels\tsource-only\tadapted\tchange"
    assert second.startswith("mean IoU\t0.")
