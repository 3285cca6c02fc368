"""DeepLabV2: a dilated encoder and summed atrous classifiers, AdaptSegNet's segmentation network.

Chen et al., "DeepLab", TPAMI 2018, section 3. AdaptSegNet's published code sums only the first two
of the four branches; `network.aspp_dilations: [6, 12]` repeats that.
"""

from collections.abc import Sequence
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.outputs import Outputs


class AtrousSum(nn.Module):
    """Parallel dilated 3x3 classifiers, summed: (b, f, h, w) -> (b, k, h, w). Biased, without batch norm."""

    def __init__(self, channels: int, classes: int, dilations: Sequence[int]) -> None:
        super().__init__()
        branches = [nn.Conv2d(channels, classes, 3, padding=d, dilation=d) for d in dilations]
        for branch in branches:
            nn.init.normal_(branch.weight, std=0.01)
            nn.init.zeros_(cast(Tensor, branch.bias))
        self.branches = nn.ModuleList(branches)

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.branches[0](features)
        for branch in list(self.branches)[1:]:
            logits = logits + branch(features)
        return logits


class DeepLabV2(nn.Module):
    """(b, c, h, w) -> Outputs with an auxiliary head on the last stage but one; h, w multiples of 8.

    `encoder` is dilated to output stride 8. The affine part of its batch norm is frozen, as in all
    reference code, while the running statistics follow the data in training mode.
    """

    def __init__(
        self, encoder: nn.Module, channels: Sequence[int], classes: int, dilations: Sequence[int]
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.auxiliary = AtrousSum(channels[-2], classes, dilations)
        self.classifier = AtrousSum(channels[-1], classes, dilations)

    def freeze_affine(self) -> None:
        for module in self.encoder.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                for parameter in module.parameters(recurse=False):
                    parameter.requires_grad_(False)

    def forward(self, image: Tensor) -> Outputs:
        height, width = image.shape[-2:]

        def full_size(logits: Tensor) -> Tensor:
            return F.interpolate(logits.float(), (height, width), mode="bilinear", align_corners=True)

        *_, before, last = stages = self.encoder(image)
        return Outputs(full_size(self.classifier(last)), [full_size(self.auxiliary(before))], last, stages)
