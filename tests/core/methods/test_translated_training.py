"""Methods that train on translated crops: who sees what in which phase, and what is jittered when."""

from pathlib import Path
from typing import Any

import pytest
from engines import NARROW, bench_for, job_for
from torch import Tensor

from core.bench import Bench
from core.networks.outputs import Batch, Outputs
from core.networks.segmentor import Segmentor
from core.parts.cyclegan import CycleGan
from core.parts.translator import Translator
from core.registry import choose

RAW, JITTERED, TRANSLATED_THEN_JITTERED = 0, 1000, 1200
"""Means of images that a translator adds 100 to, and jitter doubles and adds 1000: the order tells."""

ON_SOURCE, ON_BOTH = [TRANSLATED_THEN_JITTERED], [TRANSLATED_THEN_JITTERED, RAW]
COURSES: dict[str, dict[str, list[int]]] = {
    "cyclegan": {"train": ON_SOURCE},
    "cycada": {"train": ON_SOURCE, "adapt": ON_BOTH},
    "bdl": {"adapt 1": ON_BOTH, "retrain 1.1": ON_BOTH},
}


def look(image: Tensor) -> int:
    """What was done to an image of small numbers."""
    return round(image.mean().item() / 100) * 100


@pytest.mark.parametrize("name", COURSES)
def test_the_segmentor_learns_from_translated_crops_jittered_afterwards_and_the_translator_from_neither(
    places: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    seen: dict[str, list[int]] = {}
    learnt: list[int] = []
    forward = Segmentor.forward

    def watched(network: Segmentor, image: Tensor) -> Outputs:
        if network is bench.segmentor and network.training:
            seen.setdefault(bench.phase.name, []).append(look(image))
        return forward(network, image)

    def learn(_: CycleGan, source: Batch, target: Batch, *__: Any) -> dict[str, Tensor]:
        learnt.extend((look(source.image), look(target.image)))
        return {}

    monkeypatch.setattr(Segmentor, "forward", watched)
    monkeypatch.setattr(CycleGan, "learn", learn)
    monkeypatch.setattr(Translator, "to_target", lambda _, b: b._replace(image=b.image + 100))
    monkeypatch.setattr(Bench, "jitter", lambda _, b: b._replace(image=2 * b.image + 1000))
    job = job_for(places, name, NARROW, schedule={"steps": 10})
    bench, method = bench_for(job, places / "cache"), choose(job, name, NARROW)
    said = method.module.train(bench, method.options)
    steps = [bench.phase.name for each in said if isinstance(each, dict)]
    assert set(learnt) == {RAW}
    assert seen.pop("source") == [JITTERED] * steps.count("source")
    assert seen == {phase: expected * steps.count(phase) for phase, expected in COURSES[name].items()}
