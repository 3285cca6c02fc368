"""FCAN's domain classifier: which domain does each cell of a feature map come from?

Zhang et al., "Fully convolutional adaptation networks for semantic segmentation", CVPR 2018, section 3.3.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DomainClassifier(nn.Module):
    """Parallel dilated 3x3 convolutions, then 1x1: (b, f, h, w) -> (b, 1, h, w) raw logits, one a cell.

    No normalisation layers, which would tell the domains' batches apart, and no sigmoid: the loss has it.
    """

    def __init__(self, channels: int, width: int = 128, dilations: Sequence[int] = (1, 2, 3, 4)) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Conv2d(channels, width, 3, padding=d, dilation=d) for d in dilations)
        self.verdict = nn.Conv2d(width * len(dilations), 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        seen = torch.cat([F.leaky_relu(branch(features), 0.2) for branch in self.branches], 1)
        verdict: Tensor = self.verdict(seen)
        return verdict
