"""Losses on segmentor outputs. They return tensors and change nothing."""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from core.networks.outputs import Batch, Outputs
from geo_io.legend import IGNORE

MeanOver = Literal["labelled", "all"]
"""The pixels that a loss is the mean of."""


def cross_entropy(
    outputs: Outputs, batch: Batch, heads: float = 0.0, mean_over: MeanOver = "labelled"
) -> Tensor:
    """Weighted cross-entropy, auxiliary heads added with weight `heads`.

    The mean is of weight x loss, not divided by the weights: low trust lowers the gradient. 0 where
    nothing is labelled. A fine view takes its weight from the whole's (HRDA, eq. 9).
    """
    total = pixel_cross_entropy(outputs.logits, batch.label, batch.weight, mean_over)
    if outputs.detail:
        share, (top, left, h, w) = outputs.detail.weight, outputs.detail.box
        part = (slice(None), slice(top, top + h), slice(left, left + w))
        detail = pixel_cross_entropy(outputs.detail.logits, batch.label[part], batch.weight[part], mean_over)
        total = (1 - share) * total + share * detail
    for logits in outputs.heads if heads else ():
        total = total + heads * pixel_cross_entropy(logits, batch.label, batch.weight, mean_over)
    return total


def pixel_cross_entropy(
    logits: Tensor, label: Tensor, weight: Tensor, mean_over: MeanOver = "labelled"
) -> Tensor:
    """(b, k, h, w), (b, h, w), (b, h, w) -> scalar: mean of weight x cross-entropy, 0 where label is 255.

    Over all pixels, as the mmseg of DAFormer and its kin has it, unlabelled ones weaken the loss.
    """
    each = weight * F.cross_entropy(logits, label, ignore_index=IGNORE, reduction="none")
    counted = (label != IGNORE).sum().clamp(min=1) if mean_over == "labelled" else max(label.numel(), 1)
    return each.sum() / counted


def self_information(probabilities: Tensor) -> Tensor:
    """(b, k, h, w) -> same: -p log2(p) / log2(k), the map that AdvEnt compares (Vu et al. 2019, eq. 4)."""
    k = probabilities.shape[1]
    return -probabilities * torch.log2(probabilities + 1e-30) / math.log2(k)


def entropy(logits: Tensor, valid: Tensor) -> Tensor:
    """Mean entropy of the valid pixels in [0, 1]: MinEnt's loss (Vu et al. 2019, eq. 2-3)."""
    each = self_information(torch.softmax(logits, 1)).sum(1)
    return (each * valid).sum() / valid.sum().clamp(min=1)
