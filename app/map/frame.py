"""Map coordinates and those of the canvas: y down, near zero, about a pixel of imagery to the unit."""

from dataclasses import dataclass
from math import cos, hypot, log2, radians
from typing import NamedTuple, Self

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPolygonF, QTransform

from geo_io.crs import is_geographic
from geo_io.grid import Grid
from geo_io.ground import Ring, latlon
from geo_io.preview import TILE_PX, Tile


class MapPoint(NamedTuple):
    """A place in map units and, where the map has a CRS, in degrees."""

    x: float
    y: float
    lat: float | None
    lon: float | None


@dataclass(frozen=True)
class Frame:
    """The display CRS, and where its coordinates lie on the canvas.

    In a geographic CRS degrees of longitude are narrowed as at the origin, so that shapes look right.
    """

    crs_wkt: str | None
    x: float
    y: float
    unit_x: float
    unit_y: float

    @classmethod
    def around(cls, grid: Grid) -> Self:
        """The frame of a map that shows `grid` first."""
        t = grid.transform
        x, y = t @ (grid.width / 2, grid.height / 2)
        unit = max(hypot(t.a, t.d), hypot(t.b, t.e))
        narrowed = 1.0
        if is_geographic(grid.crs_wkt):
            narrowed = max(cos(radians(y)), 0.05)
        return cls(grid.crs_wkt, x, y, unit / narrowed, unit)

    def to_scene(self, x: float, y: float) -> QPointF:
        return QPointF((x - self.x) / self.unit_x, (self.y - y) / self.unit_y)

    def to_map(self, point: QPointF) -> tuple[float, float]:
        return self.x + point.x() * self.unit_x, self.y - point.y() * self.unit_y

    def point(self, at: QPointF) -> MapPoint:
        x, y = self.to_map(at)
        degrees = latlon(x, y, self.crs_wkt)
        return MapPoint(x, y, *(degrees or (None, None)))

    def polygon(self, ring: Ring) -> QPolygonF:
        return QPolygonF([self.to_scene(x, y) for x, y in ring])

    def of_grid(self, grid: Grid) -> QTransform:
        """(column, row) of `grid`, which is in the display CRS, to the canvas."""
        t = grid.transform
        return QTransform(
            t.a / self.unit_x,
            -t.d / self.unit_y,
            t.b / self.unit_x,
            -t.e / self.unit_y,
            (t.c - self.x) / self.unit_x,
            (self.y - t.f) / self.unit_y,
        )


def level_for(to_screen: QTransform, grid: Grid, fine_levels: int = 0) -> int:
    """The level of tiles whose pixels are closest to the screen's; finer than 0 by `fine_levels` at most."""
    screen_px = abs(to_screen.determinant()) ** 0.5
    coarsest = max(0, round(log2(max(grid.width, grid.height, TILE_PX) / TILE_PX) + 0.49))
    return min(max(round(-log2(max(screen_px, 1e-12))), -fine_levels), coarsest)


def tiles_in(shown: QRectF, to_scene: QTransform, grid: Grid, level: int, ring: int = 0) -> list[Tile]:
    """The tiles of `grid` under a rectangle of the canvas and `ring` tiles around, the middle ones first."""
    back, invertible = to_scene.inverted()
    if not invertible:
        return []
    seen, side = back.mapRect(shown), Tile(level, 0, 0).side
    last_col, last_row = -int(-grid.width // side) - 1, -int(-grid.height // side) - 1
    left, right = int(seen.left() // side) - ring, int(seen.right() // side) + ring
    top, bottom = int(seen.top() // side) - ring, int(seen.bottom() // side) + ring
    middle = seen.center().x() / side - 0.5, seen.center().y() / side - 0.5
    found = [
        Tile(level, col, row)
        for row in range(max(top, 0), min(bottom, last_row) + 1)
        for col in range(max(left, 0), min(right, last_col) + 1)
    ]
    return sorted(found, key=lambda tile: hypot(tile.col - middle[0], tile.row - middle[1]))
