"""Trying a method for some steps: on real crops, nothing indexed, nothing kept, to see how long they take."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np
import torch
from torch import Tensor

from core.bench import SOURCE, TARGET, Bench
from core.events import Progressed
from core.imagery.data import Domain, Sample
from core.networks.outputs import Batch
from core.registry import Chosen


@dataclass
class Few(Domain):
    """Every window may be drawn, as if it held every class: no index is read, crops and labels are real.

    Of crops to measure on there is a batch; `left_out` counts the others.
    """

    left_out: int = field(default=0)

    def fixed_crops(self, generator: np.random.Generator, limit: int) -> list[Sample]:
        few = min(limit, self.sampling.batch)
        self.left_out += 3 * limit - 2 * few  # each is seen twice, and as many held-out crops once
        return super().fixed_crops(generator, few)


class TrialBench(Bench):
    """A bench that knows since when it is at a step, and hands out one batch of `images` where a method
    asks for many; `left_out` counts the crops of the others."""

    left_out = 0
    begun = 0.0

    def steps(
        self, name: str, domains: Sequence[str] = (SOURCE, TARGET), jittered: bool = True
    ) -> Iterator[tuple[Batch, ...]]:
        self.begun = time.perf_counter()
        for batches in super().steps(name, domains, jittered):
            yield batches
            self.begun = time.perf_counter()

    def images(self, domain: str, purpose: str, count: int) -> Iterator[Tensor]:
        self.left_out += (count - 1) * self.job.sampling.batch
        yield from super().images(domain, purpose, 1)


def timed(bench: TrialBench, method: Chosen) -> dict[str, float]:
    """Phase -> seconds a step, without the first of several: that warms up."""
    taken: dict[str, list[float]] = {}
    for said in method.module.train(bench, method.options):
        if isinstance(said, Progressed):
            continue
        wait(bench.device)
        taken.setdefault(bench.phase.name, []).append(time.perf_counter() - bench.begun)
    untried = {phase.name: [0.0] for phase in method.phases if phase.name not in taken}
    return {name: median(seconds[1:] or seconds) for name, seconds in (taken | untried).items()}


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
