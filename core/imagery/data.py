"""Training crops: drawn in metres from scenes of any pixel size, each a pure function of its key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import BadInput
from core.imagery import orientations
from core.imagery.class_index import ClassIndex, read_labelled
from core.imagery.holdout import Holdout
from core.imagery.places import Place
from core.imagery.rare_classes import class_probabilities
from core.job import Sampling
from geo_io.band_stats import BandStats
from geo_io.grid import Box
from geo_io.legend import IGNORE

REDRAWS = 10
LEAST_SHARE = 0.005
"""Least share of a crop that a drawn class must fill for its cell to count as holding it."""


class Sample(NamedTuple):
    """values (c, h, w) as read, label (h, w) uint8 with 255 = ignore, valid (h, w) bool."""

    values: NDArray[np.generic]
    label: NDArray[np.uint8]
    valid: NDArray[np.bool_]


class Stack(NamedTuple):
    """Samples together, still on the host: values (b, c, h, w) float32, label (b, h, w) uint8, valid bool."""

    values: Tensor
    label: Tensor
    valid: Tensor


def stacked(samples: Sequence[Sample], pinned: bool = False) -> Stack:
    """`pinned`: in memory that a graphics card copies from beside its work."""
    values = np.stack([s.values.astype(np.float32, copy=False) for s in samples])
    arrays = values, np.stack([s.label for s in samples]), np.stack([s.valid for s in samples])
    tensors = map(torch.from_numpy, arrays)
    return Stack(*(each.pin_memory() if pinned else each for each in tensors))


@dataclass
class Domain:
    """The crops of one region."""

    places: list[Place]
    stats: BandStats
    gsd_m: float
    sampling: Sampling
    index: ClassIndex
    holdout: Holdout | None = None

    def __post_init__(self) -> None:
        sampling = self.sampling
        enough = sampling.min_valid * self.index.cell_px**2
        self._cells = np.concatenate([
            np.column_stack([np.full((valid >= enough).sum(), i), np.argwhere(valid >= enough)])
            for i, valid in enumerate(self.index.valid)
        ])  # fmt: skip
        if not len(self._cells):
            raise BadInput(
                self.places[0].scene.path,
                f"no window of {self.sampling.crop_px} pixels has {self.sampling.min_valid:.0%} valid ones",
                "lower sampling.min_valid or sampling.crop_px, or widen the area of interest",
            )
        counts = self._trainable_counts()
        if self.holdout and not counts.any():
            raise BadInput(
                self.places[0].scene.path,
                f"with crops of {sampling.crop_px} pixels no label is left to train on",
                "lower sampling.crop_px, or label more of the source",
            )
        self._by_class = [np.argwhere(self._enough_of(counts, c)) for c in range(counts.shape[1])]
        self.class_pixels = counts.sum(0)
        drawable = np.array([len(cells) for cells in self._by_class])
        there, temperature = np.where(drawable > 0, self.class_pixels, 0), sampling.rare_class_temperature
        self._draw_class = class_probabilities(there, temperature) if drawable.any() else None

    def _trainable_counts(self) -> NDArray[np.int64]:
        """(cells, k) labelled pixels of the drawable cells, none for cells that touch the held-out part.

        Where all cells do, about those in the rest of each.
        """
        side = self.index.cell_px
        counts = np.array([self.index.classes[i][row, col] for i, row, col in self._cells])
        if self.holdout is None:
            return counts
        free = [
            self.holdout.trainable(i, Box(col * side, row * side, side, side)).mean()
            for i, row, col in self._cells
        ]
        share = np.array(free)[:, None]
        whole = np.where(share == 1, counts, 0)
        return whole if whole.any() else np.round(counts * share).astype(np.int64)

    def _enough_of(self, counts: NDArray[np.int64], c: int) -> NDArray[np.bool_]:
        """(cells,) where class `c` fills its least share, or any pixel where no cell has that much."""
        least = LEAST_SHARE * self.sampling.crop_px**2
        full: NDArray[np.bool_] = counts[:, c] >= least
        return full if full.any() else counts[:, c] > 0

    def draw(self, generator: np.random.Generator) -> Sample:
        """One augmented crop: rare classes preferred, scale jittered, turned and mirrored."""
        sample = self._draw_once(generator)
        for _ in range(REDRAWS):
            if self._will_do(sample):
                break
            sample = self._draw_once(generator)
        number = orientations.draw(self.sampling.orientations, generator)
        return Sample(*(orientations.turn_array(each, number) for each in sample))

    def _will_do(self, sample: Sample) -> bool:
        """Enough of it is valid, and no class covers too much of what is labelled."""
        most, enough = self.sampling.max_class_share, bool(sample.valid.mean() >= self.sampling.min_valid)
        if most is None or not enough:
            return enough
        pixels = np.bincount(sample.label.ravel(), minlength=256)[:IGNORE]
        return bool(pixels.max() <= most * pixels.sum())

    def _draw_once(self, generator: np.random.Generator) -> Sample:
        scene, row, col = self._cells[self._draw_cell(generator)]
        side, crop = self.index.cell_px, self.sampling.crop_px
        limit = np.log(self.sampling.scale_jitter)
        scale = float(np.exp(generator.uniform(-limit, limit)))
        # The cell's centre lies anywhere in the crop's central half, so that it is seen in every context.
        centre = (np.array([col, row]) + 0.5) * side + generator.uniform(-0.25, 0.25, 2) * crop * scale
        return self.crop(int(scene), centre, scale)

    def _draw_cell(self, generator: np.random.Generator) -> int:
        if self._draw_class is None or not self.sampling.rare_classes:
            return int(generator.integers(len(self._cells)))
        cells = self._by_class[generator.choice(len(self._draw_class), p=self._draw_class)]
        return int(cells[generator.integers(len(cells)), 0])

    def crop(self, scene: int, centre_px: NDArray[np.float64], scale: float = 1.0) -> Sample:
        """The crop around (col, row) in working pixels, its own pixels `scale` times the working size."""
        box = self._box(scene, centre_px, scale)
        patch, _, label = read_labelled(self.places[scene], box, self.gsd_m * scale)
        if self.holdout:
            label = np.where(self.holdout.trainable(scene, box, scale), label, 255).astype(np.uint8)
        return Sample(patch.values, label, patch.valid)

    def _box(self, scene: int, centre_px: NDArray[np.float64], scale: float) -> Box:
        """The crop's place on the scene's grid at `scale` times the working pixel size."""
        side, grid = self.sampling.crop_px, self.places[scene].scene.grid.at_gsd(self.gsd_m * scale)
        col, row = (
            _inside(round(float(c) / scale - side / 2), side, size)
            for c, size in zip(centre_px, (grid.width, grid.height), strict=True)
        )
        return Box(col, row, side, side)

    def fixed_crops(self, generator: np.random.Generator, limit: int) -> list[Sample]:
        """Up to `limit` seeded crops without augmentation, spread over the region: for measuring."""
        chosen = generator.permutation(len(self._cells))[:limit]
        side = self.index.cell_px
        return [self.crop(int(i), (np.array([col, row]) + 0.5) * side) for i, row, col in self._cells[chosen]]

    def held_out_crops(self, generator: np.random.Generator, limit: int) -> list[Sample]:
        """Up to `limit` seeded crops that cover the held-out boxes; labels outside of them are 255."""
        if not self.holdout:
            return []
        side = self.sampling.crop_px
        centres = [
            (scene, np.array([col + side / 2, row + side / 2]))
            for scene, boxes in enumerate(self.holdout.boxes)
            for box in boxes
            for row in range(box.row, box.stop_row, side)
            for col in range(box.col, box.stop_col, side)
        ]
        chosen = [centres[i] for i in generator.permutation(len(centres))[:limit]]
        return [sample for scene, centre in chosen if (sample := self._held_crop(scene, centre)) is not None]

    def _held_crop(self, scene: int, centre: NDArray[np.float64]) -> Sample | None:
        assert self.holdout is not None
        box = self._box(scene, centre, 1.0)
        patch, _, label = read_labelled(self.places[scene], box, self.gsd_m)
        label = np.where(self.holdout.held(scene, box), label, 255).astype(np.uint8)
        return Sample(patch.values, label, patch.valid) if (label < 255).any() else None


def _inside(start: int, side: int, size: int) -> int:
    """`start` moved so that the crop lies inside, or centred on a scene smaller than it."""
    return (size - side) // 2 if size < side else min(max(start, 0), size - side)
