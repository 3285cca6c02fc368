"""Training on the source alone: what source-only is, and what other methods begin with.

Those take up the run's source-only training at the end of its first steps, so that both must be one.
"""

from collections.abc import Iterator

import torch

from core.bench import SOURCE, Bench, Losses
from core.networks.segmentor import Segmentor
from core.parts.losses import cross_entropy


def learn_source(bench: Bench, student: Segmentor, optimizer: torch.optim.Optimizer) -> Iterator[Losses]:
    """The phase "source": cross-entropy on source crops, a step each."""
    bench.keep("source", student=student, optimizer=optimizer)
    for (source,) in bench.steps("source", [SOURCE]):
        supervised = bench.backward(cross_entropy(student(source.image), source))
        bench.step(optimizer)
        yield {"supervised": supervised}
