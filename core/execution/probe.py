"""Scores over time: a quick, label-free look at the model in training, every so many steps."""

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from core.bench import Bench
from core.events import Evaluated
from core.execution.preview import undisturbed
from core.job import Job
from core.judging.signals import Crops, Signals, disagreement, fixed_crops, measure_signals

CROPS = 8
"""Fixed crops of each domain: enough to see a trend."""
LARGE_CROP_PX = 512
"""Of larger crops there are fewer, as they are kept in memory."""
KEPT = "classes of the last probe"
COST = 0.03
"""Most of the training's time that probing may take where a job does not say how often."""


class Probe:
    """Measures the model that would make the map now, always on the same crops; training is not disturbed.

    `changed` is the share of target pixels whose class is not that of the probe before: of pseudo labels,
    where a teacher makes the map. A checkpoint keeps the last answer, so that a resumed run goes on.
    """

    def __init__(self, bench: Bench, stage: str) -> None:
        self.bench, self.stage = bench, stage
        self.every = every(bench.job)
        resume = bench.resume
        self.before = resume.kept.get(KEPT) if resume and resume.stage == stage else None

    def after_step(self) -> Iterator[Evaluated]:
        """The scores after the step at hand, where they are due; on the first of several devices."""
        bench, step = self.bench, self.bench.step_now + 1
        if (
            not self.every
            or step % self.every
            or step == bench.phase.steps
            or not bench.fabric.is_global_zero
        ):
            return
        with undisturbed(bench.device):
            found = measure_signals(bench, bench.mapper, self._crops, both_looks=False)
        scores = _scores(found.signals, bench.job.legend.names)
        if self.before is not None:
            scores["changed"] = disagreement(self.before, found.classes)
        self.before = found.classes
        yield Evaluated(what=f"{self.stage} so far", scores=scores, phase=bench.phase.name, step=step)

    @cached_property
    def _crops(self) -> Crops:
        return fixed_crops(self.bench, _count(self.bench.job))


def every(job: Job) -> int:
    """Steps between two probes, 0 for never.

    A step forwards and back-propagates a batch at least once, at the cost of more than two forward passes;
    a probe forwards each target crop twice and each held-out crop once.
    """
    if job.schedule.evaluate_every is not None:
        return job.schedule.evaluate_every
    return math.ceil(3 * _count(job) / (COST * 2 * job.sampling.batch) / 10) * 10


def _count(job: Job) -> int:
    return max(min(CROPS, CROPS * LARGE_CROP_PX**2 // job.sampling.crop_px**2), 2)


def _scores(found: Signals, names: list[str]) -> dict[str, Any]:
    return {
        "entropy": found.entropy,
        "d4_agreement": found.d4_agreement,
        "confidence": found.confidence,
        "holdout_miou": found.holdout_miou,
        "shares": dict(zip(names, found.shares, strict=True)),
    }
