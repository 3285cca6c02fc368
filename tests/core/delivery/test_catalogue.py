"""STAC items: checked against the specification's rules, written down here so that no schema is fetched."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import rasterio
import rasterio.warp
from delivered import finished_run
from jsonschema import Draft202012Validator
from small_job import NAMES
from stac import item_faults

from core.delivery.bundle import MANIFEST, deliver
from core.delivery.catalogue import SCHEMAS
from core.delivery.checksums import sha256
from core.runs.run import Run

NUMBERS = {"type": "array", "items": {"type": "number"}}
ITEM = {
    "type": "object",
    "required": ["type", "stac_version", "id", "geometry", "bbox", "properties", "links", "assets"],
    "properties": {
        "type": {"const": "Feature"},
        "stac_version": {"const": "1.1.0"},
        "stac_extensions": {"type": "array", "uniqueItems": True, "items": {"pattern": "^https://"}},
        "id": {"type": "string", "minLength": 1},
        "bbox": NUMBERS | {"minItems": 4, "maxItems": 4},
        "properties": {
            "type": "object",
            "required": ["datetime", "proj:shape", "proj:transform"],
            "properties": {
                "datetime": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
                "proj:shape": NUMBERS | {"minItems": 2, "maxItems": 2},
                "proj:transform": NUMBERS | {"minItems": 6, "maxItems": 6},
                "proj:code": {"type": "string", "pattern": r"^EPSG:\d+$"},
                "processing:software": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
        "links": {"type": "array", "items": {"required": ["rel", "href"]}},
        "assets": {
            "type": "object",
            "additionalProperties": {
                "required": ["href", "roles", "file:size", "file:checksum"],
                "properties": {
                    "file:checksum": {"pattern": "^1220[0-9a-f]{64}$"},
                    "classification:classes": {
                        "type": "array",
                        "uniqueItems": True,
                        "items": {
                            "required": ["value", "name"],
                            "properties": {
                                "value": {"type": "integer"},
                                "name": {"pattern": "^[0-9A-Za-z-_]+$"},
                                "color_hint": {"pattern": "^[0-9A-F]{6}$"},
                            },
                        },
                    },
                },
            },
        },
    },
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return finished_run(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="module")
def to(run: Run) -> Path:
    list(deliver(run.folder, run.folder / "out", parts=["class", "confidence", "probabilities", "catalogue"]))
    return run.folder / "out"


@pytest.fixture
def item(to: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((to / "target.json").read_text())
    return found


def keys(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from keys(value)
    elif isinstance(node, list):
        for value in node:
            yield from keys(value)


def test_it_follows_the_specification(item: dict[str, Any]) -> None:
    Draft202012Validator(ITEM).validate(item)
    assert item_faults(item) == []


def test_every_prefix_is_of_a_named_extension_and_each_of_those_is_used(item: dict[str, Any]) -> None:
    prefixes = {key.partition(":")[0] for key in keys(item) if ":" in key}
    short = {"proj": "projection"}
    assert {SCHEMAS[short.get(prefix, prefix)] for prefix in prefixes} == set(item["stac_extensions"])


def test_assets_are_the_files_with_their_checksums(item: dict[str, Any], to: Path) -> None:
    assert {"class", "class.qml", "class.tif.aux.xml", "confidence"} <= set(item["assets"])
    assert [band["name"] for band in item["assets"]["probabilities"]["bands"]] == list(NAMES)
    for asset in item["assets"].values():
        path = to / asset["href"]
        assert asset["file:size"] == path.stat().st_size
        assert asset["file:checksum"] == f"1220{sha256(path)}"


def test_it_lies_where_the_map_lies(item: dict[str, Any], to: Path) -> None:
    with rasterio.open(to / "target.class.tif") as map_:
        bounds = rasterio.warp.transform_bounds(map_.crs, "EPSG:4326", *map_.bounds)
        assert item["properties"]["proj:transform"] == list(map_.transform)[:6]
        assert item["properties"]["proj:shape"] == list(map_.shape)
        assert item["properties"]["proj:code"] == f"EPSG:{map_.crs.to_epsg()}"
    assert item["bbox"] == pytest.approx(bounds, abs=1e-7)
    ring = item["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    assert min(x for x, _ in ring) == pytest.approx(bounds[0], abs=1e-7)


def test_classes_lineage_and_origins(item: dict[str, Any], run: Run) -> None:
    classes = item["assets"]["class"]["classification:classes"]
    assert [c["title"] for c in classes if not c.get("nodata")] == list(NAMES)
    assert [c["value"] for c in classes if c.get("nodata")] == [255]
    assert "adapted" not in item["properties"]["processing:lineage"], "source-only made this map"
    origins = [link["href"] for link in item["links"] if link["rel"] == "derived_from"]
    scenes = [*run.job.target.scenes, *run.job.source.scenes]
    assert origins == [scene.path.as_uri() for scene in scenes]


def test_items_have_names_and_assets_of_their_own(tmp_path: Path) -> None:
    names = ("a", "a.b", "a.class", "model", "bundle", "50% #1")
    run, to = finished_run(tmp_path, names), tmp_path / "out"
    list(deliver(run.folder, to, parts=["class", "catalogue"]))
    listed = json.loads((to / MANIFEST).read_text())["files"]
    assert all(sha256(to / name) == facts["sha256"] for name, facts in listed.items())
    items = ("a", "a.b", "a.class", "model-1", "bundle-1", "50% #1")
    for name, item in zip(names, items, strict=True):
        found = json.loads((to / f"{item}.json").read_text())
        assert set(found["assets"]) == {"class", "class.qml", "class.tif.aux.xml"}
        assert unquote(found["assets"]["class"]["href"]) == f"./{name}.class.tif"
        assert unquote(found["links"][0]["href"]) == f"./{item}.json"
        assert "#" not in found["assets"]["class"]["href"]


def test_a_map_without_a_place_has_an_item_without_one(tmp_path: Path) -> None:
    run, to = finished_run(tmp_path, crs=None), tmp_path / "out"
    list(deliver(run.folder, to, parts=["class", "confidence", "polygons", "catalogue"]))
    found = json.loads((to / "target.json").read_text())
    assert found["geometry"] is None
    assert "bbox" not in found
    assert item_faults(found) == []
