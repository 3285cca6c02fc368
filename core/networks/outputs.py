"""What a segmentor returns, and what a training step is fed: the two types every part speaks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from torch import Tensor


class Detail(NamedTuple):
    """A prediction of a part: logits (b, k, h, w) of `box` (top, left, h, w), and its weight in the loss."""

    logits: Tensor
    box: tuple[int, int, int, int]
    weight: float


@dataclass
class Outputs:
    """`logits` (b, k, h, w) at the input's size, auxiliary `heads` alike, the encoder's last `features`.

    `stages`: the encoder's features, finest first. `detail`: in training at several resolutions, what the
    fine view alone says of its box; its weight is taken from that of `logits`.
    """

    logits: Tensor
    heads: list[Tensor] = field(default_factory=list)
    features: Tensor | None = None
    stages: Sequence[Tensor] = ()
    detail: Detail | None = None


class Batch(NamedTuple):
    """Crops on the device.

    image (b, c, h, w) float, standardised, 0 where invalid; label (b, h, w) int64 with 255 = ignore;
    weight (b, h, w) float: a pixel's share in a loss, one concept for unlabelled pixels and
    pseudo-label trust; valid (b, h, w) bool: False under nodata.
    """

    image: Tensor
    label: Tensor
    weight: Tensor
    valid: Tensor
