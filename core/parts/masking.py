"""Patches hidden from the student, to be told from what lies around them (MIC, Hoyer et al. 2023)."""

import numpy as np
import torch
import torch.nn.functional as F

from core.networks.outputs import Batch


def mask_patches(batch: Batch, ratio: float, block: float, generator: np.random.Generator) -> Batch:
    """A batch in which each square of `block` of a crop's side is hidden with probability `ratio`.

    Hidden pixels are 0, the domain's mean, and keep their labels: those are what is to be learnt.
    """
    b, _, h, w = batch.image.shape
    cells = max(round(1 / block), 1)
    seen = torch.from_numpy(generator.random((b, 1, cells, cells)) >= ratio).to(batch.image)
    return batch._replace(image=batch.image * F.interpolate(seen, (h, w)))
