"""Pixels that know where they are and which of them count."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo_io.grid import Grid


@dataclass(frozen=True)
class Patch:
    """Values (c, h, w), validity (h, w) and the grid of both.

    Invalid pixels hold 0: no value under nodata ever reaches a computation.
    """

    values: NDArray[np.generic]
    valid: NDArray[np.bool_]
    grid: Grid
