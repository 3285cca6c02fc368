"""Tiles of logits in, finished rows of classes and probabilities out: a rolling band on the device."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from core.mapping.tiling import Taps, Tiling
from core.runs.map_files import CONFIDENCE_STEPS

CHUNK_BYTES = 16 * 2**20
HEAD_ROWS = 1
"""Finished rows kept above the tile row: interpolation between two rows may still read the upper one."""


@dataclass(frozen=True)
class Plane:
    """The two axes of a map, or of a column strip of it; `scale_*`: working pixels per pixel of the image."""

    tiling_y: Tiling
    tiling_x: Tiling
    taps_y: Taps
    taps_x: Taps
    scale_y: float
    scale_x: float

    @property
    def native(self) -> bool:
        """The network works on the image's own pixels: nothing is resampled."""
        return self.scale_y == self.scale_x == 1

    @property
    def direct(self) -> bool:
        """The map has the pixels that the network works on: nothing is interpolated."""
        return self.taps_y.identity and self.taps_x.identity


class RowBand:
    """Class probabilities (k, 1 + tile, w) of the working columns `[left, right)`, rolling downwards."""

    def __init__(
        self,
        plane: Plane,
        native_columns: tuple[int, int],
        classes: int,
        mode: Literal["blend", "crop"],
        device: torch.device,
        probabilities: bool = False,
    ) -> None:
        self.plane, self.mode, self.native_columns = plane, mode, native_columns
        self.left, self.right = plane.taps_x.needs(*native_columns)
        self.layers = 2 + classes * probabilities
        self.top = -HEAD_ROWS
        rows = HEAD_ROWS + plane.tiling_y.tile
        self.sums = torch.zeros(classes, rows, self.right - self.left, device=device)
        low, high = native_columns
        self._lower = torch.from_numpy(plane.taps_x.lower[low:high] - self.left).to(device)
        self._upper = torch.from_numpy(plane.taps_x.upper[low:high] - self.left).to(device)
        share = plane.taps_x.position[low:high] - plane.taps_x.lower[low:high]
        self._share = torch.from_numpy(share).to(device, torch.float32)
        self._weights_x = {
            i: torch.from_numpy(plane.tiling_x.weights(i)).to(device)
            for i in plane.tiling_x.covering(self.left, self.right)
        }

    @torch.inference_mode()
    def move_to(self, tile_row: int) -> None:
        """Roll on to a tile row; rows that lie above it, but for one, are forgotten."""
        top = self.plane.tiling_y.start(tile_row) - HEAD_ROWS
        shift, rows = top - self.top, self.sums.shape[1]
        kept = max(rows - shift, 0)
        for plane in self.sums:  # one class at a time: source and destination may overlap
            if shift and kept:
                plane[:kept] = plane[shift:].clone()
            plane[kept:] = 0
        self.top = top
        self._weights_y = torch.from_numpy(self.plane.tiling_y.weights(tile_row)).to(self.sums.device)

    @torch.inference_mode()
    def add(self, tile_row: int, tile_col: int, logits: Tensor) -> None:
        """Put in the logits (k, tile, tile) of one tile."""
        tiling_y, tiling_x = self.plane.tiling_y, self.plane.tiling_x
        rows, cols = slice(0, tiling_y.tile), slice(0, tiling_x.tile)
        if self.mode == "crop":
            rows, cols = tiling_y.core(tile_row), tiling_x.core(tile_col)
        offset = tiling_x.start(tile_col) - self.left
        cols = slice(max(cols.start, -offset), min(cols.stop, self.right - self.left - offset))
        if cols.start >= cols.stop:
            return
        # Contiguous first: over channels-last logits softmax takes six times as long.
        probabilities = torch.softmax(logits[:, rows, cols].float().contiguous(), dim=0)
        into = self.sums[
            :, HEAD_ROWS + rows.start : HEAD_ROWS + rows.stop, offset + cols.start : offset + cols.stop
        ]
        if self.mode == "crop":
            into.copy_(probabilities)
            return
        into.addcmul_(probabilities, self._weights_y[:, None] * self._weights_x[tile_col][cols])

    @torch.inference_mode()
    def finish(self, low: int, high: int) -> Tensor:
        """Native rows `[low, high)`, whose working rows are complete: (layers, rows, w) uint8 on the device.

        First the class, then the confidence, the winner's probability times 254, then every class's
        where they are wanted; 255 where the network gave something that is no number.
        """
        width = self.native_columns[1] - self.native_columns[0]
        out = torch.empty(self.layers, high - low, width, dtype=torch.uint8, device=self.sums.device)
        step = max(CHUNK_BYTES // (4 * self.sums.shape[0] * width), 1)
        for row in range(low, high, step):
            stop = min(row + step, high)
            probabilities, rows = self._probabilities(row, stop), slice(row - low, stop - low)
            decide(probabilities, out[:2, rows])
            for shares, of_class in zip(out[2:, rows], probabilities, strict=False):
                shares.copy_((of_class * CONFIDENCE_STEPS).round_().nan_to_num_(nan=255.0))
        return out

    def _probabilities(self, low: int, high: int) -> Tensor:
        taps = self.plane.taps_y
        if self.plane.direct:
            return self.sums[:, low - self.top : high - self.top]
        device = self.sums.device
        lower = torch.from_numpy(taps.lower[low:high] - self.top).to(device)
        upper = torch.from_numpy(taps.upper[low:high] - self.top).to(device)
        share = torch.from_numpy(taps.position[low:high] - taps.lower[low:high]).to(device, torch.float32)
        rows = torch.lerp(self.sums[:, lower], self.sums[:, upper], share[:, None])
        return torch.lerp(rows[:, :, self._lower], rows[:, :, self._upper], self._share)


def decide(probabilities: Tensor, out: Tensor) -> None:
    """(k, h, w) -> out (2, h, w) uint8: the first of the most probable classes, and its probability.

    A running maximum over the classes: six times as fast on a CPU as `Tensor.max(dim=0)`, whose
    reduction over the outermost axis is not vectorised.
    """
    classes, confidence = out[0].zero_(), out[1]
    best = probabilities[0].clone()
    better = torch.empty_like(best, dtype=torch.bool)
    as_byte = better.view(torch.uint8)
    for i in range(1, len(probabilities)):
        torch.gt(probabilities[i], best, out=better)
        torch.maximum(best, probabilities[i], out=best)
        torch.maximum(classes, as_byte.mul_(i), out=classes)
    confidence.copy_(best.mul_(CONFIDENCE_STEPS).round_().nan_to_num_(nan=255.0))
    torch.eq(confidence, 255, out=better)
    torch.maximum(classes, as_byte.mul_(255), out=classes)
