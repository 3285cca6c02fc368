"""Small pictures of rasters, as PNG bytes: for reports, where no viewer of rasters is at hand."""

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from geo_io.legend import IGNORE
from geo_io.patch import Patch

Rgb = tuple[int, int, int]
LOW, HIGH = 2, 98
"""Percentiles between which each band is stretched."""
EMPTY: Rgb = (255, 255, 255)


def class_picture(ids: NDArray[np.uint8], colors: Sequence[Rgb]) -> bytes:
    """Class ids (h, w) in their colours, 255 in white."""
    table = np.full((256, 3), EMPTY, np.uint8)
    table[: len(colors)] = colors
    return png(table[np.where(ids < len(colors), ids, IGNORE)])


def image_picture(patch: Patch, bands: list[int]) -> bytes:
    """Three bands of a patch as red, green and blue, or one as grey, each stretched; nodata in white."""
    rgb = np.full((*patch.valid.shape, 3), EMPTY, np.uint8)
    for channel, band in enumerate(bands if len(bands) == 3 else bands[:1] * 3):
        values = patch.values[band].astype(np.float64)
        seen = values[patch.valid]
        if seen.size:
            low, high = np.percentile(seen, [LOW, HIGH])
            shown = np.clip((values - low) / max(high - low, 1e-9), 0, 1) * 255
            rgb[..., channel] = np.where(patch.valid, shown, EMPTY[channel])
    return png(rgb)


def png(rgb: NDArray[np.uint8]) -> bytes:
    """(h, w, 3) -> PNG."""
    height, width, _ = rgb.shape
    # A picture lies nowhere on the ground, which rasterio warns of.
    with warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning), MemoryFile() as memory:
        with memory.open(driver="PNG", width=width, height=height, count=3, dtype="uint8") as picture:
            picture.write(rgb.transpose(2, 0, 1))
        return bytes(memory.read())
