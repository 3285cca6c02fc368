"""Maps on disk, as rasterio reads them back."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.enums import ColorInterp
from worlds import north_up

from geo_io.errors import RunFailed
from geo_io.grid import Grid
from geo_io.scene import Scene
from geo_io.write import read_tags, write_map, write_shares

COLORS = [(10, 20, 30), (40, 50, 60), (70, 80, 90)]
UTM_WKT = CRS.from_epsg(32633).to_wkt()


def classes(height: int, width: int) -> NDArray[np.uint8]:
    values = np.random.default_rng(1).integers(0, 3, (height, width)).astype(np.uint8)
    values[: height // 3, : width // 2] = 255
    return values


def written(path: Path, values: NDArray[np.uint8], crs_wkt: str | None = UTM_WKT, **how: Any) -> Path:
    grid = Grid(crs_wkt, how.pop("transform", north_up(1.0)), values.shape[1], values.shape[0])
    defaults: dict[str, Any] = {"colors": COLORS, "tags": {"run": "r1", "Größe": "ä"}}
    write_map(path, grid, how.pop("rows", [values]), **(defaults | how))
    return path


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (513, 1025), (512, 512), (1300, 40)])
def test_every_size_survives(tmp_path: Path, shape: tuple[int, int]) -> None:
    values = classes(*shape)
    with rasterio.open(written(tmp_path / "m.tif", values)) as dataset:
        np.testing.assert_array_equal(dataset.read(1), values)
        assert dataset.nodata == 255
    assert [p.name for p in tmp_path.iterdir()] == ["m.tif"]


def test_bands_of_any_height_are_the_same_file(tmp_path: Path) -> None:
    values = classes(1300, 70)
    at_once = written(tmp_path / "a.tif", values).read_bytes()
    in_bands = np.split(values, [1, 400, 400, 512, 1299])
    assert written(tmp_path / "b.tif", values, rows=in_bands).read_bytes() == at_once


def test_what_a_map_says_of_itself(tmp_path: Path) -> None:
    path = written(tmp_path / "m.tif", classes(9, 9), names=["water", "Wald ü"])
    with rasterio.open(path) as dataset:
        assert [dataset.colormap(1)[i] for i in (0, 2, 255)] == [
            (10, 20, 30, 255),
            (70, 80, 90, 255),
            (0, 0, 0, 0),
        ]
        assert dataset.tags(1) == {"class_0": "water", "class_1": "Wald ü"}
        assert dataset.tags(ns="ISTHMUS") == {"run": "r1", "Größe": "ä"}
        assert dataset.tags() == {"TIFFTAG_SOFTWARE": "Isthmus", "AREA_OR_POINT": "Area"}
        assert dataset.descriptions == ("class",)
        assert dataset.profile["compress"] == "deflate"
        assert "predictor" not in dataset.profile
        assert dataset.block_shapes == [(512, 512)]
    assert read_tags(path) == {"run": "r1", "Größe": "ä"}


def shares(path: Path, *bands: NDArray[np.uint8]) -> Path:
    height, width = bands[0].shape
    names = [f"band {i}" for i in range(len(bands))]
    rows = [np.array_split(band, 3) for band in bands]
    write_shares(path, Grid(UTM_WKT, north_up(1.0), width, height), rows, names=names, scale=1 / 254, tags={})
    return path


def test_shares_have_a_scale_and_no_colours(tmp_path: Path) -> None:
    values = [classes(1300, 600), classes(1300, 600)[::-1], classes(1300, 600)[:, ::-1]]
    with rasterio.open(shares(tmp_path / "m.tif", *values)) as dataset:
        assert dataset.scales == (1 / 254,) * 3
        assert dataset.nodatavals == (255,) * 3
        assert dataset.descriptions == ("band 0", "band 1", "band 2")
        assert ColorInterp.red not in dataset.colorinterp
        assert ColorInterp.alpha not in dataset.colorinterp
        np.testing.assert_array_equal(dataset.read(), np.stack(values))
        with pytest.raises(ValueError, match="NULL color table"):
            dataset.colormap(1)


def overview(path: Path, factor: int) -> NDArray[np.uint8]:
    with rasterio.open(path) as dataset:
        level = dataset.overviews(1).index(factor)
    with rasterio.open(path, OVERVIEW_LEVEL=level) as dataset:
        pixels: NDArray[np.uint8] = dataset.read(1)
        return pixels


def test_overviews_are_of_the_right_kind(tmp_path: Path) -> None:
    """Down to 512 px; classes are never averaged, and nodata has no part in an average."""
    values = np.tile(np.array([[0, 2], [2, 2]], np.uint8), (600, 600))
    values[:2, :2] = [[255, 255], [255, 1]]
    values[:2, 2:4] = 255
    mode = written(tmp_path / "mode.tif", values)
    with rasterio.open(mode) as dataset:
        assert dataset.overviews(1) == [2, 4]
    small = overview(mode, 2)
    assert small.shape == (600, 600)
    assert (small[1:] == 2).all()
    assert small[0, 1] == 255
    average = shares(tmp_path / "average.tif", values)
    assert overview(average, 2)[0, :3].tolist() == [1, 255, 2]


CRSES = {
    "UTM": UTM_WKT,
    "geographic": CRS.from_epsg(4326).to_wkt(),
    "no EPSG code": CRS.from_proj4(
        "+proj=tmerc +lat_0=1 +lon_0=7.3 +k=0.9998 +ellps=bessel +units=m"
    ).to_wkt(),
    "not in GeoTIFF": CRS.from_proj4("+proj=igh +ellps=GRS80").to_wkt(),
    "none": None,
}


@pytest.mark.parametrize("crs", CRSES)
@pytest.mark.parametrize(
    "transform",
    [
        north_up(0.1),
        Affine(9.3, 3.1, 5e5, 3.1, -9.3, 4e6 + 1 / 3),
        Affine(10, 0, 0, 0, 10, 0),
        Affine.identity(),
    ],
    ids=["north up", "rotated", "south up", "identity"],
)
def test_georeference_bit_for_bit(tmp_path: Path, crs: str, transform: Affine) -> None:
    first = written(tmp_path / "a.tif", classes(5, 6), CRSES[crs], transform=transform)
    with Scene.open(first) as scene:
        grid = scene.grid
    assert grid.transform == transform
    assert grid.crs == (CRS.from_wkt(CRSES[crs]) if CRSES[crs] else None)
    second = written(tmp_path / "b.tif", classes(5, 6), grid.crs_wkt, transform=transform)
    with Scene.open(second) as scene:
        assert scene.grid == grid


def test_the_side_car_of_an_older_map_goes_with_it(tmp_path: Path) -> None:
    written(tmp_path / "a.tif", classes(5, 6), CRSES["not in GeoTIFF"])
    assert (tmp_path / "a.tif.aux.xml").exists()
    written(tmp_path / "a.tif", classes(5, 6), UTM_WKT)
    with Scene.open(tmp_path / "a.tif") as scene:
        assert scene.grid.crs == CRS.from_wkt(UTM_WKT)


def test_equal_input_equal_bytes(tmp_path: Path) -> None:
    values = classes(900, 1100)
    files = [written(tmp_path / f"{i}.tif", values).read_bytes() for i in range(2)]
    assert files[0] == files[1]


def test_a_failure_leaves_nothing_and_the_old_map_alone(tmp_path: Path) -> None:
    values = classes(600, 600)
    before = written(tmp_path / "m.tif", values).read_bytes()

    def rows() -> Iterator[NDArray[np.uint8]]:
        yield values[:550]
        raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"):
        written(tmp_path / "m.tif", values, rows=rows())
    with pytest.raises(ValueError, match="550 rows for a map of 600"):
        written(tmp_path / "m.tif", values, rows=[values[:550]])
    assert [p.name for p in tmp_path.iterdir()] == ["m.tif"]
    assert (tmp_path / "m.tif").read_bytes() == before


def test_a_disk_that_fills_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunFailed, match=r"m\.tif: could not be written .No space left on device"):
        written(tmp_path / "m.tif", classes(5, 5), CRSES["not in GeoTIFF"])
    assert not list(tmp_path.iterdir())


def test_tags_of_what_is_no_map(tmp_path: Path) -> None:
    (tmp_path / "m.tif").write_bytes(b"II*\0cut short")
    assert read_tags(tmp_path / "m.tif") is None
    assert read_tags(tmp_path / "absent.tif") is None
