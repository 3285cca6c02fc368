"""Is a model as sure on the target as it is right? Only check labels can tell, when all is chosen."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.bench import TARGET, Bench
from core.draws import rng
from core.imagery.data import Domain
from core.judging.calibration import Answers
from core.judging.signals import CROPS, parts, probabilities
from core.mapping.predictor import evaluating


def target_calibration(bench: Bench, signals: Mapping[str, Any]) -> dict[str, float]:
    """The calibration error on check labels as it is, and with the temperature that the held-out source
    gave; {} without check labels."""
    checked, temperature = _checked(bench), signals.get("temperature")
    if checked is None or temperature is None:
        return {}
    answers = Answers()
    with evaluating(bench.segmentor):
        for part in parts(checked.fixed_crops(rng(bench.job.seed, "check"), CROPS), bench.job.sampling.batch):
            batch = bench.batch(TARGET, part)
            answers.add(probabilities(bench.segmentor, batch.image), batch.label)
    if not len(answers):
        return {}
    return {
        "calibration_error": answers.error(),
        "calibration_error_tempered": answers.error(temperature),
        "temperature": temperature,
    }


def _checked(bench: Bench) -> Domain | None:
    """The mapped scenes of the target that have check labels, with these; None where there are none."""
    target, scenes = bench.domains[TARGET], bench.job.target.scenes
    enough = target.sampling.min_valid * target.index.cell_px**2
    chosen = [
        i
        for i, (place, scene) in enumerate(zip(target.places, scenes, strict=True))
        if scene.map and place.check and (target.index.valid[i] >= enough).any()
    ]
    if not chosen:
        return None
    places = [target.places[i] for i in chosen]
    labelled = [replace(place, labels=place.check.open()) for place in places if place.check]
    valid, classes = ([each[i] for i in chosen] for each in (target.index.valid, target.index.classes))
    return replace(target, places=labelled, index=replace(target.index, valid=valid, classes=classes))
