"""STAC items of the delivered maps: where, when, what the values mean, from what, by what.

STAC 1.1 with the extensions classification, projection, raster, processing and file. Written by hand: an
item is a small JSON object, and a catalogue library would be the larger dependency.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from core.delivery.checksums import sha256
from core.delivery.order import Order
from core.files import read_json, write_json
from core.runs.map_files import (
    CLASS_SUFFIX,
    CONFIDENCE_STEPS,
    OPTIONAL,
    SUFFIXES,
    mapped_stems,
    numbered,
    share_names,
    stems,
)
from geo_io.footprint import footprint
from geo_io.grid import Grid
from geo_io.legend import IGNORE, Legend
from geo_io.scene import Scene

EXTENSIONS = "https://stac-extensions.github.io"
SCHEMAS = {
    "classification": f"{EXTENSIONS}/classification/v2.0.0/schema.json",
    "projection": f"{EXTENSIONS}/projection/v2.0.0/schema.json",
    "raster": f"{EXTENSIONS}/raster/v2.0.0/schema.json",
    "processing": f"{EXTENSIONS}/processing/v1.2.0/schema.json",
    "file": f"{EXTENSIONS}/file/v2.1.0/schema.json",
    "mlm": f"{EXTENSIONS}/mlm/v1.5.2/schema.json",
}
MEDIA_TYPES = {
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
    ".gpkg": "application/geopackage+sqlite3",
    ".html": "text/html",
    ".xml": "application/xml",
    ".qml": "application/xml",
    ".json": "application/json",
}


def map_item(order: Order, stem: str, files: Sequence[Path]) -> Iterator[float | Path]:
    """The STAC item of one scene's map, whose files are `files`."""
    yield 0.0
    with Scene.open(order.made(stem, "class")) as scene:
        grid = scene.grid
    to = order.to / item_name(order, stem)
    links = [{"rel": "self", "href": href(to.name), "type": "application/geo+json"}]
    links += [_derived(order, stem), *_sources(order)]
    if (order.to / MODEL_ITEM).exists():
        links.append({"rel": "mlm:model", "href": f"./{MODEL_ITEM}", "type": "application/geo+json"})
    named = ("classification", "projection", "raster", "processing", "file")
    content = item(f"{order.run.id}-{stem}", grid, [SCHEMAS[name] for name in named])
    content["properties"] |= _projection(grid) | processing(order)
    content["links"] = links
    content["assets"] = {_asset_key(path, stem): _asset(path, order.run.job.legend, grid) for path in files}
    write_json(to, content)
    yield to
    yield 1.0


MODEL_ITEM, MANIFEST = "model.json", "bundle.json"


def item_name(order: Order, stem: str) -> str:
    """The name of a map's item: the scene's, numbered where that is the model's or the list of files'."""
    reserved = {Path(name).stem for name in (MODEL_ITEM, MANIFEST)}
    if stem.casefold() not in reserved:
        return f"{stem}.json"
    return numbered(stem, {each.casefold() for each in mapped_stems(order.run.job)}) + ".json"


def href(name: str) -> str:
    """A reference to the file `name` beside an item: a URL, in which % and # mean something."""
    return f"./{quote(name)}"


def item(key: str, grid: Grid, schemas: Sequence[str]) -> dict[str, Any]:
    """A STAC item without properties, links and assets, that lies where `grid` does."""
    placed = footprint(grid)
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": list(schemas),
        "id": re.sub(r"[^\w.-]+", "_", key),
        **(placed._asdict() if placed else {"geometry": None}),
        "properties": {},
        "links": [],
        "assets": {},
    }


def processing(order: Order) -> dict[str, Any]:
    """When the run ended, what it did, and by which versions."""
    run, record = order.run, read_json(order.run.folder / "record.json")
    ended = datetime.fromtimestamp((run.folder / "verdict.json").stat().st_mtime, UTC)
    job, when = run.job, ended.strftime("%Y-%m-%dT%H:%M:%SZ")
    lineage = (
        f"Land cover of {job.target.name} by a network trained on the labels of {job.source.name}"
        + (f", adapted without a label by {job.method.name}" if order.model == "adapted" else "")
        + f"; seed {job.seed}, run {run.id}."
    )
    return {
        "datetime": when,
        "created": when,
        "processing:datetime": when,
        "processing:lineage": lineage,
        "processing:software": {
            name: str(version) for name, version in record["versions"].items() if version
        },
    }


def classes(legend: Legend) -> list[dict[str, Any]]:
    """The legend as `classification:classes`."""
    known = [
        {
            "value": i,
            "name": re.sub(r"[^0-9A-Za-z_-]+", "_", c.name) or f"class_{i}",
            "title": c.name,
            "description": c.name,
            "color_hint": c.color.removeprefix("#").upper(),
        }
        for i, c in enumerate(legend.classes)
    ]
    return [*known, {"value": IGNORE, "name": "nodata", "description": "No data", "nodata": True}]


def file_facts(path: Path) -> dict[str, Any]:
    """Size and checksum, a sha2-256 multihash."""
    return {"file:size": path.stat().st_size, "file:checksum": f"1220{sha256(path)}"}


def _asset(path: Path, legend: Legend, grid: Grid) -> dict[str, Any]:
    facts: dict[str, Any] = {"href": href(path.name), **file_facts(path)}
    if media := MEDIA_TYPES.get(path.suffix):
        facts["type"] = media
    if path.name.endswith(CLASS_SUFFIX):
        band: dict[str, Any] = {"name": "class", "data_type": "uint8", "nodata": IGNORE}
        band["raster:spatial_resolution"] = grid.gsd_m
        return facts | {"roles": ["data"], "bands": [band], "classification:classes": classes(legend)}
    for part in OPTIONAL:
        if path.name.endswith(SUFFIXES[part]):
            scale = {"raster:scale": 1 / CONFIDENCE_STEPS, "raster:offset": 0}
            bands = [
                {"name": name, "data_type": "uint8", "nodata": IGNORE, **scale}
                for name in share_names(part, legend.names)
            ]
            return facts | {"roles": ["data"], "bands": bands}
    return facts | {"roles": ["data" if path.suffix == ".gpkg" else "metadata"]}


def _asset_key(path: Path, stem: str) -> str:
    """`class`, `class.qml`, `polygons`...: the file's name without the scene's and a map's suffix."""
    return path.name.removeprefix(f"{stem}.").removesuffix(".tif").removesuffix(".gpkg")


def _projection(grid: Grid) -> dict[str, Any]:
    t = grid.transform
    found: dict[str, Any] = {
        "proj:shape": [grid.height, grid.width],
        "proj:transform": [t.a, t.b, t.c, t.d, t.e, t.f],
        "gsd": grid.gsd_m,
    }
    code = grid.crs.to_authority(min_confidence=100) if grid.crs else None
    if code:
        return found | {"proj:code": ":".join(code)}
    return found | {"proj:code": None, "proj:wkt2": grid.crs_wkt}


def _derived(order: Order, stem: str) -> dict[str, str]:
    scenes = order.run.job.target.scenes
    path = scenes[stems(scenes).index(stem)].path
    return {"rel": "derived_from", "href": path.as_uri(), "title": f"target: {path.name}"}


def _sources(order: Order) -> list[dict[str, str]]:
    paths = [scene.path for scene in order.run.job.source.scenes]
    return [{"rel": "derived_from", "href": p.as_uri(), "title": f"source: {p.name}"} for p in paths]
