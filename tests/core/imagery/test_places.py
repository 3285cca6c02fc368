"""Opening a job's places: labels by use, bands by name, the working size."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from worlds import NORTH, UTM, WEST, noise, north_up, write_raster

from core.errors import BadInput
from core.imagery.places import Place, open_pair, open_region, working_gsd_m
from core.job import Job
from geo_io.band_stats import measure
from geo_io.raster import RasterLabels
from geo_io.vector import VectorLabels

LEGEND = {"classes": [{"name": "water", "color": "#0000ff"}, {"name": "forest", "color": "#00ff00"}]}


def job(source: dict[str, Any], target: dict[str, Any], **rest: Any) -> Job:
    places = {"source": {"name": "here", **source}, "target": {"name": "there", **target}}
    return Job.model_validate({"name": "test", "legend": LEGEND, **places, **rest})


def image(path: Path, names: list[str], values: np.ndarray | None = None, gsd_m: float = 1.0) -> Path:
    values = noise(len(names), 20, 20) if values is None else values
    return write_raster(path, values, names=names, transform=north_up(gsd_m))


def labels(path: Path) -> Path:
    square = shapely.box(WEST, NORTH - 9, WEST + 9, NORTH)
    gpd.GeoDataFrame({"kind": ["forest"]}, geometry=[square], crs=UTM).to_file(path)
    return path


def pixels(place: Place) -> np.ndarray:
    return place.scene.read(place.scene.grid.box).values


def test_only_labels_of_the_use_at_hand_are_opened(tmp_path: Path) -> None:
    path, vector = image(tmp_path / "a.tif", ["red"]), labels(tmp_path / "l.gpkg")
    raster = write_raster(tmp_path / "l.tif", noise(1, 20, 20) % 2)
    target = {"path": path, "labels": {"path": vector, "use": "check"}}
    made = job({"scenes": [{"path": path, "labels": raster, "area": vector}]}, {"scenes": [target]})
    (source,), (other,) = open_pair(made)
    assert isinstance(source.labels, RasterLabels)
    assert source.area is not None
    assert source.check is None
    assert other.labels is None
    assert other.check is not None
    assert other.check.path == vector
    assert (other.check.open().read(other.scene.grid)[:9, :9] == 1).all()
    (source,), (other,) = open_pair(made, use="check")
    assert source.labels is None
    assert isinstance(other.labels, VectorLabels)


def test_check_labels_are_not_even_looked_at_in_training(tmp_path: Path) -> None:
    path = image(tmp_path / "a.tif", ["red"])
    target = {"path": path, "labels": {"path": tmp_path / "absent.gpkg", "use": "check"}}
    made = job({"scenes": [path]}, {"scenes": [target]})
    assert open_pair(made)[1][0].labels is None
    with pytest.raises(BadInput, match=r"absent\.gpkg: does not exist"):
        open_pair(made, use="check")


def test_training_labels_of_the_target_are_refused(tmp_path: Path) -> None:
    path = image(tmp_path / "a.tif", ["red"])
    made = job({"scenes": [path]}, {"scenes": [{"path": path, "labels": labels(tmp_path / "l.gpkg")}]})
    with pytest.raises(BadInput, match="write `use: check`"):
        open_pair(made)


def test_the_order_of_bands_in_the_file_does_not_matter(tmp_path: Path) -> None:
    values = noise(3, 20, 20)
    source = image(tmp_path / "s.tif", ["red", "green", "nir"])
    straight = image(tmp_path / "t.tif", ["red", "green", "nir"], values)
    shuffled = image(tmp_path / "u.tif", ["NIR", "Red", "green"], values[[2, 0, 1]])
    for bands in (None, ["nir", "red", "green"]):
        wanted = {"scenes": [source], "bands": bands}
        a, b = (open_pair(job(wanted, {"scenes": [t], "bands": bands}))[1][0] for t in (straight, shuffled))
        np.testing.assert_array_equal(pixels(a), pixels(b))
        assert a.scene.bands == b.scene.bands == tuple(bands or ("red", "green", "nir"))
        assert b.scene.warnings == ()


def test_scenes_of_a_region_are_brought_into_one_order(tmp_path: Path) -> None:
    values = noise(2, 20, 20)
    first, second = (
        image(tmp_path / "a.tif", ["red", "nir"], values),
        image(tmp_path / "b.tif", ["nir", "red"]),
    )
    made = job({"scenes": [first, second]}, {"scenes": [first]})
    places = open_region(made.source, made.legend, "train")
    np.testing.assert_array_equal(pixels(places[1])[::-1], noise(2, 20, 20))
    assert measure((p.scene, p.area) for p in places).names == ("red", "nir")


def test_the_bands_that_both_places_have_are_used(tmp_path: Path) -> None:
    values = noise(4, 20, 20)
    source = image(tmp_path / "s.tif", ["blue", "red", "swir", "nir"], values)
    target = image(tmp_path / "t.tif", ["nir", "thermal", "red"], values[:3])
    (ours,), (theirs,) = open_pair(job({"scenes": [source]}, {"scenes": [target]}))
    assert ours.scene.bands == theirs.scene.bands == ("red", "nir")
    np.testing.assert_array_equal(pixels(ours), values[[1, 3]])
    np.testing.assert_array_equal(pixels(theirs), values[[2, 0]])
    assert "blue, swir" in ours.scene.warnings[0]
    assert "thermal" in theirs.scene.warnings[0]


def test_unlike_bands_are_refused(tmp_path: Path) -> None:
    source = image(tmp_path / "s.tif", ["red", "nir"])
    for names, bands, said in (
        (["blue", "green"], None, "name the bands alike"),
        (["red", "green"], [1, 2], "choose the same `bands`"),
        (["red", "green", "nir"], [1, 2, 3], "as many `bands`"),
    ):
        target = image(tmp_path / "t.tif", names)
        chosen = {"scenes": [target], "bands": bands}
        with pytest.raises(BadInput, match=said):
            open_pair(job({"scenes": [source]}, chosen))


def test_bands_without_names_are_matched_by_position(tmp_path: Path) -> None:
    values = noise(2, 20, 20)
    source, target = image(tmp_path / "s.tif", ["red", "nir"]), write_raster(tmp_path / "t.tif", values)
    _, (theirs,) = open_pair(job({"scenes": [source]}, {"scenes": [target]}))
    assert theirs.scene.bands == ("red", "nir")
    np.testing.assert_array_equal(pixels(theirs), values)


@pytest.mark.parametrize(
    ("source_m", "target_m", "expected"), [(0.5, 1.0, 1.0), (3.0, 1.0, 3.0), (0.5, 8.0, 8.0)]
)
def test_the_working_size_is_the_coarser_or_the_middle(
    tmp_path: Path, source_m: float, target_m: float, expected: float
) -> None:
    source = {"scenes": [image(tmp_path / "s.tif", ["red"], gsd_m=source_m)]}
    target = {"scenes": [image(tmp_path / "t.tif", ["red"], gsd_m=target_m)]}
    made = job(source, target)
    assert working_gsd_m(made, *open_pair(made)) == pytest.approx(expected)
    told = job(source, target, sampling={"working_gsd_m": 0.7})
    assert working_gsd_m(told, *open_pair(told)) == 0.7


def test_a_crs_in_degrees_has_a_size_in_metres(tmp_path: Path) -> None:
    degrees = Affine(1e-5, 0, 14, 0, -1e-5, 45)
    path = write_raster(tmp_path / "a.tif", noise(1, 20, 20), crs="EPSG:4326", transform=degrees)
    made = job({"scenes": [path]}, {"scenes": [path]})
    assert working_gsd_m(made, *open_pair(made)) == pytest.approx(0.936, abs=0.01)


def test_an_area_drawn_by_hand_is_in_the_images_own_crs(tmp_path: Path) -> None:
    drawn = shapely.box(WEST, NORTH - 9, WEST + 9, NORTH).wkt
    path = image(tmp_path / "a.tif", ["red"])
    made = job({"scenes": [{"path": path, "area_wkt": drawn}]}, {"scenes": [path]})
    area = open_region(made.source, made.legend, "train")[0].area
    assert area is not None
    inside = np.zeros((20, 20), bool)
    inside[:9, :9] = True
    assert (area.read(open_region(made.source, made.legend, "train")[0].scene.grid) == inside).all()


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        ("POLYGON ((0 0, 1", "cannot be read as WKT"),
        ("POINT (1 2)", "holds no polygon"),
        ("POLYGON EMPTY", "holds no polygon"),
    ],
)
def test_an_area_that_is_none_is_named(tmp_path: Path, drawn: str, said: str) -> None:
    path = image(tmp_path / "a.tif", ["red"])
    made = job({"scenes": [{"path": path, "area_wkt": drawn}]}, {"scenes": [path]})
    with pytest.raises(BadInput, match=said):
        open_region(made.source, made.legend, "train")


def test_an_area_comes_from_a_file_or_from_the_hand(tmp_path: Path) -> None:
    files = {"path": image(tmp_path / "a.tif", ["red"]), "area": "b.gpkg", "area_wkt": "POLYGON EMPTY"}
    made = job({"scenes": [files]}, {"scenes": ["b.tif"]})
    with pytest.raises(BadInput, match="both `area` and `area_wkt`"):
        open_region(made.source, made.legend, "train")
