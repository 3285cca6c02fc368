"""Photometric augmentation for any number of bands, in standardised units."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.networks.outputs import Batch


def jitter_bands(batch: Batch, strength: float, generator: np.random.Generator) -> Batch:
    """A gain and a bias for each band of each crop, and a common one: at most `strength` deviations."""
    b, c = batch.image.shape[:2]
    bands = generator.uniform(-strength, strength, (2, b, c, 1, 1))
    common = generator.uniform(-strength, strength, (2, b, 1, 1, 1))
    gain = torch.as_tensor(1 + 0.5 * bands[0] + common[0], dtype=torch.float32, device=batch.image.device)
    bias = torch.as_tensor(0.5 * bands[1] + common[1], dtype=torch.float32, device=batch.image.device)
    return batch._replace(image=(batch.image * gain + bias) * batch.valid.unsqueeze(1))


def blur(batch: Batch, probability: float, generator: np.random.Generator) -> Batch:
    """Gaussian blur of some crops, sigma 0.15 to 1.15 pixels; validity and labels stay."""
    image = batch.image.clone()
    for i in range(len(image)):
        chosen, sigma = generator.random() < probability, generator.uniform(0.15, 1.15)
        if chosen:
            image[i] = _gaussian(image[i], sigma)
    return batch._replace(image=image * batch.valid.unsqueeze(1))


def _gaussian(image: Tensor, sigma: float) -> Tensor:
    """(c, h, w) -> same, separable, borders replicated."""
    radius = max(math.ceil(3 * sigma), 1)
    x = torch.arange(-radius, radius + 1, device=image.device, dtype=image.dtype)
    kernel = torch.exp(-0.5 * (x / sigma) ** 2)
    kernel = kernel / kernel.sum()
    padded = F.pad(image.unsqueeze(1), (radius,) * 4, mode="replicate")
    rows = F.conv2d(padded, kernel.view(1, 1, 1, -1))
    return F.conv2d(rows, kernel.view(1, 1, -1, 1)).squeeze(1)
