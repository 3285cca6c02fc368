"""Where the classes are: pixel counts by class and cell, read once, so that rare ones can be found."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.events import Progressed
from core.imagery.places import Place
from geo_io.grid import Box
from geo_io.patch import Patch
from geo_io.whole_file import whole

BUDGET_PX = 100_000_000
"""Pixels read to index a region; a larger one is read at a coarser pixel size."""


@dataclass(frozen=True)
class ClassIndex:
    """Per scene: `classes` (rows, cols, k) labelled pixels of each class, `valid` (rows, cols) valid
    pixels, both in working pixels per cell of `cell_px`."""

    cell_px: int
    classes: list[NDArray[np.int64]]
    valid: list[NDArray[np.int64]]


def build_index(
    places: list[Place], gsd_m: float, cell_px: int, k: int, cache: Path
) -> Iterator[Progressed | ClassIndex]:
    """Yield progress, and last the index of a region; a finished one is loaded from `cache` (.npz)."""
    if cache.exists():
        with np.load(cache) as saved:
            n = len(places)
            yield ClassIndex(
                cell_px, [saved[f"classes{i}"] for i in range(n)], [saved[f"valid{i}"] for i in range(n)]
            )
        return
    grids = [place.scene.grid.at_gsd(gsd_m) for place in places]
    coarse = max(1, round(np.sqrt(sum(g.width * g.height for g in grids) / BUDGET_PX)))
    index = ClassIndex(cell_px, [], [])
    total = sum(-(-g.height // cell_px) for g in grids)
    for place, grid in zip(places, grids, strict=True):
        rows, cols = -(-grid.height // cell_px), -(-grid.width // cell_px)
        index.classes.append(np.zeros((rows, cols, k), np.int64))
        index.valid.append(np.zeros((rows, cols), np.int64))
        for row in range(rows):
            for col in range(0, cols, 16):
                box = Box(col * cell_px, row * cell_px, min(16, cols - col) * cell_px, cell_px)
                _count(
                    place,
                    box,
                    gsd_m,
                    coarse,
                    cell_px,
                    index.classes[-1][row, col:],
                    index.valid[-1][row, col:],
                )
            yield Progressed(
                what="reading the classes", done=sum(map(len, index.valid)) - rows + row + 1, total=total
            )
    arrays = {f"classes{i}": a for i, a in enumerate(index.classes)} | {
        f"valid{i}": a for i, a in enumerate(index.valid)
    }
    with whole(cache) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # numpy's stub takes **kwds for allow_pickle
    yield index


def _count(
    place: Place,
    box: Box,
    gsd_m: float,
    coarse: int,
    cell_px: int,
    classes: NDArray[np.int64],
    valid: NDArray[np.int64],
) -> None:
    """Count one row of cells at 1/`coarse` of the resolution into `classes` (cols, k) and `valid` (cols,)."""
    step = next(s for s in range(coarse, 0, -1) if cell_px % s == 0)
    small = Box(box.col // step, box.row // step, box.width // step, box.height // step)
    _, usable, label = read_labelled(place, small, gsd_m * step)
    side, k = cell_px // step, classes.shape[-1]
    for i in range(box.width // cell_px):
        part = slice(i * side, (i + 1) * side)
        valid[i] = usable[:, part].sum() * step * step
        classes[i] = np.bincount(label[:, part].ravel(), minlength=256)[:k] * step * step


def read_labelled(place: Place, box: Box, gsd_m: float) -> tuple[Patch, NDArray[np.bool_], NDArray[np.uint8]]:
    """A box's pixels, which of them are usable (valid, inside the area of interest), and their class ids
    (h, w), 255 where not usable or without labels."""
    patch = place.scene.read(box, gsd_m)
    usable = patch.valid if place.area is None else patch.valid & place.area.read(patch.grid)
    if place.labels is None:
        return patch, usable, np.full(usable.shape, 255, np.uint8)
    return patch, usable, np.where(usable, place.labels.read(patch.grid), 255).astype(np.uint8)
