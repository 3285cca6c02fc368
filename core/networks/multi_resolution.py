"""HRDA: a crop seen as a whole at low resolution and in a part at full, weighed by a learnt attention.

Hoyer et al., "HRDA: context-aware high-resolution domain-adaptive semantic segmentation", ECCV 2022,
sections 3.2 to 3.4. A body of the segmentor around any other body, so that it serves every method.
"""

import math
from collections.abc import Sequence
from types import EllipsisType
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.job import MultiResolution
from core.networks.outputs import Detail, Outputs

Box = tuple[int, int, int, int]
LEAST_STRIDE = 4
"""The attention reads the encoder's features from this stride on, as SegFormer's head does."""


class Level(NamedTuple):
    """A stage that the attention reads: its place among the encoder's, its channels, its stride."""

    stage: int
    channels: int
    stride: int


class ScaleAttention(nn.Module):
    """SegFormer's head: stages, finest first -> (b, `maps`, h', w') in (0, 1) on the finest level's grid.

    Begins near one half, where both views count alike.
    """

    def __init__(self, levels: Sequence[Level], maps: int, width: int) -> None:
        super().__init__()
        self.stages = [level.stage for level in levels]
        self.projections = nn.ModuleList(nn.Conv2d(level.channels, width, 1) for level in levels)
        self.fusion = nn.Sequential(
            nn.Conv2d(len(levels) * width, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Dropout2d(0.1),
        )
        self.classifier = nn.Conv2d(width, maps, 1)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(cast(Tensor, self.classifier.bias))

    def forward(self, stages: Sequence[Tensor]) -> Tensor:
        maps = [project(stages[i]) for i, project in zip(self.stages, self.projections, strict=True)]
        size = maps[0].shape[-2:]
        maps = [F.interpolate(each, size, mode="bilinear", align_corners=False) for each in maps]
        return torch.sigmoid(self.classifier(self.fusion(torch.cat(maps, 1))))


class MultiResolutionBody(nn.Module):
    """(b, c, h, w) -> Outputs as of the `body` within, which sees both; h, w multiples of `multiple_px`.

    In training the detail is one box of 1/scale of the sides, drawn for the batch by torch's generator;
    in evaluation it is windows of that size over the whole image, all of them in one batch. `heads`,
    `features` and `stages` are those of the whole at low resolution. Nothing is kept between two images.
    """

    def __init__(
        self,
        body: nn.Module,
        options: MultiResolution,
        classes: int,
        levels: Sequence[Level],
        multiple_px: int,
    ) -> None:
        """`multiple_px` is what the sides of the images of `body` are multiples of."""
        super().__init__()
        self.body, self.options, self.scale = body, options, options.scale
        # Boxes lie on the cells of the finest features of the view at low resolution.
        self.unit_px = options.scale * levels[0].stride
        self.multiple_px = options.scale * math.lcm(multiple_px, self.unit_px)
        maps = classes if options.attention == "classwise" else 1
        learnt = options.attention != "fixed"
        self.attention = ScaleAttention(levels, maps, options.attention_width) if learnt else None

    @property
    def encoder(self) -> nn.Module:
        return self.body.get_submodule("encoder")

    def whole(self, image: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, c, h / scale, w / scale): the view at low resolution."""
        return F.interpolate(image, scale_factor=1 / self.scale, mode="bilinear", antialias=True)

    def forward(self, image: Tensor) -> Outputs:
        height, width = image.shape[-2:]
        seen: Outputs = self.body(self.whole(image))
        weight = 0.5 if self.attention is None else self.attention(seen.stages)
        if self.training:
            box = self._random_box(height, width)
            detail = self.body(image[_part(box)]).logits
        else:
            box, detail = (0, 0, height, width), self._everywhere(image)
        with torch.autocast(image.device.type, enabled=False):
            logits = fuse(seen.logits, weight, detail, box, self.scale)
            heads = [_enlarged(each.float(), self.scale) for each in seen.heads]
        drawn = Detail(detail, box, self.options.detail_weight) if self.training else None
        return Outputs(logits, heads, seen.features, seen.stages, drawn)

    def _random_box(self, height: int, width: int) -> Box:
        h, w = height // self.scale, width // self.scale
        top, left = (
            int(torch.randint((side - part) // self.unit_px + 1, ())) * self.unit_px
            for side, part in ((height, h), (width, w))
        )
        return top, left, h, w

    def _everywhere(self, image: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, k, h, w) float32: the detail's logits, averaged where windows overlap."""
        height, width = image.shape[-2:]
        boxes = windows(height, width, self.scale, self.options.overlapping)
        logits = self.body(torch.cat([image[_part(box)] for box in boxes])).logits
        return averaged(logits.unflatten(0, (len(boxes), -1)), boxes, height, width)


def build_multi_resolution(
    body: nn.Module, options: MultiResolution, bands: int, classes: int, multiple_px: int, least_px: int
) -> MultiResolutionBody:
    """`body`, which takes multiples of `multiple_px` of at least `least_px`, seeing at two resolutions."""
    size = max(2 * multiple_px, least_px, 64)
    body.eval()
    with torch.no_grad():
        stages = body(torch.zeros(1, bands, size, size)).stages
    body.train()
    found = (Level(i, stage.shape[1], size // stage.shape[-1]) for i, stage in enumerate(stages))
    # Some encoders return the image itself and empty features before their first stage.
    levels = [level for level in found if level.stride >= LEAST_STRIDE and level.channels]
    return MultiResolutionBody(body, options, classes, levels, multiple_px)


def fuse(context: Tensor, attention: Tensor | float, detail: Tensor, box: Box, scale: int) -> Tensor:
    """Logits (b, k, h, w) of the whole, and of a `box` in it -> (b, k, scale h, scale w) float32.

    `attention`, of any size and with k maps or 1, is the share of `detail` within the box; it is none
    outside. `box` and `detail` are in the cells of the result, the box on multiples of `scale`. Cells may
    be pixels, or those of coarser logits.
    """
    context, (top, left, height, width) = context.float(), box
    if isinstance(attention, Tensor):
        share = F.interpolate(attention.float(), context.shape[-2:], mode="bilinear", align_corners=False)
    else:
        share = context.new_full((1, 1, *context.shape[-2:]), attention)
    inside = torch.zeros_like(share)
    low = _part((top // scale, left // scale, height // scale, width // scale))
    inside[low] = share[low]
    fused, full = _enlarged((1 - inside) * context, scale), _part(box)
    fused[full] += _enlarged(inside, scale)[full] * detail.float()
    return fused


def windows(height: int, width: int, scale: int, overlapping: bool) -> list[Box]:
    """Boxes of 1/scale of the sides that cover an image, every half of a box or edge to edge."""
    h, w = height // scale, width // scale
    down, right = (h // 2, w // 2) if overlapping else (h, w)
    tops, lefts = range(0, height - h + 1, down), range(0, width - w + 1, right)
    return [(top, left, h, w) for top in tops for left in lefts]


def averaged(pieces: Tensor, boxes: Sequence[Box], height: int, width: int) -> Tensor:
    """(n, b, k, h', w') of n boxes -> (b, k, height, width) float32: their mean wherever several lie."""
    _, b, k, *_ = pieces.shape
    total = pieces.new_zeros(b, k, height, width, dtype=torch.float32)
    count = total.new_zeros(height, width)
    for piece, box in zip(pieces, boxes, strict=True):
        total[_part(box)] += piece
        count[_part(box)] += 1
    return total / count


def _part(box: Box) -> tuple[EllipsisType, slice, slice]:
    top, left, height, width = box
    return ..., slice(top, top + height), slice(left, left + width)


def _enlarged(maps: Tensor, scale: int) -> Tensor:
    return F.interpolate(maps, scale_factor=scale, mode="bilinear", align_corners=False)
