"""Where pixels lie: a CRS, an affine transform and a size."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from affine import Affine
from pyproj import CRS, Geod


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
        """Width and height of the central pixel in metres: ellipsoidal where the CRS is geographic.

        A grid without CRS is taken to be in metres.
        """
        t, col, row = self.transform, self.width / 2, self.height / 2
        centre, right, below = t @ (col, row), t @ (col + 1, row), t @ (col, row + 1)
        return self._distance_m(centre, right), self._distance_m(centre, below)

    @property
    def gsd_m(self) -> float:
        """Ground sampling distance in metres: the geometric mean of a pixel's two sides."""
        return math.sqrt(self.pixel_size_m[0] * self.pixel_size_m[1])

    def _distance_m(self, a: tuple[float, float], b: tuple[float, float]) -> float:
        if self.crs is None:
            return math.dist(a, b)
        if self.crs.is_geographic:
            geod = self.crs.get_geod() or Geod(ellps="WGS84")
            return float(geod.inv(a[0], a[1], b[0], b[1])[2])
        return math.dist(a, b) * float(self.crs.axis_info[0].unit_conversion_factor)

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
