"""Instance normalisation that nodata does not count in (Ulyanov et al. 2016)."""

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-5


def instance_norm(features: Tensor, valid: Tensor) -> Tensor:
    """(b, f, h', w') -> same, float32: each channel of each image to mean 0 and variance 1 over valid cells.

    `valid` (b, 1, h, w) float is the image's own validity; a cell counts by its share of valid pixels.
    """
    share = F.adaptive_avg_pool2d(valid, (features.shape[-2], features.shape[-1]))
    total = share.sum((2, 3), keepdim=True).clamp(min=1e-6)
    features = features.float()
    centred = features - (features * share).sum((2, 3), keepdim=True) / total
    variance = (centred.square() * share).sum((2, 3), keepdim=True) / total
    return centred * torch.rsqrt(variance + EPSILON)
