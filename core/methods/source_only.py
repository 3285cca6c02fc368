"""Source only: train on the labelled source and change nothing.

The model every adaptation is measured against, and the candidate that stays when adapting would hurt.
"""

from collections.abc import Iterator

from core.bench import Bench, Losses
from core.card import Card
from core.options import Options as Base
from core.parts.warm_start import learn_source
from core.phases import Phase

CARD = Card(
    cost="the least: one forward and one backward pass a step",
    use="to see how far the source's labels carry alone; every other method is compared with it",
    kind="Without learning from the target",
)


class Options(Base):
    """Source-only training has no options beyond the job's."""


def phases(options: Options, steps: int) -> list[Phase]:  # noqa: ARG001  # every method has this signature
    return [Phase("source", steps)]


def train(bench: Bench, o: Options) -> Iterator[Losses]:  # noqa: ARG001  # every method has this signature
    student = bench.segmentor
    optimizer = bench.optimizer(student)
    yield from learn_source(bench, student, optimizer)
