"""The guarded choice: gates first, then evidence; the unadapted model always stays a candidate."""

from dataclasses import replace

from core.signals import Signals
from core.verdict import choose

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


def test_a_model_that_is_surer_steadier_and_no_poorer_is_taken() -> None:
    assert choose(BEFORE, SURER, PRIOR, NAMES).chosen == "adapted"


def test_a_model_that_is_less_sure_is_not() -> None:
    worse = replace(BEFORE, entropy=0.45, information=0.25, d4_agreement=0.80)
    assert choose(BEFORE, worse, PRIOR, NAMES).chosen == "source-only"


def test_no_change_is_not_called_better() -> None:
    assert choose(BEFORE, BEFORE, PRIOR, NAMES).chosen == "source-only"


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
