"""How much ground each class of a map covers, in square metres on the ellipsoid."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Geod

from geo_io.errors import BadInput
from geo_io.grid import Box, Grid
from geo_io.ground import unit_m2
from geo_io.scene import Scene

WINDOW_PX = 1024

Floats = NDArray[np.float64]


class Areas(NamedTuple):
    """Square metres and pixels by class id (k,) so far, and the share of the map counted, in [0, 1]."""

    area_m2: Floats
    counted: float
    pixels: NDArray[np.int64]


def class_areas(path: Path, classes: int) -> Iterator[Areas]:
    """Count a raster of class ids window by window; the last yield is the whole, nodata left out.

    Raises BadInput where the file is damaged or holds an id beyond `classes`.
    """
    total, pixels = np.zeros(classes), np.zeros(classes, np.int64)
    with Scene.open(path) as scene:
        boxes = list(_windows(scene.grid.box))
        for number, box in enumerate(boxes, 1):
            patch = scene.read(box)
            ids = patch.values[0]
            if patch.valid.any() and int(ids[patch.valid].max()) >= classes:
                problem = f"holds class id {int(ids[patch.valid].max())}, the legend has {classes} classes"
                raise BadInput(path, problem, "name the run that the map was made by")
            areas = np.broadcast_to(pixel_areas_m2(patch.grid), ids.shape)
            found = ids[patch.valid].astype(int)
            total += np.bincount(found, areas[patch.valid], minlength=classes)
            pixels += np.bincount(found, minlength=classes)
            yield Areas(total.copy(), number / len(boxes), pixels.copy())


def pixel_areas_m2(grid: Grid) -> Floats:
    """Square metres of the grid's pixels: (h, w), or (h, 1), or (1, 1) where they are equal along an axis.

    Geographic: by the ellipsoid's radii of curvature at each pixel's latitude. Projected: by the scale in
    the grid's centre, so that Web Mercator is not taken at its word; give a small grid. Without a CRS map
    units are taken to be metres.
    """
    plane = np.full((1, 1), abs(grid.transform.determinant))
    if grid.crs is not None and grid.crs.is_geographic:
        unit = float(grid.crs.axis_info[0].unit_conversion_factor)
        return plane * unit**2 * _square_radian_m2(grid.crs, _latitudes(grid) * unit)
    return plane * unit_m2(*grid.transform @ (grid.width / 2, grid.height / 2), grid.crs_wkt)


def areas_of_rows(grid: Grid, first: int, last: int) -> Floats:
    """Square metres of the pixels from row `first` to before `last`, as `class_areas` counts them."""
    areas = np.empty((last - first, grid.width))
    for box in _windows(grid.box):
        top, bottom = max(box.row, first), min(box.stop_row, last)
        if top < bottom:
            found = pixel_areas_m2(grid.crop(box))
            found = found[top - box.row : bottom - box.row] if len(found) > 1 else found
            areas[top - first : bottom - first, box.col : box.stop_col] = found
    return areas


def _latitudes(grid: Grid) -> Floats:
    """The y of pixel centres, in map units: a column where rows are parallels, else (h, w)."""
    t = grid.transform
    rows, cols = np.mgrid[: grid.height, : 1 if t.d == 0 else grid.width] + 0.5
    return np.asarray(t.d * cols + t.e * rows + t.f)


def _square_radian_m2(crs: CRS, latitude: Floats) -> Floats:
    """Square metres of a square radian of longitude and latitude, at `latitude` in radians."""
    geod = crs.get_geod() or Geod(ellps="WGS84")
    curved = 1 - geod.es * np.sin(latitude) ** 2
    meridian, normal = geod.a * (1 - geod.es) / curved**1.5, geod.a / np.sqrt(curved)
    return np.asarray(meridian * normal * np.cos(latitude))


def _windows(box: Box) -> Iterator[Box]:
    for row in range(0, box.height, WINDOW_PX):
        for col in range(0, box.width, WINDOW_PX):
            yield Box(col, row, WINDOW_PX, WINDOW_PX).clip(box.width, box.height)
