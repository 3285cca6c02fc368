"""Gram matrices: the style of an image as the products of its feature channels (Gatys et al. 2016)."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from core.networks.discriminator import cells_valid
from core.networks.outputs import Batch

Describe = Callable[[Tensor], list[Tensor]]


def gram(features: Tensor, valid: Tensor) -> Tensor:
    """(b, f, h', w'), (b, h, w) -> (b, f, f) float32: mean product of each two channels over valid cells."""
    counted = cells_valid(valid, features)
    flat = (features.float() * counted).flatten(2)
    return flat @ flat.transpose(1, 2) / counted.flatten(1).sum(1).clamp(min=1).view(-1, 1, 1)


@torch.no_grad()
def mean_grams(describe: Describe, batches: Iterable[Batch]) -> list[Tensor]:
    """(f, f) for each map of `describe`: the mean over the images, which is FCAN's style of a domain."""
    total: list[Tensor] = []
    images = 0
    for batch in batches:
        images += int(batch.valid.flatten(1).any(1).sum())
        sums = [gram(maps, batch.valid).sum(0) for maps in describe(batch.image)]
        total = [old + new for old, new in zip(total, sums, strict=True)] if total else sums
    return [each / max(images, 1) for each in total]


def gram_distance(maps: Sequence[Tensor], valid: Tensor, wanted: Sequence[Tensor]) -> Tensor:
    """Squared distance to a style, (f, f) for each map, as a share of its size; a mean over the maps."""
    each = [
        (gram(found, valid) - style).square().mean() / style.square().mean().clamp(min=1e-12)
        for found, style in zip(maps, wanted, strict=True)
    ]
    return torch.stack(each).mean()
