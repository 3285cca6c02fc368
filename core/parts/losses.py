"""Losses on segmentor outputs. They return tensors and change nothing."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from core.networks.outputs import Batch, Head, Outputs
from geo_io.legend import IGNORE


def cross_entropy(outputs: Outputs, batch: Batch, heads: float | None = None) -> Tensor:
    """Weighted cross-entropy, a mean over the labelled pixels, auxiliary heads added by their weight.

    The mean is of weight x loss, not divided by the weights: low trust lowers the gradient. 0 where
    nothing is labelled. `heads` replaces every auxiliary head's own weight. A fine view takes its weight
    from the whole's (HRDA, eq. 9).
    """
    total = pixel_cross_entropy(outputs.logits, batch.label, batch.weight)
    if outputs.detail:
        share = outputs.detail.weight
        total = (1 - share) * total + share * _in_box(outputs.detail, batch)
    for head in outputs.heads:
        total = total + (head.weight if heads is None else heads) * _in_box(head, batch)
    return total


def _in_box(head: Head, batch: Batch) -> Tensor:
    top, left, h, w = head.box
    part = (slice(None), slice(top, top + h), slice(left, left + w))
    return pixel_cross_entropy(head.logits, batch.label[part], batch.weight[part])


def pixel_cross_entropy(logits: Tensor, label: Tensor, weight: Tensor) -> Tensor:
    """(b, k, h, w), (b, h, w), (b, h, w) -> scalar: mean of weight x cross-entropy where label is not 255."""
    each = F.cross_entropy(logits, label, ignore_index=IGNORE, reduction="none")
    return (weight * each).sum() / (label != IGNORE).sum().clamp(min=1)


def self_information(probabilities: Tensor) -> Tensor:
    """(b, k, h, w) -> same: -p log2(p) / log2(k), the map that AdvEnt compares (Vu et al. 2019, eq. 4)."""
    k = probabilities.shape[1]
    return -probabilities * torch.log2(probabilities + 1e-30) / math.log2(k)


def entropy(logits: Tensor, valid: Tensor) -> Tensor:
    """Mean entropy of the valid pixels in [0, 1]: MinEnt's loss (Vu et al. 2019, eq. 2-3)."""
    each = self_information(torch.softmax(logits, 1)).sum(1)
    return (each * valid).sum() / valid.sum().clamp(min=1)
