"""Standardisation on the device: integers in, zero-mean unit-variance bands out."""

import torch
from torch import Tensor, nn

from geo_io.band_stats import BandStats


class Standardise(nn.Module):
    """(b, c, h, w) pixel values of any type, (b, h, w) validity -> (b, c, h, w) float32.

    Values are clipped to the domain's robust range, centred and scaled by the statistics of the
    *whole* domain's valid pixels, never of a tile; invalid pixels become 0, the domain's mean.
    """

    low: Tensor
    high: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self, stats: BandStats) -> None:
        super().__init__()
        for name in ("low", "high", "mean", "std"):
            column = torch.tensor(getattr(stats, name), dtype=torch.float32).view(1, -1, 1, 1)
            self.register_buffer(name, column)

    def forward(self, values: Tensor, valid: Tensor) -> Tensor:
        clipped = torch.minimum(torch.maximum(values.float(), self.low), self.high)
        return ((clipped - self.mean) / self.std) * valid.unsqueeze(1)

    def within(self, image: Tensor, valid: Tensor) -> Tensor:
        """Made images, standardised, (b, c, h, w) -> same, in the range of real ones and 0 where invalid."""
        low, high = (self.low - self.mean) / self.std, (self.high - self.mean) / self.std
        return torch.minimum(torch.maximum(image, low), high) * valid.unsqueeze(1)
