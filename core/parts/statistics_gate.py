"""A gate on AdaBN: renewed statistics stay only where the verdict would choose the model that has them."""

import copy
from collections.abc import Iterable, Iterator

from torch import Tensor

from core.bench import Bench
from core.events import Progressed
from core.judging.signals import Measured, measuring, source_shares
from core.judging.verdict import choose
from core.networks.segmentor import Segmentor
from core.parts.normalisation import renew_statistics

OLD, NEW = "judging the source's statistics", "judging the target's statistics"


def renew_if_chosen(bench: Bench, network: Segmentor, images: Iterable[Tensor]) -> Iterator[Progressed]:
    """Renew the statistics on `images` if a network that has them is judged better on fixed crops, without a
    target label, and note why. Whenever this yields the network is as it was: a run may be stopped there."""
    renewed = copy.deepcopy(network)
    renew_statistics(renewed, images)
    measured = []
    for what, model in ((OLD, network), (NEW, renewed)):
        for said in measuring(bench, model, what=what):
            if isinstance(said, Measured):
                measured.append(said.signals)
            else:
                yield said
    job = bench.job
    before, after = measured
    found = choose(before, after, source_shares(bench), job.legend.names, job.expected_shares)
    stay = found.chosen == "adapted"
    why = "; ".join(found.reasons)
    bench.notes.append(
        f"AdaBN: the target's batch-norm statistics {'stay' if stay else 'are put back'}: {why}"
    )
    if stay:
        for old, new in zip(network.buffers(), renewed.buffers(), strict=True):
            old.copy_(new)
