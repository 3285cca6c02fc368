"""A gate on AdaBN: renewed statistics stay only where they make the model surer and no less steady."""

from collections.abc import Iterable

from torch import Tensor

from core.bench import Bench
from core.networks.segmentor import Segmentor
from core.parts.normalisation import renew_statistics
from core.signals import Signals, measure_signals
from core.verdict import HOLDOUT_DROP


def renew_where_steadier(bench: Bench, network: Segmentor, images: Iterable[Tensor]) -> bool:
    """Renew the statistics on `images`, measure both on fixed target crops, and put the old ones back
    unless the new ones are steadier; returns whether they stayed."""
    before = measure_signals(bench, network).signals
    old = {name: buffer.clone() for name, buffer in network.named_buffers()}
    renew_statistics(network, images)
    if steadier(before, measure_signals(bench, network).signals):
        return True
    for name, buffer in network.named_buffers():
        buffer.copy_(old[name])
    return False


def steadier(before: Signals, after: Signals) -> bool:
    """Lower entropy, no less agreement between the answers to an image and to it turned, and the held-out
    source still known: a model can get surer and steadier of wrong classes."""
    knows = before.holdout_miou - after.holdout_miou <= HOLDOUT_DROP
    return knows and after.entropy < before.entropy and after.d4_agreement >= before.d4_agreement
