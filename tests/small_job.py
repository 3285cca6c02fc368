"""A complete job on two places of 128 x 128 pixels, drawn in a blink: the ground on which tests go wrong."""

from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import yaml
from worlds import NORTH, UTM, WEST, noise, north_up, write_raster

from geo_io.polygons import write_polygons

SIDE = 128
BANDS = ("red", "green", "blue")
NAMES = ("water", "forest", "field")
CLASSES = [{"name": n, "color": c} for n, c in zip(NAMES, ("#0000ff", "#008800", "#ffcc00"), strict=True)]


def truth() -> np.ndarray:
    """(h, w): the three classes as vertical stripes."""
    return np.repeat(np.arange(3, dtype=np.uint8), [40, 44, 44])[None].repeat(SIDE, 0)


def image(seed: int = 0) -> np.ndarray:
    """(3, h, w): noise about a level of its own for each class."""
    level = np.array([[40, 60, 120], [30, 90, 40], [150, 140, 60]], np.uint8)[truth()]
    return (level.transpose(2, 0, 1) + noise(3, SIDE, SIDE, seed=seed) // 10).astype(np.uint8)


def rectangle(left: float, top: float, right: float, bottom: float) -> dict[str, Any]:
    """GeoJSON of a rectangle, in metres from the corner of the source, downwards."""
    ring = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return {"type": "Polygon", "coordinates": [[(WEST + x, NORTH - y) for x, y in ring]]}


def stripes() -> list[tuple[dict[str, Any], str]]:
    """The truth as features."""
    edges = (0, 40, 84, SIDE)
    return [(rectangle(a, 0, b, SIDE), n) for a, b, n in zip(edges[:-1], edges[1:], NAMES, strict=True)]


def write_vector(path: Path, features: list[tuple[dict[str, Any], str]]) -> Path:
    write_polygons(path, pyproj.CRS(UTM).to_wkt(), features, "class")
    return path


def draw(folder: Path, settings: dict[str, Any] | None = None) -> Path:
    """Write images, labels and job.yaml; `settings` are dotted keys of the job and their values."""
    folder.mkdir(parents=True, exist_ok=True)
    write_raster(folder / "source.tif", image(1), names=BANDS)
    write_raster(folder / "target.tif", image(2), names=BANDS, transform=north_up(1.0, WEST + 5000))
    write_raster(folder / "labels.tif", truth(), nodata=255)
    write_raster(folder / "check.tif", truth(), nodata=255, transform=north_up(1.0, WEST + 5000))
    write_vector(folder / "labels.gpkg", stripes())
    return write_job(folder, settings)


def write_job(folder: Path, settings: dict[str, Any] | None = None) -> Path:
    job: dict[str, Any] = {
        "name": "small",
        "source": {"name": "home", "scenes": [{"path": "source.tif", "labels": {"path": "labels.tif"}}]},
        "target": {
            "name": "abroad",
            "scenes": [{"path": "target.tif", "labels": {"path": "check.tif", "use": "check"}}],
        },
        "legend": {"classes": [dict(each) for each in CLASSES]},
        "sampling": {"crop_px": 32, "batch": 2},
        "network": {"decoder": "unet", "encoder": "resnet18", "weights": None, "encoder_depth": 3},
        "schedule": {"steps": 2, "device": "cpu"},
        "method": {"name": "source_only"},
        "predict": {"tile_px": 64, "overlap_px": 16},
    }
    job["network"]["decoder_channels"] = [16, 8, 8]
    for key, value in (settings or {}).items():
        node: Any = job
        *parents, last = (int(part) if part.isdigit() else part for part in key.split("."))
        for part in parents:
            node = node[part]
        node[last] = value
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(job, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path
