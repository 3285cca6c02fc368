"""AdaptSegNet's fully-convolutional discriminator, and which of its cells look at data.

Tsai et al., "Learning to adapt structured output space for semantic segmentation", CVPR 2018, section 4.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE_PX = 32


class Discriminator(nn.Module):
    """Five convolutions of stride 2: (b, c, h, w) -> (b, 1, h // 32, w // 32) raw logits.

    No normalisation layers, which would tell the domains' batches apart, and no sigmoid: the loss has it.
    """

    def __init__(self, channels: int, width: int = 64) -> None:
        super().__init__()
        widths = [channels, width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, 2, 1))

    def forward(self, maps: Tensor) -> Tensor:
        """Raises ValueError for maps below 32 px, of which no cell would be left."""
        if min(maps.shape[-2:]) < STRIDE_PX:
            height, width = maps.shape[-2:]
            raise ValueError(f"a discriminator needs maps of at least 32 x 32 px, got {height} x {width}")
        scores: Tensor = self.layers(maps)
        return scores


def cells_valid(valid: Tensor, like: Tensor) -> Tensor:
    """(b, h, w) bool, (b, 1, h', w') -> (b, 1, h', w') bool: at least half of the cell's pixels are valid.

    Where h is no multiple of h' the cells are stretched to cover the whole crop.
    """
    share = F.adaptive_avg_pool2d(valid.unsqueeze(1).to(torch.float32), (like.shape[-2], like.shape[-1]))
    return share >= 0.5
