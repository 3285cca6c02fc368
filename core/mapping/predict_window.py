"""A network's answer for one window of an image, at a glance: never finer, nor more, than can be shown."""

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import BadInput
from core.imagery.places import Place
from core.mapping.predictor import Predictor
from core.mapping.tiling import Tiling
from geo_io.grid import Box, Grid
from geo_io.patch import Patch

SHOWN_PX = 2**20
"""Working pixels that a window may have; a larger one is read at a coarser pixel size."""
DECODED_PX = 2**26
"""Pixels that may be decoded for it; of a larger window without overviews only the middle is taken."""


class Seen(NamedTuple):
    """A window's pixels, and which of them the map wants (h, w); `inner` is the window inside of them."""

    patch: Patch
    wanted: NDArray[np.bool_]
    inner: Box

    @property
    def grid(self) -> Grid:
        return self.patch.grid.crop(self.inner)

    def cut(self, rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(..., h, w) over all of the pixels -> the window's part, 255 where the map wants nothing."""
        return self._inside(np.where(self.wanted, rows, np.uint8(255)))

    def _inside(self, values: NDArray[np.uint8]) -> NDArray[np.uint8]:
        box = self.inner
        return values[..., box.row : box.stop_row, box.col : box.stop_col]


def look_at(place: Place, box: Box, gsd_m: float, margin_px: int) -> Seen:
    """Read the native window `box` for a network that works at `gsd_m`, with some surroundings.

    Raises BadInput for a window outside of the image, or a damaged image.
    """
    grid, inside = place.scene.grid, box.clip(place.scene.grid.width, place.scene.grid.height)
    if not (inside.width and inside.height):
        raise BadInput(place.scene.path, f"has no pixel in the window {tuple(box)}", "move the view onto it")
    sides = grid.pixel_size_m
    ground = inside.width * inside.height * sides[0] * sides[1]
    gsd_m = max(gsd_m, math.sqrt(ground / SHOWN_PX))
    working = grid.at_gsd(gsd_m)
    window = _scaled(inside, working.width / grid.width, working.height / grid.height)
    window = window.clip(working.width, working.height)
    decoded = place.scene.decoded_px(window, gsd_m)
    if decoded > DECODED_PX:
        window = _middle(window, math.sqrt(DECODED_PX / decoded))
    wide = Box(
        window.col - margin_px,
        window.row - margin_px,
        window.width + 2 * margin_px,
        window.height + 2 * margin_px,
    ).clip(working.width, working.height)
    patch = place.scene.read(wide, gsd_m)
    wanted = patch.valid if place.area is None else patch.valid & place.area.read(patch.grid)
    inner = window._replace(col=window.col - wide.col, row=window.row - wide.row)
    return Seen(patch, wanted, inner)


@torch.inference_mode()
def probabilities(predictor: Predictor, patch: Patch) -> Tensor:
    """(k, h, w) on the device: blended tiles, as in a map. Raises RunFailed when memory is short."""
    height, width = patch.valid.shape
    side = min(predictor.options.tile_px, math.ceil(max(height, width) / 32) * 32)
    overlap = min(predictor.options.overlap_px, side // 2)
    down, right = Tiling(height, side, overlap), Tiling(width, side, overlap)
    tiles = [(i, j) for i in range(down.count) for j in range(right.count)]
    sums = torch.zeros(len(predictor.legend.classes), height, width, device=predictor.device)
    for start in range(0, len(tiles), predictor.options.batch):
        batch = tiles[start : start + predictor.options.batch]
        corners = [(down.start(i), right.start(j)) for i, j in batch]
        logits = predictor.logits(*_cut(patch, corners, side))
        for (i, j), (top, left), tile in zip(batch, corners, logits, strict=True):
            rows, cols = min(side, height - top), min(side, width - left)
            weights = np.outer(down.weights(i)[:rows], right.weights(j)[:cols])
            part = torch.softmax(tile[:, :rows, :cols].float(), 0)
            into = sums[:, top : top + rows, left : left + cols]
            into.addcmul_(part, torch.from_numpy(weights).to(predictor.device))
    return sums


def _cut(patch: Patch, corners: list[tuple[int, int]], side: int) -> tuple[Tensor, Tensor]:
    """Tiles (b, c, t, t) and validity (b, t, t); what lies past the patch is invalid."""
    values = np.zeros((len(corners), len(patch.values), side, side), np.float32)
    valid = np.zeros((len(corners), side, side), bool)
    for n, (top, left) in enumerate(corners):
        tile = patch.valid[top : top + side, left : left + side]
        rows, cols = tile.shape
        valid[n, :rows, :cols] = tile
        values[n, :, :rows, :cols] = patch.values[:, top : top + side, left : left + side]
    return torch.from_numpy(values), torch.from_numpy(valid)


def _scaled(box: Box, x: float, y: float) -> Box:
    """The whole pixels that `box` touches where pixels are 1/x by 1/y as large."""
    col, row = math.floor(box.col * x), math.floor(box.row * y)
    return Box(col, row, math.ceil(box.stop_col * x) - col, math.ceil(box.stop_row * y) - row)


def _middle(box: Box, share: float) -> Box:
    """The middle of a box, `share` of its sides."""
    width, height = max(int(box.width * share), 1), max(int(box.height * share), 1)
    return Box(box.col + (box.width - width) // 2, box.row + (box.height - height) // 2, width, height)
