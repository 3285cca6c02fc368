"""Between a domain's standardised units and the [-1, 1] of a tanh, band by band, without loss."""

from typing import Self

import torch
from torch import Tensor, nn

from geo_io.band_stats import BandStats


class Stretch(nn.Module):
    """The linear map that takes robust ranges of domains to [-1, 1], whatever the bit depth, and back.

    Standardised images are clipped to that range, so all of them fit; jittered ones are clipped again.
    """

    centre: Tensor
    reach: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(1, bands, 1, 1))
        self.register_buffer("reach", torch.ones(1, bands, 1, 1))

    @classmethod
    def of(cls, *domains: BandStats) -> Self:
        """Of all that one of the domains holds."""
        ranges = []
        for stats in domains:
            low, high, mean, std = (
                torch.tensor(column, dtype=torch.float64).view(1, -1, 1, 1)
                for column in (stats.low, stats.high, stats.mean, stats.std)
            )
            ranges.append(((low - mean) / std, (high - mean) / std))
        lowest = torch.stack([low for low, _ in ranges]).amin(0)
        highest = torch.stack([high for _, high in ranges]).amax(0)
        stretch = cls(len(domains[0].names))
        stretch.centre.copy_((lowest + highest) / 2)
        # A band of one value has no range: everything there becomes that value.
        stretch.reach.copy_(((highest - lowest) / 2).clamp(min=1e-6))
        return stretch

    def squeeze(self, image: Tensor) -> Tensor:
        """(b, c, h, w) standardised -> [-1, 1]."""
        return ((image - self.centre) / self.reach).clamp(-1, 1)

    def widen(self, image: Tensor) -> Tensor:
        """(b, c, h, w) in [-1, 1] -> standardised."""
        return image * self.reach + self.centre
