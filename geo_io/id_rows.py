"""A raster of class ids, a few rows at a time: what is done to a map of any size is done over these."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo_io.grid import Box
from geo_io.scene import Scene
from geo_io.whole_file import writing

NODATA = 255
BAND_PX = 2**22
"""Pixels held at once, whatever the raster's width; some twenty bytes are needed for each."""

Ids = NDArray[np.uint8]


@dataclass(frozen=True)
class IdRows:
    """Ids (height, width), NODATA where there is none, in bands of `step` rows that can be read again."""

    read: Callable[[int, int], Ids]
    """Rows from the first to before the last, (last - first, width)."""
    height: int
    width: int
    step: int

    def __iter__(self) -> Iterator[Ids]:
        for top in range(0, self.height, self.step):
            yield self.read(top, min(top + self.step, self.height))

    def __len__(self) -> int:
        return -(-self.height // self.step)


def band_rows(width: int) -> int:
    """Rows of that width that are held at once."""
    return max(BAND_PX // width, 1)


def scene_rows(scene: Scene) -> IdRows:
    """The first band of `scene`, a uint8 raster."""
    grid = scene.grid

    def read(first: int, last: int) -> Ids:
        patch = scene.read(Box(0, first, grid.width, last - first))
        return np.where(patch.valid, patch.values[0], NODATA).astype(np.uint8)

    return IdRows(read, grid.height, grid.width, band_rows(grid.width))


def file_rows(path: Path, height: int, width: int) -> IdRows:
    """What `keep` wrote."""

    def read(first: int, last: int) -> Ids:
        return np.fromfile(path, np.uint8, (last - first) * width, offset=first * width).reshape(-1, width)

    return IdRows(read, height, width, band_rows(width))


def keep(path: Path, height: int, made: Iterable[float | Ids]) -> Iterator[float]:
    """Write rows, made one band after the other, as bare bytes; yields the share done.

    Raises RunFailed where the disk is full.
    """
    rows, before = 0, 0.0
    with writing(path), path.open("wb") as file:
        for said in made:
            if isinstance(said, float):
                before = said
            else:
                file.write(np.ascontiguousarray(said).data)
                rows += len(said)
            yield before + (1 - before) * rows / height
