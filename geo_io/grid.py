"""Where pixels lie: a CRS, an affine transform and a size."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from affine import Affine
from pyproj import CRS

from geo_io.crs import is_geographic, unit_m
from geo_io.ground import units_m

_TRUE_LENGTHS, _TRUE_SHAPES = 0.01, 0.05
"""Within which a projection is taken to keep them."""


class Box(NamedTuple):
    """A window in whole pixels of some grid; it may reach outside of that grid."""

    col: int
    row: int
    width: int
    height: int

    @property
    def stop_col(self) -> int:
        return self.col + self.width

    @property
    def stop_row(self) -> int:
        return self.row + self.height

    def clip(self, width: int, height: int) -> "Box":
        """The part inside `(0, 0, width, height)`; width or height is 0 where there is none."""
        col, row = min(max(self.col, 0), width), min(max(self.row, 0), height)
        stop_col, stop_row = min(self.stop_col, width), min(self.stop_row, height)
        return Box(col, row, max(stop_col - col, 0), max(stop_row - row, 0))


@dataclass(frozen=True)
class Grid:
    """A georeferenced pixel grid.

    `crs_wkt` is WKT2 as read (None where the file has none), so that a CRS without an EPSG code
    survives; `transform` maps (col, row) to map units, rotation included.
    """

    crs_wkt: str | None
    transform: Affine
    width: int
    height: int

    @cached_property
    def crs(self) -> CRS | None:
        return CRS.from_wkt(self.crs_wkt) if self.crs_wkt else None

    @property
    def box(self) -> Box:
        return Box(0, 0, self.width, self.height)

    @cached_property
    def pixel_size_m(self) -> tuple[float, float]:
        """Width and height of the central pixel in metres on the ground."""
        t, (east, north) = self.transform, self._units_m()
        return math.hypot(t.a * east, t.d * north), math.hypot(t.b * east, t.e * north)

    @property
    def gsd_m(self) -> float:
        """Ground sampling distance in metres: the geometric mean of a pixel's two sides."""
        return math.sqrt(self.pixel_size_m[0] * self.pixel_size_m[1])

    @property
    def said_gsd_m(self) -> float:
        """What the projection calls `gsd_m`: by map units at their word, but for degrees."""
        if is_geographic(self.crs_wkt):
            return self.gsd_m
        return math.sqrt(abs(self.transform.determinant)) * unit_m(self.crs_wkt)

    def _units_m(self) -> tuple[float, float]:
        """Metres on the ground of a map unit eastward and northward, in the middle of the grid.

        A plane that nearly keeps shapes is taken to keep them, and one that nearly keeps lengths too, as UTM,
        at its word: square pixels stay square, and are not resampled to what all call their size.
        """
        east, north = units_m(*self.transform @ (self.width / 2, self.height / 2), self.crs_wkt)
        if is_geographic(self.crs_wkt) or abs(east / north - 1) > _TRUE_SHAPES:
            return east, north
        mean, said = math.sqrt(east * north), unit_m(self.crs_wkt)
        return (said, said) if abs(mean / said - 1) < _TRUE_LENGTHS else (mean, mean)

    def at_gsd(self, gsd_m: float | None) -> "Grid":
        """The grid with square pixels of `gsd_m` metres: same origin, CRS and orientation.

        It covers this grid wholly: its last row and column may reach past the edge. None gives the
        grid itself, so does a size that differs by less than one part in a thousand.
        """
        if gsd_m is None:
            return self
        scale_x, scale_y = gsd_m / self.pixel_size_m[0], gsd_m / self.pixel_size_m[1]
        if abs(scale_x - 1) < 1e-3 and abs(scale_y - 1) < 1e-3:
            return self
        width, height = (math.ceil(n / s - 1e-6) for n, s in ((self.width, scale_x), (self.height, scale_y)))
        scaled = self.transform @ Affine.scale(scale_x, scale_y)
        return Grid(self.crs_wkt, scaled, max(width, 1), max(height, 1))

    def crop(self, box: Box) -> "Grid":
        """The sub-grid of `box`, which may reach outside."""
        shifted = self.transform @ Affine.translation(box.col, box.row)
        return Grid(self.crs_wkt, shifted, box.width, box.height)

    @property
    def corners(self) -> list[tuple[float, float]]:
        """The four corners in map units, in ring order from the origin."""
        w, h = self.width, self.height
        return [self.transform @ corner for corner in ((0, 0), (w, 0), (w, h), (0, h))]
