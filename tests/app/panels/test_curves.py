"""Curves of recorded runs and of one that grows; what is picked, smoothed, logarithmic, healthy."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from pytestqt.qtbot import QtBot
from recorded import at_work, run_folder

from app.following import Follower
from app.panels.curves import SCORE, CurvesPanel
from app.plot import line_pen, mark_of
from core.card import Healthy
from core.events import Evaluated, Stepped
from core.journal import Journal
from core.progress import Progress


@pytest.fixture
def panel(qtbot: QtBot) -> CurvesPanel:
    made = CurvesPanel()
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    return made


@pytest.fixture
def watch(panel: CurvesPanel, qtbot: QtBot) -> Iterator[object]:
    followers = []

    def begin(folder: Path) -> Progress:
        followers.append(Follower(folder))
        panel.show_run(followers[-1])
        qtbot.waitUntil(lambda: followers[-1].live and "supervised" in panel.plots[0].lines)
        return followers[-1].progress

    yield begin
    panel.show_run(None)
    for each in followers:
        each.close()


def test_every_loss_is_drawn_as_it_was_said(panel: CurvesPanel, watch, tmp_path: Path) -> None:
    progress = watch(run_folder("finished", tmp_path / "run"))
    drawn = panel.plots[0].lines
    assert drawn.keys() == progress.curves.keys()
    for name, curve in progress.curves.items():
        np.testing.assert_allclose(np.transpose(drawn[name]), curve)
    assert panel.plots[0].labels == ["source", "adapt"]
    assert not panel.hint.isVisible()


def test_a_live_run_grows_and_its_scores_have_a_plot_of_their_own(
    panel: CurvesPanel, watch, tmp_path: Path, qtbot: QtBot
) -> None:
    with at_work(tmp_path / "run") as folder:
        progress = watch(folder)
        before = len(progress.curves["supervised"])
        writer = Journal(folder)
        writer.write(Stepped(phase="source", step=59, losses={"supervised": 0.25}))
        writer.write(Evaluated(what="source-only so far", scores={"entropy": 0.5}, phase="source", step=59))
        writer.close()
        qtbot.waitUntil(lambda: panel.plots[1].lines[SCORE + "entropy"][0][-1] == 59)
        steps, values = panel.plots[0].lines["supervised"]
        assert (len(steps), steps[-1], values[-1]) == (before + 1, 59, 0.25)
        assert panel.plots[1].isVisible()


def test_a_curve_is_hidden_and_shown_by_its_tick(panel: CurvesPanel, watch, tmp_path: Path) -> None:
    watch(run_folder("finished", tmp_path / "run"))
    item = panel.picks.findItems("discriminator", Qt.MatchFlag.MatchExactly)[0]
    item.setCheckState(Qt.CheckState.Unchecked)
    assert "discriminator" not in panel.plots[0].lines
    item.setCheckState(Qt.CheckState.Checked)
    assert "discriminator" in panel.plots[0].lines


def test_smoothing_calms_a_curve(panel: CurvesPanel, watch, tmp_path: Path) -> None:
    watch(run_folder("finished", tmp_path / "run"))
    rough = panel.plots[0].lines["supervised"][1]
    panel.smoothing.setValue(100)
    assert np.ptp(panel.plots[0].lines["supervised"][1]) < np.ptp(rough)


def test_a_logarithmic_axis_leaves_out_what_is_not_positive(
    panel: CurvesPanel, watch, tmp_path: Path, qtbot: QtBot
) -> None:
    with at_work(tmp_path / "run") as folder:
        watch(folder)
        writer = Journal(folder)
        writer.write(Stepped(phase="source", step=59, losses={"supervised": 0.0}))
        writer.close()
        qtbot.waitUntil(lambda: panel.plots[0].lines["supervised"][1][-1] == 0)
        panel.set_healthy({"supervised": Healthy(0.0, 0.8, "healthy")})
        panel.log.click()
        assert np.isnan(panel.plots[0].lines["supervised"][1][-1])


def test_the_healthy_band_of_a_picked_loss_is_labelled(panel: CurvesPanel, watch, tmp_path: Path) -> None:
    watch(run_folder("finished", tmp_path / "run"))
    panel.set_healthy({"discriminator": Healthy(0.4, 0.8, "healthy"), "absent": Healthy(0, 1, "not drawn")})
    assert panel.plots[0].labels[-1:] == ["healthy"]
    assert "not drawn" not in panel.plots[0].labels


def test_curves_differ_in_colour_and_in_their_marks() -> None:
    looks = [(line_pen(number).color().name(), mark_of(number)) for number in range(35)]
    for one, other in itertools.pairwise(looks):
        assert one[0] != other[0]
        assert one[1] != other[1]
    assert all(a != b for a, b in itertools.combinations(looks, 2))


def test_the_plot_follows_the_palette(panel: CurvesPanel, watch, tmp_path: Path) -> None:
    watch(run_folder("finished", tmp_path / "run"))
    dark = QPalette()
    dark.setColor(QPalette.ColorRole.Base, QColor("#101010"))
    panel.setPalette(dark)
    picture = panel.plots[0].grab().toImage()
    assert picture.pixelColor(3, 3) == QColor("#101010")


def test_before_the_first_step_it_says_so(panel: CurvesPanel) -> None:
    panel.show_run(None)
    assert panel.hint.isVisible()
