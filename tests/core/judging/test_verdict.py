"""The guarded choice: gates first, then evidence; the unadapted model always stays a candidate."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engines import draw, job_for, run_for, work

from core.files import read_json
from core.judging import signals, verdict
from core.judging.signals import Signals
from core.judging.verdict import Verdict, choose

NAMES = ["water", "field", "town"]
PRIOR = [0.2, 0.6, 0.2]
BEFORE = Signals(
    entropy=0.40,
    information=0.30,
    d4_agreement=0.85,
    shares=[0.2, 0.7, 0.1],
    confidence=0.8,
    holdout_miou=0.80,
    holdout_iou={name: 0.8 for name in NAMES},
)
SURER = replace(BEFORE, entropy=0.30, information=0.35, d4_agreement=0.90)
MIXED = replace(BEFORE, entropy=0.45, information=0.35, d4_agreement=0.84)
NO_SURER = replace(MIXED, entropy=0.41)
"""Within what may rise by chance."""


def test_a_model_that_is_surer_steadier_and_no_poorer_is_taken() -> None:
    assert choose(BEFORE, SURER, PRIOR, NAMES).chosen == "adapted"


def test_a_model_that_is_less_sure_is_not() -> None:
    worse = replace(BEFORE, entropy=0.45, information=0.25, d4_agreement=0.80)
    assert choose(BEFORE, worse, PRIOR, NAMES).chosen == "source-only"


def test_a_model_that_is_steadier_but_less_sure_of_its_classes_is_not_taken_either() -> None:
    found = choose(BEFORE, replace(SURER, entropy=0.43), PRIOR, NAMES)
    assert (found.chosen, found.sure) == ("source-only", "cannot tell")
    assert choose(BEFORE, replace(SURER, information=0.29), PRIOR, NAMES).sure == "likely"


def test_a_model_hardly_less_sure_is_taken_as_sure_as_its_signs_are() -> None:
    found = choose(BEFORE, replace(SURER, entropy=0.41), PRIOR, NAMES)
    assert (found.chosen, found.sure) == ("adapted", "likely")
    found = choose(BEFORE, NO_SURER, PRIOR, NAMES)
    assert (found.chosen, found.sure) == ("adapted", "cannot tell")
    assert choose(BEFORE, replace(NO_SURER, information=0.29), PRIOR, NAMES).chosen == "source-only"


def test_a_model_that_is_surer_than_right_on_the_source_is_not_taken() -> None:
    seen, sober = replace(BEFORE, temperature=1.3), replace(SURER, temperature=1.5)
    assert choose(seen, sober, PRIOR, NAMES).chosen == "adapted"
    found = choose(seen, replace(sober, temperature=1.8), PRIOR, NAMES)
    assert (found.chosen, found.reasons) == (
        "source-only",
        ["surer than right on held-out source blocks (temperature 1.30 to 1.80)"],
    )
    assert (
        choose(replace(seen, temperature=1.9), replace(sober, temperature=1.8), PRIOR, NAMES).chosen
        == "adapted"
    )
    assert choose(BEFORE, replace(sober, temperature=1.8), PRIOR, NAMES).chosen == "adapted", "not measured"


def test_a_model_must_know_its_classes_in_the_sources_look_or_in_the_targets() -> None:
    seen = replace(BEFORE, holdout_moved_miou=0.45)
    forgot = replace(SURER, holdout_miou=0.70)
    assert choose(seen, forgot, PRIOR, NAMES).chosen == "source-only"
    assert choose(seen, replace(forgot, holdout_moved_miou=0.72), PRIOR, NAMES).chosen == "adapted"
    assert choose(seen, replace(forgot, holdout_moved_miou=0.48), PRIOR, NAMES).chosen == "source-only"
    assert choose(BEFORE, replace(forgot, holdout_moved_miou=0.72), PRIOR, NAMES).chosen == "source-only"


def test_knowing_the_classes_in_the_targets_look_makes_up_for_being_less_sure() -> None:
    seen = replace(BEFORE, holdout_moved_miou=0.45)
    unsure = replace(SURER, entropy=0.45, information=0.25)
    assert choose(seen, replace(unsure, holdout_moved_miou=0.48), PRIOR, NAMES).chosen == "source-only"
    found = choose(seen, replace(unsure, holdout_moved_miou=0.52), PRIOR, NAMES)
    assert (found.chosen, found.sure) == ("adapted", "likely")
    assert "with the target's brightness (+0.070 mIoU" in found.reasons[-1]
    unsteady = replace(unsure, d4_agreement=0.84, holdout_moved_miou=0.60)
    assert choose(seen, unsteady, PRIOR, NAMES).chosen == "source-only", "one sign of four"


def test_no_change_is_not_called_better() -> None:
    found = choose(BEFORE, BEFORE, PRIOR, NAMES)
    assert (found.chosen, found.sure) == ("source-only", "likely")
    assert all(reason.startswith("no ") for reason in found.reasons)


def test_signs_that_contradict_each_other_cannot_tell_and_say_which_way_each_points() -> None:
    found = choose(BEFORE, MIXED, PRIOR, NAMES)
    assert (found.chosen, found.sure) == ("source-only", "cannot tell")
    sure, steady, classes = found.reasons
    assert sure == "less sure of its classes (entropy 0.400 to 0.450)"
    assert steady == "less steady when the image is turned (85.0% to 84.0% of pixels keep their class)"
    assert classes.startswith("sure of more different classes")


def test_a_class_that_vanishes_or_floods_the_map_is_an_alarm_that_names_it() -> None:
    vanished = choose(BEFORE, replace(SURER, shares=[0.25, 0.745, 0.005]), PRIOR, NAMES)
    assert vanished.chosen == "source-only"
    assert any("town" in reason for reason in vanished.reasons)
    few = replace(BEFORE, shares=[0.01, 0.89, 0.1])
    flooded = choose(few, replace(SURER, shares=[0.5, 0.4, 0.1]), [0.1, 0.7, 0.2], NAMES)
    assert flooded.chosen == "source-only"
    assert any("water" in reason for reason in flooded.reasons)


def test_mending_what_source_only_overdid_is_no_alarm() -> None:
    overdone = replace(BEFORE, shares=[0.2, 0.4, 0.4])
    assert (
        choose(overdone, replace(SURER, shares=[0.2, 0.77, 0.03]), [0.2, 0.78, 0.02], NAMES).chosen
        == "adapted"
    )


def test_forgetting_the_source_is_an_alarm_however_sure_the_model() -> None:
    assert choose(BEFORE, replace(SURER, holdout_miou=0.60), PRIOR, NAMES).chosen == "source-only"


def test_answering_a_turned_image_otherwise_is_an_alarm_however_sure_the_model() -> None:
    assert choose(BEFORE, replace(SURER, d4_agreement=0.82), PRIOR, NAMES).chosen == "source-only"


def test_the_verdict_carries_its_figures_and_reasons() -> None:
    found = choose(BEFORE, SURER, PRIOR, NAMES)
    assert found.reasons
    assert found.adapted["entropy"] == 0.30
    assert found.sure in ("clear", "likely", "cannot tell")


def test_a_class_said_to_be_absent_that_adapting_paints_is_an_alarm_that_names_it() -> None:
    painted = replace(SURER, shares=[0.2, 0.66, 0.14])
    assert choose(BEFORE, painted, PRIOR, NAMES).chosen == "adapted"
    found = choose(BEFORE, painted, PRIOR, NAMES, {"town": 0})
    assert found.chosen == "source-only"
    assert any("town is said to be absent" in reason for reason in found.reasons)


def test_painting_less_of_an_absent_class_than_before_is_no_alarm() -> None:
    less = replace(SURER, shares=[0.2, 0.795, 0.005])
    assert choose(BEFORE, less, PRIOR, NAMES).chosen == "source-only", "town vanished, as far as is known"
    assert choose(BEFORE, less, PRIOR, NAMES, {"town": 0}).chosen == "adapted"


def test_an_expected_share_counts_instead_of_the_sources() -> None:
    few = replace(BEFORE, shares=[0.01, 0.89, 0.1])
    more = replace(SURER, shares=[0.5, 0.4, 0.1])
    assert choose(few, more, [0.1, 0.7, 0.2], NAMES).chosen == "source-only"
    assert choose(few, more, [0.1, 0.7, 0.2], NAMES, {"water": 0.45}).chosen == "adapted"
    gone = replace(SURER, shares=[0.005, 0.895, 0.1])
    assert choose(BEFORE, gone, PRIOR, NAMES, {"water": 0.01}).chosen == "adapted"
    assert choose(BEFORE, gone, PRIOR, NAMES, {"field": 0.9}).chosen == "source-only"


def test_a_run_judges_by_what_its_job_expects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "CROPS", 4)
    draw(tmp_path)
    heard = []

    def listen(*given: Any) -> Verdict:
        heard.append(given[4])
        return choose(*given)

    monkeypatch.setattr(verdict, "choose", listen)
    job = job_for(tmp_path, "combined").model_copy(update={"expected_shares": {"town": 0}})
    run = run_for(job, tmp_path / "run")
    work(run)
    assert heard == [{"town": 0}]
    assert read_json(run.folder / "verdict.json")["expected_shares"] == {"town": 0}


@pytest.mark.parametrize(
    ("after", "gain", "choice"),
    [
        (MIXED, (0.01, 0.05), ("adapted", "likely")),
        (MIXED, (-0.01, 0.05), ("source-only", "cannot tell")),
        (SURER, (-0.01, 0.05), ("adapted", "clear")),
        (SURER, (-0.05, -0.01), ("source-only", "likely")),
        (replace(SURER, holdout_miou=0.6), (0.01, 0.05), ("source-only", "likely")),
    ],
)
def test_reverse_validation_counts_where_it_is_beyond_doubt_and_lifts_no_alarm(
    after: Signals, gain: tuple[float, float], choice: tuple[str, str]
) -> None:
    low, high = gain
    reverse = {"miou": (low + high) / 2, "low": low, "high": high}
    found = choose(BEFORE, after, PRIOR, NAMES, None, reverse)
    assert (found.chosen, found.sure) == choice
