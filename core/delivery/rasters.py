"""Rasters as they leave the house: cloud-optimised, named, coloured, styled."""

from collections.abc import Iterator
from pathlib import Path

from core.delivery.order import Order
from core.runs.map_files import CONFIDENCE_STEPS, RasterPart
from geo_io.class_areas import class_areas
from geo_io.cog import write_cog
from geo_io.pam import ClassRow, sidecar, write_names
from geo_io.qml import write_class_style, write_confidence_style
from geo_io.write import read_tags

COUNTING, COPYING = 0.4, 0.9
"""Share of the work that is done once the classes are counted, and once the raster is written."""


def class_raster(order: Order, stem: str) -> Iterator[float | Path]:
    """The class raster with everything that GDAL and QGIS read beside it."""
    made, to, legend = order.classes(stem), order.path(stem, "class"), order.run.job.legend
    yield 0.0
    areas = None
    for areas in class_areas(made, len(legend.classes)):
        yield COUNTING * areas.counted
    assert areas is not None
    write_cog(made, to, "mode")
    yield COPYING
    rows = [
        ClassRow(c.name, c.rgb, int(pixels), float(area))
        for c, pixels, area in zip(legend.classes, areas.pixels, areas.area_m2, strict=True)
    ]
    write_names(to, rows, read_tags(made) or {})
    yield to
    yield sidecar(to)
    yield write_class_style(to, legend.names, [c.rgb for c in legend.classes])
    yield 1.0


def confidence_raster(order: Order, stem: str) -> Iterator[float | Path]:
    """The confidence raster and its style."""
    yield from share_raster(order, stem, "confidence")
    yield write_confidence_style(order.path(stem, "confidence"), CONFIDENCE_STEPS)


def share_raster(order: Order, stem: str, part: RasterPart) -> Iterator[float | Path]:
    """A raster of quantities between 0 and 1."""
    made, to = order.made(stem, part), order.path(stem, part)
    yield 0.0
    write_cog(made, to, "average")
    yield to
    if sidecar(to).exists():
        yield sidecar(to)
    yield 1.0
