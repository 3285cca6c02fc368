"""Local dynamic quality: a label is as good as its surroundings are sure (UDA_for_RS, Li et al. 2022)."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from core.parts.pseudo_labels import Pseudo
from geo_io.legend import IGNORE


def local_trust(probabilities: Tensor, valid: Tensor, threshold: float = 0.7, window: int = 7) -> Pseudo:
    """Each pixel weighs the share of valid pixels at or above `threshold` in the window around it.

    (b, k, h, w) and (b, h, w) -> labels and weights (b, h, w). `window` is odd; it shrinks at borders and
    beside nodata.
    """
    confidence, label = probabilities.max(1)

    def around(where: Tensor) -> Tensor:
        return avg_pool2d(where.float().unsqueeze(1), window, 1, window // 2).squeeze(1)

    share = around((confidence >= threshold) & valid) / around(valid).clamp(min=1 / window**2)
    return Pseudo(torch.where(valid, label, IGNORE), share * valid)
