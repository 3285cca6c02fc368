"""Two recorded runs side by side."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pytestqt.qtbot import QtBot
from recorded import empty_run, run_folder

from app.history import History
from app.panels.compare import ComparePanel
from core.files import read_json, write_json


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[ComparePanel]:
    history = History()
    made = ComparePanel(history)
    qtbot.addWidget(made)
    made.resize(700, 900)
    made.show()
    yield made
    history.close()


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """Two runs with the same outcome, but for what a test changes."""
    return run_folder("finished", tmp_path / "one"), run_folder("resumed", tmp_path / "other")


def change_job(folder: Path) -> None:
    job = yaml.safe_load((folder / "job.yaml").read_text())
    job["schedule"]["lr"] = 0.25
    job["legend"]["classes"][1]["name"] = "meadow"
    (folder / "job.yaml").write_text(yaml.safe_dump(job))


def show(panel: ComparePanel, runs: tuple[Path, Path], qtbot: QtBot) -> None:
    panel.show_runs(*runs)
    qtbot.waitUntil(lambda: panel.title.text() == "one and other")


def test_what_is_on_its_way_is_said_and_why_it_does_not_come(
    panel: ComparePanel, runs: tuple[Path, Path], qtbot: QtBot
) -> None:
    panel.show_runs(*runs)
    assert panel.title.text() == "Reading one and other..."
    assert not panel.scores.isVisible()
    qtbot.waitUntil(panel.scores.isVisible)
    (runs[1] / "job.yaml").write_text("{")
    with qtbot.waitSignal(panel.failed) as told:
        panel.show_runs(*runs)
    assert panel.title.text() == told.args[0]
    assert not panel.scores.isVisible()


def test_every_option_that_differs_is_listed(
    panel: ComparePanel, runs: tuple[Path, Path], qtbot: QtBot
) -> None:
    change_job(runs[1])
    show(panel, runs, qtbot)
    rows = {row[0]: row[1:] for row in panel.options.texts()}
    assert rows["schedule.lr"] == ["0.003", "0.25"]
    assert rows["legend.classes.1.name"] == ["field", "meadow"]
    assert not any(key.startswith("sampling") for key in rows)


def test_scores_and_shares_are_of_the_maps_that_were_chosen(
    panel: ComparePanel, runs: tuple[Path, Path], qtbot: QtBot
) -> None:
    verdict = read_json(runs[1] / "verdict.json")
    write_json(runs[1] / "verdict.json", verdict | {"chosen": "adapted"})
    show(panel, runs, qtbot)
    scores = read_json(runs[0] / "scores.json")
    rows = {row[0]: row[1:] for row in panel.scores.texts()}
    assert rows["mean IoU"][0] == f"{scores['source-only']['miou']:.3f}"
    assert rows["mean IoU"][1] == f"{scores['adapted']['miou']:.3f}"
    assert rows["mean IoU"][2].endswith("worse")
    shares = {row[0]: row[1:] for row in panel.shares.texts()}
    assert shares["water"][1] == f"{verdict['adapted']['shares'][0]:.3f}"


def test_classes_of_another_legend_have_their_own_row(
    panel: ComparePanel, runs: tuple[Path, Path], qtbot: QtBot
) -> None:
    change_job(runs[1])
    show(panel, runs, qtbot)
    shares = {row[0]: row[1:] for row in panel.shares.texts()}
    assert shares["field"][1] == "–"
    assert shares["meadow"][0] == "–"


def test_both_curves_of_a_loss_are_drawn(panel: ComparePanel, runs: tuple[Path, Path], qtbot: QtBot) -> None:
    show(panel, runs, qtbot)
    qtbot.waitUntil(lambda: panel.losses.choice.findText("discriminator") >= 0)
    panel.losses.choice.setCurrentText("discriminator")
    plot = panel.losses.plot
    assert plot is not None
    qtbot.waitUntil(lambda: plot.lines.keys() == {"one", "other"})
    assert len(plot.lines["one"][0]) == 30


def test_both_curves_of_a_score_are_drawn_beside_them(
    panel: ComparePanel, runs: tuple[Path, Path], qtbot: QtBot
) -> None:
    show(panel, runs, qtbot)
    scores = panel.score_curves
    qtbot.waitUntil(lambda: scores.choice.findText("confidence") >= 0)
    assert scores.choice.itemText(0) == "uncertainty (entropy)"
    scores.choice.setCurrentText("confidence")
    assert scores.plot is not None
    qtbot.waitUntil(lambda: scores.plot.lines.keys() == {"one", "other"})
    assert list(scores.plot.lines["one"][0]) == [10, 20, 30, 40, 50, 70, 80]
    assert panel.losses.isVisible()


def test_runs_without_scores_show_no_plot_of_them(panel: ComparePanel, tmp_path: Path, qtbot: QtBot) -> None:
    runs = tmp_path / "one", tmp_path / "other"
    for folder in runs:
        empty_run(folder)
    panel.show_runs(*runs)
    qtbot.waitUntil(lambda: panel.title.text() == "one and other")
    assert not panel.score_curves.isVisible()


def test_a_run_that_has_no_verdict_yet_can_be_compared(
    panel: ComparePanel, tmp_path: Path, qtbot: QtBot
) -> None:
    runs = run_folder("finished", tmp_path / "one"), run_folder("stopped", tmp_path / "other")
    show(panel, runs, qtbot)
    rows = {row[0]: row[1:] for row in panel.verdicts.texts()}
    assert rows["did adapting help"][1] == "The run has not come to a verdict yet"
    assert rows["chosen model"] == ["source-only", "–"]
