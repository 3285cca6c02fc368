"""The classes of a map as polygons in a GeoPackage, with the style that QGIS applies."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.delivery.order import Order
from core.runs.map_files import CONFIDENCE_STEPS
from geo_io.id_rows import scene_rows
from geo_io.polygonise import Polygons, polygonise
from geo_io.polygons import writing_polygons
from geo_io.qml import write_polygon_style
from geo_io.scene import Scene


def class_polygons(order: Order, stem: str) -> Iterator[float | Path]:
    """`<stem>.polygons.gpkg` and its style."""
    to, legend = order.to / f"{stem}.polygons.gpkg", order.run.job.legend
    names = np.array(legend.names, object)
    with ExitStack() as opened:
        scene = opened.enter_context(Scene.open(order.classes(stem)))
        sure, grid = order.made(stem, "confidence"), scene.grid
        confidence = scene_rows(opened.enter_context(Scene.open(sure))) if sure.exists() else None
        write = opened.enter_context(writing_polygons(to, grid.crs_wkt))
        simplify_px = order.cleaning.simplify_m / grid.gsd_m
        for said in polygonise(scene_rows(scene), grid, confidence, CONFIDENCE_STEPS, simplify_px):
            if isinstance(said, float):
                yield 0.95 * said
            else:
                write(said.shapes, _columns(said, names))
    yield to
    yield write_polygon_style(to, "class_name", legend.names, [c.rgb for c in legend.classes])
    yield 1.0


def _columns(polygons: Polygons, names: NDArray[Any]) -> dict[str, NDArray[Any]]:
    return {
        "class_id": polygons.class_id.astype(np.int32),
        "class_name": names[polygons.class_id],
        "area_m2": polygons.area_m2,
        "mean_confidence": polygons.mean_confidence,
        "split": polygons.split,
    }
