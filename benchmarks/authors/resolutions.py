"""HRDA and MIC: fusing two resolutions, sliding windows, where the detail lies, and what is hidden."""

from functools import partial
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.authors import mm
from benchmarks.authors.clones import Clones
from benchmarks.authors.table import Pair, compare
from benchmarks.authors.world import batch, normal
from core.networks import multi_resolution
from core.networks.multi_resolution import MultiResolutionBody, averaged, fuse, windows
from core.parts.masking import mask_patches

K, STRIDE = 5, 4
BODY = "mmseg/models/segmentors/hrda_encoder_decoder.py"
CELLS = "on the cells of their logits, of stride 4; ours fuses pixels"


def head(clones: Clones, **attributes: Any) -> Any:
    """Their HRDA head around networks that return what they are given, at scales 1/2 and 1."""
    theirs = clones.module("HRDA", "mmseg.models.decode_heads.hrda_head", mm.HEADS).HRDAHead
    made = theirs.__new__(theirs)
    given = {
        "head": lambda features: features[0],
        "scales": [0.5, 1.0],
        "os": STRIDE,
        "align_corners": False,
        "num_classes": K,
        "hr_crop_box": None,
        "debug": False,
        "debug_output_attention": False,
    }
    made.__dict__.update(given | attributes)
    return made


class Fusion:
    """One fusion, of the whole at half the resolution and of a box (top, left, height, width) in it, as
    both do it: `ours()` and `theirs()` -> (b, k, h, w)."""

    def __init__(
        self, clones: Clones, attention: Tensor, box_px: tuple[int, int, int, int], k: int = K
    ) -> None:
        top, left, height, width = (edge // STRIDE for edge in box_px)
        self.attention, self.box = attention, (top, left, height, width)
        b, _, *whole = attention.shape
        self.context, self.detail = normal(b, k, *whole), normal(b, k, height, width, seed=1)
        y, x, h, w = box_px
        box = (y, y + h, x, x + w)
        self._head = head(clones, scale_attention=lambda _: attention, hr_crop_box=box, num_classes=k)

    def ours(self) -> Tensor:
        return fuse(self.context, torch.sigmoid(self.attention), self.detail, self.box, 2)

    def theirs(self) -> Tensor:
        its: Tensor = self._head.forward([[self.context], [self.detail]])[0]
        return its


def fused(clones: Clones, attention: Tensor, box_px: tuple[int, int, int, int]) -> Pair:
    both = Fusion(clones, attention, box_px)
    return [both.ours()], [both.theirs()]


@compare(
    "HRDA",
    "fusion within a box, an attention for each class",
    "core/networks/multi_resolution.py",
    remark=CELLS,
)
def fusion(clones: Clones) -> Pair:
    return fused(clones, 2 * normal(2, K, 16, 24, seed=2), (32, 64, 64, 96))


@compare("HRDA", "the same, one attention", "core/networks/multi_resolution.py", remark=CELLS)
def fusion_of_one(clones: Clones) -> Pair:
    return fused(clones, 2 * normal(2, 1, 16, 24, seed=2), (64, 0, 64, 96))


class Sliding:
    """A network over windows of half of the sides that overlap by half, averaged, as both do it."""

    def __init__(self, clones: Clones, network: nn.Module, image: Tensor, k: int = K) -> None:
        self.network, self.image = network, image
        asked = {
            "hr_slide_overlapping": True,
            "crop_size": tuple(side // 2 for side in image.shape[-2:]),
            "extract_unscaled_feat": lambda crops: [network(crops)],
        }
        self._slide = partial(
            clones.function("HRDA", BODY, "extract_slide_feat", torch=torch), SimpleNamespace(**asked)
        )
        self._head = head(clones, num_classes=k)

    def ours(self) -> Tensor:
        b, _, height, width = self.image.shape
        boxes = windows(height, width, 2, True)
        pieces = self.network(torch.cat([self.image[multi_resolution._part(box)] for box in boxes]))
        cells = [cast(multi_resolution.Box, tuple(edge // STRIDE for edge in box)) for box in boxes]
        pieces = pieces.unflatten(0, (len(boxes), b))
        return averaged(pieces, cells, height // STRIDE, width // STRIDE)

    def theirs(self) -> Tensor:
        its: Tensor = self._head.decode_hr(self._slide(self.image), len(self.image))
        return its


@compare("HRDA", "sliding windows, averaged", "core/networks/multi_resolution.py", remark=CELLS)
def sliding(clones: Clones) -> Pair:
    # Padding and a large kernel make a window's answer depend on where it is cut.
    both = Sliding(clones, nn.Conv2d(3, K, 9, STRIDE, 4), normal(2, 3, 64, 96))
    return [both.ours()], [both.theirs()]


@compare(
    "HRDA",
    "the detail's furthest position",
    "core/networks/multi_resolution.py",
    differs="their draw never reaches the last position: strips below and right are not seen in detail",
)
def furthest(clones: Clones) -> Pair:
    theirs = clones.function("HRDA", BODY, "get_crop_bbox", np=np)
    with mock.patch.object(np.random, "randint", lambda _, high: high - 1):
        top, _, left, _ = theirs(1024, 1024, (512, 512), divisible=8)
    ours: Any = SimpleNamespace(scale=2, unit_px=8)
    with mock.patch.object(torch, "randint", lambda high, _: torch.tensor(high - 1)):
        mine = MultiResolutionBody._random_box(ours, 1024, 1024)
    return [torch.tensor(mine[:2])], [torch.tensor([top, left])]


@compare("MIC", "masked image", "core/parts/masking.py", remark="the same draws on both sides")
def masks(clones: Clones) -> Pair:
    draws, crops = torch.rand(2, 1, 4, 4), batch(2, 64, 3, seed=0)
    theirs = clones.module("MIC", "mmseg.models.utils.masking_transforms", root="seg")
    made = theirs.build_mask_generator({"type": "block", "mask_ratio": 0.7, "mask_block_size": 16})
    with mock.patch.object(torch, "rand", return_value=draws):
        its = made.mask_image(crops.image)
    generator: Any = SimpleNamespace(random=lambda _: draws.numpy())
    return [mask_patches(crops, 0.7, 0.25, generator).image], [its]
