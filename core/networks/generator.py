"""CycleGAN's ResNet generator, for any number of bands (Zhu et al. 2017, after Johnson et al. 2016)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.instance_norm import instance_norm

MULTIPLE_PX = 4
EDGE = 0.99
"""How far a residual generator sees towards the ends of the range, which no tanh reaches."""


class Generator(nn.Module):
    """(b, c, h, w) in [-1, 1], (b, h, w) validity -> (b, c, h, w) in (-1, 1), of any size from 16 px on.

    c7s1-w, d2w, d4w, `blocks` residual blocks, u2w, uw, c7s1-c, tanh. The image is continued to a multiple
    of 4 px by reflection and the answer cut back; neither that nor nodata counts in a normalisation.
    `residual`: what is made is added to the image before the tanh, and begins as nothing.
    """

    def __init__(self, bands: int, width: int = 32, blocks: int = 4, residual: bool = False) -> None:
        super().__init__()
        self.residual = residual
        self.first = nn.Conv2d(bands, width, 7, padding=3, padding_mode="reflect")
        self.down = nn.ModuleList(nn.Conv2d(n * width, 2 * n * width, 3, 2, 1) for n in (1, 2))
        self.blocks = nn.ModuleList(Residual(4 * width) for _ in range(blocks))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * n * width, n * width, 3, 2, 1, output_padding=1) for n in (2, 1)
        )
        self.last = nn.Conv2d(width, bands, 7, padding=3, padding_mode="reflect")
        initialise(self)
        if residual:
            nn.init.zeros_(self.last.weight)

    def forward(self, image: Tensor, valid: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        margin = (0, -width % MULTIPLE_PX, 0, -height % MULTIPLE_PX)
        seen = F.pad(valid.unsqueeze(1).float(), margin)
        x = F.relu(instance_norm(self.first(F.pad(image, margin, mode="reflect")), seen))
        for layer in self.down:
            x = F.relu(instance_norm(layer(x), seen))
        for block in self.blocks:
            x = block(x, seen)
        for layer in self.up:
            x = F.relu(instance_norm(layer(x), seen))
        # In full precision: half of it has fewer grey levels than the imagery.
        with torch.autocast(x.device.type, enabled=False):
            made: Tensor = self.last(x)[..., :height, :width]
            if self.residual:
                made = made + torch.atanh(image.clamp(-EDGE, EDGE))
            return torch.tanh(made)


class Residual(nn.Module):
    """Two 3x3 convolutions around which the features pass: (b, f, h, w), (b, 1, H, W) -> (b, f, h, w)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = (
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect") for _ in range(2)
        )

    def forward(self, features: Tensor, valid: Tensor) -> Tensor:
        inside = F.relu(instance_norm(self.first(features), valid))
        return features + instance_norm(self.second(inside), valid)


def initialise(network: nn.Module) -> None:
    """Weights from N(0, 0.02), biases 0: as CycleGAN's authors do in all their networks."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
