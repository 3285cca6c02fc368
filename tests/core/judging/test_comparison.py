"""Rows of a verdict and of scores: what changed, and whether for the better."""

import math
from pathlib import Path

import numpy as np
import pytest
from small_job import draw

from core.job import Job, load_job
from core.judging.comparison import Row, read_optional, score_rows, share_rows, signal_rows
from core.judging.metrics import Confusion
from core.variants import differences, first_difference

NAMES = ["water", "field"]


def verdict() -> dict[str, object]:
    """A verdict as a run writes it, of two classes."""
    both = {"information": 0.5, "confidence": 0.8, "holdout_miou": 0.9, "holdout_iou": {}}
    return {
        "chosen": "adapted",
        "source_only": {**both, "entropy": 0.4, "d4_agreement": 0.9, "shares": [0.2, 0.8]},
        "adapted": {**both, "entropy": 0.3, "d4_agreement": 0.8, "shares": [0.3, 0.7]},
    }


def test_signals_say_which_direction_helped() -> None:
    helped = {row.name: row.helped for row in signal_rows(verdict())}
    assert helped["uncertainty (entropy)"] is True
    assert helped["agreement under rotation"] is False
    assert helped["mutual information"] is None
    assert signal_rows(verdict())[0].change == pytest.approx(-0.1)


def test_a_run_that_adapted_nothing_has_no_signals_to_compare() -> None:
    nothing = {"chosen": "source-only", "sure": "clear", "reasons": ["nothing was adapted"]}
    assert signal_rows(nothing) == share_rows(nothing, NAMES) == []


def test_shares_have_no_better_direction() -> None:
    rows = share_rows(verdict(), NAMES)
    assert [(row.name, row.before, row.after, row.helped) for row in rows] == [
        ("water", 0.2, 0.3, None),
        ("field", 0.8, 0.7, None),
    ]


def test_scores_stand_side_by_side_and_the_undefined_stays_undefined() -> None:
    before, after = Confusion(2), Confusion(2)
    truth = np.zeros((4, 4), np.uint8)
    before.add(truth, np.ones_like(truth))
    after.add(truth, truth)
    rows = {row.name: row for row in score_rows(before.scores(NAMES), after.scores(NAMES), NAMES)}
    assert (rows["IoU water"].before, rows["IoU water"].after, rows["IoU water"].helped) == (0, 1, True)
    assert "IoU field" not in rows
    assert rows["mean IoU"].change == 1
    alone = score_rows(before.scores(NAMES), None, NAMES)
    assert {row.after for row in alone} == {None}
    assert {row.helped for row in alone} == {None}


def test_a_file_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert read_optional(tmp_path / "verdict.json") == {}


def test_a_change_too_small_to_show_is_none() -> None:
    assert Row("x", 0.5, 0.5001, "higher").helped is None


def test_every_difference_between_two_jobs_is_listed(tmp_path: Path) -> None:
    job = load_job(draw(tmp_path))
    content = job.model_dump(mode="json")
    content["schedule"]["steps"] = 9
    content["target"]["scenes"][0]["map"] = False
    content["legend"]["ignore"] = [255, 9]
    content["method"] = {"name": "advent", "options": {"entropy": 0.5}}
    other = Job.model_validate(content)
    found = {each.key: (each.one, each.other) for each in differences(job, other)}
    assert found == {
        "target.scenes.0.map": (True, False),
        "legend.ignore": ([255], [255, 9]),
        "schedule.steps": (2, 9),
        "method.name": ("source_only", "advent"),
        "method.options.entropy": (None, 0.5),
    }
    assert first_difference(job, job) is None
    unknown = job.source.model_copy(update={"nodata": math.nan})
    floats = job.model_copy(update={"source": unknown})
    assert first_difference(floats, floats.model_copy(deep=True)) is None
    assert first_difference(job, floats) == "source.nodata"
    assert first_difference(job, other) == "target.scenes.0.map"
