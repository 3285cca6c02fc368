"""Pixel values to colours: arrays in, images out. Runs on any thread."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from geo_io.glance import Limits

Rgba = tuple[int, int, int, int]

HATCHES = 6
_RAMP = ((13, 8, 60), (70, 25, 110), (150, 45, 95), (215, 95, 55), (248, 170, 60), (252, 250, 190))
"""Dark to light in even steps of lightness, so that it reads without colour."""
CHANGED: Rgba = (214, 0, 140, 255)


def image_of(argb: NDArray[np.uint32]) -> QImage:
    """(h, w) premultiplied 0xAARRGGBB as an image that owns its pixels."""
    height, width = argb.shape
    shared = QImage(
        np.ascontiguousarray(argb).data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied
    )
    return shared.copy()


def nothing() -> QImage:
    """A transparent pixel."""
    return image_of(np.zeros((1, 1), np.uint32))


def stretched(values: NDArray[Any], valid: NDArray[np.bool_], limits: Sequence[Limits]) -> QImage:
    """(3, h, w) or (1, h, w) values, each band black at its low limit and white at its high, to an image."""
    shown = [_bytes(band, limit) for band, limit in zip(values, limits, strict=True)]
    red, green, blue = shown if len(shown) == 3 else shown * 3
    argb = np.uint32(0xFF000000) | red << np.uint32(16) | green << np.uint32(8) | blue
    argb[~valid] = 0
    return image_of(argb)


def _bytes(band: NDArray[Any], limits: Limits) -> NDArray[np.uint32]:
    if band.dtype in (np.uint8, np.uint16):  # a table look-up is several times faster than arithmetic
        table = _ramp(np.arange(np.iinfo(band.dtype).max + 1), limits)
        return np.asarray(table[band])
    return _ramp(band, limits)


def _ramp(values: NDArray[Any], limits: Limits) -> NDArray[np.uint32]:
    low, high = limits
    with np.errstate(invalid="ignore", over="ignore"):
        share = (values.astype(np.float32) - low) / max(high - low, 1e-12)
    return np.asarray(np.clip(np.nan_to_num(share), 0, 1) * 255 + 0.5).astype(np.uint32)


def classes_table(colors: Mapping[int, Rgba]) -> NDArray[np.uint32]:
    """Class id 0..255 -> premultiplied colour; transparent where there is none."""
    table = np.zeros(256, np.uint32)
    for value, (r, g, b, a) in colors.items():
        if 0 <= value <= 255:
            r, g, b = (c * a // 255 for c in (r, g, b))
            table[value] = a << 24 | r << 16 | g << 8 | b
    return table


def classes(ids: NDArray[Any], valid: NDArray[np.bool_], table: NDArray[np.uint32], hatched: bool) -> QImage:
    """(h, w) class ids to an image; `hatched` lays a pattern of its own over each of six classes in a row."""
    known = valid & (ids >= 0) & (ids <= 255)
    ids = np.where(known, ids, 0).astype(np.intp)
    argb = np.where(known, table[ids], np.uint32(0))
    if hatched:
        argb = np.where(_hatch(ids) & known & (argb > 0), _shaded(argb), argb)
    return image_of(argb.astype(np.uint32))


def _hatch(ids: NDArray[Any]) -> NDArray[np.bool_]:
    row, col = np.indices(ids.shape)
    patterns = (
        np.zeros(ids.shape, bool),
        (row + col) % 8 < 2,
        (row - col) % 8 < 2,
        row % 8 < 2,
        col % 8 < 2,
        (row % 8 < 2) & (col % 8 < 2),
    )
    return np.asarray(np.choose(ids.astype(np.intp) % HATCHES, patterns))


def _shaded(argb: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Dark colours lighter and light ones darker, opacity kept."""
    a, r, g, b = (argb >> np.uint32(shift) & np.uint32(255) for shift in (24, 16, 8, 0))
    light = 299 * r + 587 * g + 114 * b > 500 * a
    mixed = [np.where(light, c * 2 // 5, (c + 2 * a) // 3) for c in (r, g, b)]
    shaded = a << np.uint32(24) | mixed[0] << np.uint32(16) | mixed[1] << np.uint32(8) | mixed[2]
    return np.asarray(shaded, np.uint32)


def ramp_color(share: float) -> tuple[int, int, int]:
    """The colour of a confidence from 0 (dark) to 1 (light)."""
    r, g, b = (
        round(float(np.interp(share, np.linspace(0, 1, len(_RAMP)), channel)))
        for channel in zip(*_RAMP, strict=True)
    )
    return r, g, b


def confidence_table() -> NDArray[np.uint32]:
    """Confidence 0..254 -> colour; 255 is none."""
    return classes_table({i: (*ramp_color(i / 254), 255) for i in range(255)})


def difference(one: NDArray[Any], other: NDArray[Any], valid: NDArray[np.bool_]) -> QImage:
    """Where two (h, w) class maps disagree, in stripes; all else is transparent."""
    r, g, b, a = CHANGED
    row, col = np.indices(one.shape)
    striped = np.where((row + col) % 8 < 5, np.uint32(a << 24 | r << 16 | g << 8 | b), np.uint32(0xFFFFFFFF))
    return image_of(np.where(valid & (one != other), striped, np.uint32(0)).astype(np.uint32))
