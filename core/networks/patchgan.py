"""PatchGAN: is each 70 x 70 patch of an image real (Isola et al. 2017, as in CycleGAN)."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.generator import initialise
from core.networks.instance_norm import instance_norm


class PatchGan(nn.Module):
    """(b, c, h, w), 0 where invalid, (b, h, w) validity -> (b, 1, h', w') raw scores, a cell every 8 px.

    `layers` convolutions of stride 2 and two of stride 1: three of them see 70 px, from images of 24 px on;
    two see 34 px. Nodata counts in no normalisation.
    """

    def __init__(self, bands: int, width: int = 32, layers: int = 3) -> None:
        super().__init__()
        widths = [bands, *(width * min(2**n, 8) for n in range(layers + 1)), 1]
        self.layers = nn.ModuleList(
            nn.Conv2d(before, after, 4, 2 if n < layers else 1, 1)
            for n, (before, after) in enumerate(pairwise(widths))
        )
        initialise(self)

    def forward(self, image: Tensor, valid: Tensor) -> Tensor:
        seen = valid.unsqueeze(1).float()
        first, *middle, last = self.layers
        x = F.leaky_relu(first(image), 0.2)
        for layer in middle:
            x = F.leaky_relu(instance_norm(layer(x), seen), 0.2)
        scores: Tensor = last(x)
        return scores
