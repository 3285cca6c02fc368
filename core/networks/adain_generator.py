"""DCAN's image generator, behind its encoder: from aligned features back to an image.

Wu et al., "DCAN", ECCV 2018, section 3.2. A convolution a scale, without normalisation, which would take
away the statistics that the features were given.
"""

from collections.abc import Sequence
from itertools import chain
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

COARSEST_PX = 8
"""The stride at which features are taken, as that of VGG's relu4_1: coarser ones know no outlines."""


def middle(maps: Sequence[Tensor], image: Tensor) -> list[Tensor]:
    """Of an encoder's maps, finest first, one a scale down to a stride of 8 px, and always the finest."""
    kept = [maps[0]]
    for each in maps[1:]:
        if each.shape[-1] < kept[-1].shape[-1] and image.shape[-1] <= COARSEST_PX * each.shape[-1]:
            kept.append(each)
    return kept


class AdainGenerator(nn.Module):
    """(b, c, h, w) and maps (b, f, h', w'), finest first, all with the statistics wanted -> (b, c, h, w).

    It adds to the image, at first nothing: an untrained one gives the image that it was given.
    """

    def __init__(self, bands: int, channels: Sequence[int], width: int = 32) -> None:
        super().__init__()
        self.enter = _conv(channels[-1], width)
        self.blocks = nn.ModuleList(_conv(width + c, width) for c in chain(reversed(channels[:-1]), [bands]))
        self.leave = _conv(width, bands)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(cast(Tensor, self.leave.bias))

    def forward(self, image: Tensor, maps: Sequence[Tensor]) -> Tensor:
        x = F.relu(self.enter(maps[-1]))
        for block, finer in zip(self.blocks, chain(reversed(maps[:-1]), [image]), strict=True):
            x = F.interpolate(x, finer.shape[-2:], mode="nearest")
            x = F.relu(block(torch.cat([x, finer], 1)))
        made: Tensor = image + self.leave(x)
        return made


def _conv(channels: int, width: int) -> nn.Conv2d:
    return nn.Conv2d(channels, width, 3, padding=1, padding_mode="reflect")
