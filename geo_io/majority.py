"""Majority filter of a raster of any size: each pixel takes the class of most valid pixels around it."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geo_io.id_rows import NODATA, IdRows, Ids


def majority(rows: IdRows, window_px: int) -> Iterator[Ids]:
    """The bands of `rows`, filtered over windows of `window_px` (odd) a side that end at the raster's edge.

    Nodata has no vote and stays. A pixel keeps its class where that is among the winners; else the lowest
    of them wins.
    """
    reach = window_px // 2
    for top in range(0, rows.height, rows.step):
        bottom = min(top + rows.step, rows.height)
        first, last = max(top - reach, 0), min(bottom + reach, rows.height)
        found = _filtered(rows.read(first, last), reach)
        yield found[top - first : bottom - first]


def _filtered(ids: Ids, reach: int) -> Ids:
    """The same for one array, whose edges are the raster's."""
    most, winner, own = np.zeros(ids.shape, np.uint16), ids.copy(), np.zeros(ids.shape, np.uint16)
    for value in np.flatnonzero(np.bincount(ids.ravel(), minlength=NODATA)[:NODATA]):
        here = ids == value
        votes = _counted(_counted(here, reach, 0), reach, 1)
        own[here] = votes[here]
        more = votes > most
        most[more], winner[more] = votes[more], value
    keeps = (own == most) | (ids == NODATA)
    winner[keeps] = ids[keeps]
    return winner


def _counted(values: NDArray[np.generic], reach: int, axis: int) -> NDArray[np.uint16]:
    """Sums over `reach` cells to either side along `axis`."""
    size = values.shape[axis]
    # The running sum may pass 2^16: differences of a window's few hundred are right all the same.
    running = np.cumsum(values, axis=axis, dtype=np.uint16)
    ends = np.minimum(np.arange(size) + reach, size - 1)
    begins = np.arange(size) - reach - 1
    counted: NDArray[np.uint16] = running.take(ends, axis)
    inside = np.flatnonzero(begins >= 0)
    part = (slice(inside[0], None),) if len(inside) else (slice(0, 0),)
    place = part if axis == 0 else (slice(None), *part)
    counted[place] -= running.take(begins[inside], axis)
    return counted
