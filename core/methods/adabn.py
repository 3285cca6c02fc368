"""AdaBN: batch-norm statistics renewed on the target, weights unchanged (Li et al. 2018).

The source-only model, then "Adaptive Batch Normalization": no label, no gradient, a minute's work.
It undoes a shift of every pixel alike; where the class shares differ it can do harm (see
benchmarks/accuracy.md for both).
"""

from collections.abc import Iterator

from pydantic import Field

from core.bench import TARGET, Bench, Losses
from core.card import Card
from core.options import Options as Base
from core.parts.normalisation import renew_statistics
from core.parts.warm_start import learn_source
from core.phases import Phase

CARD = Card(
    cost="source-only training and a minute",
    use="when sensor or light changed alike for every class; networks with batch norm only",
    kind="Without learning from the target",
)


class Options(Base):
    """Statistics of the target under the weights of the source."""

    batches: int = Field(32, ge=1, le=10_000, description="Batches of target crops to take statistics from")


def phases(options: Options, steps: int) -> list[Phase]:  # noqa: ARG001  # every method has this signature
    return [Phase("source", steps, 0, steps)]


def train(bench: Bench, o: Options) -> Iterator[Losses]:
    student = bench.segmentor
    optimizer = bench.optimizer(student)
    yield from learn_source(bench, student, optimizer)

    renew_statistics(student, bench.images(TARGET, "adabn", o.batches))
