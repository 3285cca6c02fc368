"""Cleaned rasters and polygons in a delivery: one agrees with the other, and nothing stays behind."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyogrio.raw
import pytest
import rasterio
import shapely
from delivered import finished_run, read
from drawn_ids import made, rows_of
from pyproj import CRS
from small_job import NAMES
from worlds import north_up

from core.delivery.bundle import deliver
from core.delivery.cleaning import least_px
from core.delivery.parts import Cleaning
from core.errors import BadInput
from core.runs.map_files import map_path
from core.runs.run import Run
from geo_io import id_rows
from geo_io.class_areas import class_areas
from geo_io.grid import Grid
from geo_io.majority import majority
from geo_io.sieve import sieve

CLEANING = Cleaning(least_m2=40, majority_px=3, simplify_m=1.5)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Its class map has some noise to clean."""
    run = finished_run(tmp_path)
    path = map_path(run.folder, "chosen", "target")
    ids = read(path)
    noisy = (np.random.default_rng(0).random(ids.shape) < 0.1) & (ids != 255)
    with rasterio.open(path, "r+") as file:
        file.write(np.where(noisy, (ids + 1) % len(NAMES), ids), 1)
    return run


def polygons(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    meta, _, geometry, data = pyogrio.raw.read(path)
    return shapely.from_wkb(geometry), dict(zip(meta["fields"], data, strict=True))


def test_raster_and_polygons_are_cleaned_alike(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = tmp_path / "out"
    monkeypatch.setattr(id_rows, "BAND_PX", 1000)
    events = list(deliver(run.folder, to, parts=["class", "polygons"], cleaning=CLEANING))
    ids = read(map_path(run.folder, "chosen", "target"))
    expected = made(sieve(rows_of(made(majority(rows_of(ids, 99), 3)), 99), 40))
    assert np.array_equal(read(to / "target.class.tif"), expected)
    assert not np.array_equal(expected, ids)
    with rasterio.open(to / "target.class.tif") as file:
        tags = file.tags(ns="ISTHMUS")
    assert (tags["CLEANED"], tags["RUN"]) == ("least_m2=40, majority_px=3", run.id)
    shapes, columns = polygons(to / "target.polygons.gpkg")
    assert shapely.coverage_is_valid(shapes)
    by_class = np.bincount(columns["class_id"], columns["area_m2"], len(NAMES))
    areas = list(class_areas(to / "target.class.tif", len(NAMES)))[-1].area_m2
    np.testing.assert_allclose(by_class, areas, rtol=1e-12)
    assert [NAMES[i] for i in columns["class_id"]] == columns["class_name"].tolist()
    assert columns["mean_confidence"] == pytest.approx(0.5)
    shares = [event.done / event.total for event in events]
    assert shares == sorted(shares)
    assert len(set(shares)) > 20
    assert sorted(path.name for path in to.iterdir() if "partial" in path.name) == []


def test_polygons_alone_are_of_the_map_as_it_is(run: Run, tmp_path: Path) -> None:
    to = tmp_path / "out"
    map_path(run.folder, "chosen", "target", "confidence").unlink()
    list(deliver(run.folder, to, parts=["polygons"]))
    ids = read(map_path(run.folder, "chosen", "target"))
    shapes, columns = polygons(to / "target.polygons.gpkg")
    assert shapely.area(shapes).sum() == (ids != 255).sum()
    assert np.isnan(columns["mean_confidence"]).all()
    assert not (to / "target.class.tif").exists()


def test_polygons_are_styled_by_class_name(run: Run, tmp_path: Path) -> None:
    list(deliver(run.folder, tmp_path / "out", parts=["polygons"]))
    root = ElementTree.parse(tmp_path / "out/target.polygons.qml").getroot()
    renderer = root.find("renderer-v2")
    assert renderer is not None
    assert (renderer.get("type"), renderer.get("attr")) == ("categorizedSymbol", "class_name")
    drawn = {c.get("value"): c.get("symbol") for c in renderer.iter("category")}
    assert tuple(drawn) == NAMES
    colors = {s.get("name"): s.find(".//Option[@name='color']") for s in renderer.iter("symbol")}
    assert all(colors[number] is not None for number in drawn.values())


@pytest.mark.parametrize("what", ["cleaning", "classes", "polygons"])
def test_a_delivery_that_ends_early_leaves_nothing_half_made(what: str, run: Run, tmp_path: Path) -> None:
    to = tmp_path / "out"
    running = deliver(run.folder, to, parts=["class", "polygons"], cleaning=CLEANING)
    for event in running:
        if event.what.startswith(what):
            break
    running.close()  # type: ignore[attr-defined]  # a generator
    assert [path.name for path in to.iterdir() if "partial" in path.name or path.suffix == ".gpkg"] == []


def test_a_map_without_a_valid_pixel_has_no_polygons(run: Run, tmp_path: Path) -> None:
    path = map_path(run.folder, "chosen", "target")
    with rasterio.open(path, "r+") as file:
        file.write(np.full(file.shape, 255, np.uint8), 1)
    list(deliver(run.folder, tmp_path / "out", parts=["polygons"]))
    shapes, columns = polygons(tmp_path / "out/target.polygons.gpkg")
    assert len(shapes) == 0
    assert set(columns) == {"class_id", "class_name", "area_m2", "mean_confidence", "split"}


def test_a_window_without_a_centre_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="majority_px 4: is even"):
        next(deliver(run.folder, tmp_path / "out", parts=["class"], cleaning=Cleaning(majority_px=4)))
    assert not (tmp_path / "out").exists()


def test_the_least_area_is_counted_in_pixels_of_the_ground() -> None:
    assert least_px(Grid(None, north_up(2), 10, 10), 40) == 10
    assert least_px(Grid(None, north_up(2), 10, 10), 41) == 11
    mercator = CRS.from_epsg(3857).to_wkt()  # 60 degrees north: a pixel covers a quarter
    assert least_px(Grid(mercator, north_up(2, 0, 8_399_738), 10, 10), 40) == 40
