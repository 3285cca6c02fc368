"""A gate on AdaBN: renewed statistics stay only where the verdict would choose the model that has them."""

from collections.abc import Iterable

from torch import Tensor

from core.bench import Bench
from core.networks.segmentor import Segmentor
from core.parts.normalisation import renew_statistics
from core.signals import measure_signals, source_shares
from core.verdict import choose


def renew_if_chosen(bench: Bench, network: Segmentor, images: Iterable[Tensor]) -> bool:
    """Renew the statistics on `images`, judge both models on fixed crops, without a target label, and put the
    old ones back unless the new ones are chosen; returns whether they stayed, and notes why."""
    before = measure_signals(bench, network).signals
    old = {name: buffer.clone() for name, buffer in network.named_buffers()}
    renew_statistics(network, images)
    after = measure_signals(bench, network).signals
    job = bench.job
    found = choose(before, after, source_shares(bench), job.legend.names, job.expected_shares)
    stay = found.chosen == "adapted"
    why = "; ".join(found.reasons)
    bench.notes.append(
        f"AdaBN: the target's batch-norm statistics {'stay' if stay else 'are put back'}: {why}"
    )
    if not stay:
        for name, buffer in network.named_buffers():
            buffer.copy_(old[name])
    return stay
