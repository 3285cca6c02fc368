"""Channel statistics: giving one feature map the mean and deviation of another, channel by channel.

Wu et al., "DCAN", ECCV 2018, section 3.1, with Huang & Belongie's adaptive instance normalisation (2017).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from core.networks.discriminator import cells_valid
from core.networks.segmentor import Segmentor, encoder_of, maps_of

EPS = 1e-5
LEAST_CELLS = 4
"""Fewer cells have no deviation worth the name."""


Over = Literal["crop", "batch"]
"""What statistics are taken of: each crop by itself (the paper), or all crops of a batch together."""


class ChannelStatistics(NamedTuple):
    """Of a feature map's valid cells: mean and std (b, f, 1, 1); `known` (b, 1, 1, 1) where enough count.

    The first dimension is 1 for statistics of a whole batch.
    """

    mean: Tensor
    std: Tensor
    known: Tensor


def channel_statistics(features: Tensor, valid: Tensor, over: Over = "crop") -> ChannelStatistics:
    """(b, f, h', w'), (b, h, w) validity of the images -> statistics of each image or of all, in float32."""
    counted = cells_valid(valid, features)
    together = (2, 3) if over == "crop" else (0, 2, 3)
    cells = counted.sum(together, keepdim=True)
    features = features.float()

    def over_valid(values: Tensor) -> Tensor:
        return (values * counted).sum(together, keepdim=True) / cells.clamp(min=1)

    mean = over_valid(features)
    variance = over_valid((features - mean).square())
    return ChannelStatistics(mean, (variance + EPS).sqrt(), cells >= LEAST_CELLS)


def align(
    features: Tensor, valid: Tensor, style: ChannelStatistics, strength: float = 1.0, over: Over = "crop"
) -> Tensor:
    """`features` with the statistics of `style`: (b, f, h', w') -> same; unchanged where either is unknown.

    Gradients pass through the features and their own statistics; detach the style's for a fixed aim.
    `strength` 0 to 1 goes from the features as they are to the style's statistics.
    """
    own = channel_statistics(features, valid, over)
    aligned = (features.float() - own.mean) / own.std * style.std + style.mean
    moved = torch.lerp(features.float(), aligned, strength)
    return torch.where(own.known & style.known, moved, features.float()).to(features.dtype)


@contextmanager
def aligned_features(
    segmentor: Segmentor, style: ChannelStatistics, strength: float = 1.0, over: Over = "crop"
) -> Iterator[None]:
    """Inside, the segmentor's decoder sees the encoder's last features with the statistics of `style`.

    Whatever the body: the encoder's answer is changed on its way out. Valid is what is not 0 in all bands
    of the images, or of the part of them, that the encoder sees.
    """

    def change(encoder: nn.Module, given: Any, returned: Any) -> Any:  # noqa: ARG001  # torch's signature
        maps, valid = maps_of(returned), (given[0] != 0).any(1)
        changed = [*maps[:-1], align(maps[-1], valid, style, strength, over)]
        return (changed, *returned[1:]) if isinstance(returned, tuple) else changed

    hook = encoder_of(segmentor.body).register_forward_hook(change)
    try:
        yield
    finally:
        hook.remove()
