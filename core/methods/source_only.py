"""Source only: train on the labelled source and change nothing.

The model every adaptation is measured against, and the candidate that stays when adapting would
hurt. With `adabn` the batch-norm statistics are renewed on the target afterwards (Li et al. 2018,
"Adaptive Batch Normalization"): no label, no gradient, a minute's work.
"""

from collections.abc import Iterator

from pydantic import Field

from core.bench import SOURCE, TARGET, Bench, Losses
from core.options import Options as Base
from core.parts.losses import cross_entropy
from core.parts.normalisation import renew_statistics
from core.phases import Phase


class Options(Base):
    """Source-only training."""

    adabn: bool = Field(False, description="Renew batch-norm statistics on the target after training")
    adabn_batches: int = Field(32, ge=1, le=10_000, description="Batches of target crops for that")


def phases(options: Options, steps: int) -> list[Phase]:  # noqa: ARG001  # every method has this signature
    return [Phase("source", steps)]


def train(bench: Bench, o: Options) -> Iterator[Losses]:
    student = bench.segmentor
    optimizer = bench.optimizer(student)
    bench.keep(student=student, optimizer=optimizer)

    for (source,) in bench.steps("source", [SOURCE]):
        supervised = bench.backward(cross_entropy(student(source.image), source))
        bench.step(optimizer)
        yield {"supervised": supervised}

    if o.adabn:
        renew_statistics(student, bench.images(TARGET, "adabn", o.adabn_batches))
