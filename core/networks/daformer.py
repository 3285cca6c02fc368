"""DAFormer's decoder: every stage at one size, fused under several fields of view at once.

Hoyer et al., "DAFormer", CVPR 2022, section 3.2 (context-aware feature fusion).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.outputs import Outputs

DILATIONS = (1, 6, 12, 18)
FINEST = 2
"""The stages fused begin with the one of stride 4, the first that transformers have."""
DROPOUT = 0.1


def normed(inward: int, outward: int, size: int = 1, dilation: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution that keeps height and width, batch norm and ReLU."""
    reach = dilation * (size // 2)
    conv = nn.Conv2d(inward, outward, size, padding=reach, dilation=dilation, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outward), nn.ReLU())


def branch(inward: int, outward: int, dilation: int) -> nn.Module:
    """One field of view: depthwise, then pointwise; at dilation 1 the pointwise part alone."""
    if dilation == 1:
        return normed(inward, outward)
    return nn.Sequential(normed(inward, inward, 3, dilation, groups=inward), normed(inward, outward))


class DAFormerDecoder(nn.Module):
    """Stages (b, channels[i], h / 2^i, w / 2^i) -> logits (b, k, h', w') on the grid of the finest one fused.

    Each is embedded in `width` channels, resized and concatenated; parallel atrous branches without
    image pooling and a 3x3 bottleneck fuse them. Its batch norms are trained.
    """

    def __init__(self, channels: Sequence[int], classes: int, width: int) -> None:
        super().__init__()
        self.fused = [i for i, c in enumerate(channels) if i >= FINEST and c]
        self.embed = nn.ModuleList(nn.Conv2d(channels[i], width, 1) for i in self.fused)
        self.branches = nn.ModuleList(branch(len(self.fused) * width, width, d) for d in DILATIONS)
        self.bottleneck = normed(len(DILATIONS) * width, width, 3)
        self.dropout = nn.Dropout2d(DROPOUT)
        self.classifier = nn.Conv2d(width, classes, 1)
        nn.init.normal_(self.classifier.weight, std=0.01)

    def forward(self, stages: Sequence[Tensor]) -> Tensor:
        size = stages[self.fused[0]].shape[-2:]
        embedded = [embed(stages[i]) for i, embed in zip(self.fused, self.embed, strict=True)]
        together = torch.cat([_resized(each, size) for each in embedded], 1)
        seen = torch.cat([branch(together) for branch in self.branches], 1)
        logits: Tensor = self.classifier(self.dropout(self.bottleneck(seen)))
        return logits


class DAFormer(nn.Module):
    """(b, c, h, w) -> Outputs, logits at the image's size; h, w multiples of the encoder's stride."""

    def __init__(self, encoder: nn.Module, channels: Sequence[int], classes: int, width: int = 256) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = DAFormerDecoder(channels, classes, width)

    def forward(self, image: Tensor) -> Outputs:
        stages = self.encoder(image)
        logits = self.decoder(stages).float()
        return Outputs(_resized(logits, image.shape[-2:]), [], stages[-1], stages)


def _resized(maps: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(maps, tuple(size), mode="bilinear", align_corners=False)
