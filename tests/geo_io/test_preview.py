"""Rasters of any size, looked at: what is shown is what is there, and no more is read than that."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from rasterio.windows import Window
from worlds import NORTH, UTM, WEST, noise, north_up, write_raster

from geo_io import glance, preview
from geo_io.blocks import Blocks
from geo_io.errors import BadInput
from geo_io.grid import Grid
from geo_io.preview import Picture, Tile

MERCATOR = CRS.from_epsg(3857).to_wkt()
DEGREES = CRS.from_epsg(4326).to_wkt()


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[set[tuple[int, int]]]:
    """The blocks (row, column) that each read touches: GDAL decodes whole ones."""
    reads: list[set[tuple[int, int]]] = []
    original = Blocks.decode

    def counted(self: Blocks, window: Window, shape: tuple[int, int] | None = None) -> Any:
        rows, cols = self.dataset.block_shapes[0]
        down = range(window.row_off // rows, (window.row_off + window.height - 1) // rows + 1)
        along = range(window.col_off // cols, (window.col_off + window.width - 1) // cols + 1)
        reads.append({(row, col) for row in down for col in along})
        return original(self, window, shape)

    monkeypatch.setattr(Blocks, "decode", counted)
    return reads


def read(picture: Picture, tile: Tile, view: Grid | None = None) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    pixels = picture.read_tile(view or picture.grid, tile, picture.bands)
    assert pixels is not None
    return pixels


def test_a_tile_of_level_0_is_the_file_s_own_pixels(tmp_path: Path) -> None:
    values = noise(3, 600, 700, "uint16")
    picture = Picture(write_raster(tmp_path / "a.tif", values))
    seen, valid = read(picture, Tile(0, 1, 1))
    assert np.array_equal(seen, values[:, 256:512, 256:512])
    assert valid.all()


def test_a_tile_at_the_edge_is_invalid_outside(tmp_path: Path) -> None:
    values = noise(1, 300, 280)
    seen, valid = read(Picture(write_raster(tmp_path / "a.tif", values)), Tile(0, 1, 1))
    assert np.array_equal(seen[:, :44, :24], values[:, 256:, 256:])
    assert valid.sum() == 44 * 24
    assert not seen[:, ~valid].any()


def test_a_coarse_tile_comes_from_the_overview_of_its_factor(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(2, 1024, 1024), overviews=[2, 4])
    with rasterio.open(path, OVERVIEW_LEVEL=1) as file:
        expected = file.read()
    assert np.array_equal(read(Picture(path), Tile(2, 0, 0))[0], expected)


def test_a_coarse_tile_without_overviews_is_every_nth_pixel(tmp_path: Path) -> None:
    values = np.arange(1024 * 1024, dtype="float32").reshape(1, 1024, 1024)
    seen, valid = read(Picture(write_raster(tmp_path / "a.tif", values)), Tile(1, 0, 0))
    rows, cols = seen[0].astype(int) // 1024, seen[0].astype(int) % 1024
    assert np.abs(rows - 2 * np.arange(256)[:, None]).max() <= 1
    assert np.abs(cols - 2 * np.arange(256)[None, :]).max() <= 1
    assert valid.all()


def test_a_finer_level_repeats_pixels(tmp_path: Path) -> None:
    values = noise(1, 256, 256)
    seen, _ = read(Picture(write_raster(tmp_path / "a.tif", values)), Tile(-1, 1, 0))
    assert np.array_equal(seen[0], values[0, :128, 128:].repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("how", ["tag", "mask", "nan", "user"])
def test_what_is_no_data_is_invalid(tmp_path: Path, how: str) -> None:
    values = noise(2, 256, 256, "float32" if how == "nan" else "uint8")
    hole = np.zeros((256, 256), bool)
    hole[30:60, 40:90] = True
    values[:, hole] = np.nan if how == "nan" else 0
    tagged: dict[str, Any] = {"tag": {"nodata": 0}, "mask": {"mask": ~hole}}.get(how, {})
    picture = Picture(write_raster(tmp_path / "a.tif", values, **tagged), nodata=0 if how == "user" else None)
    assert np.array_equal(read(picture, Tile(0, 0, 0))[1], ~hole)
    assert picture.values_at(WEST + 50.5, NORTH - 40.5, picture.grid.crs_wkt) is None


def test_a_rotated_raster_keeps_its_own_grid(tmp_path: Path) -> None:
    turned = Affine.translation(WEST, NORTH) @ Affine.rotation(30) @ Affine.scale(2, -2)
    values = noise(1, 300, 300)
    picture = Picture(write_raster(tmp_path / "a.tif", values, transform=turned))
    x, y = turned @ (200.5, 100.5)
    assert picture.view(picture.grid.crs_wkt) == picture.grid
    assert picture.values_at(x, y, picture.grid.crs_wkt) == {"band1": values[0, 100, 200]}
    assert np.array_equal(read(picture, Tile(0, 0, 0))[0][0], values[0, :256, :256])


@pytest.mark.parametrize("crs_wkt", [MERCATOR, DEGREES])
@pytest.mark.parametrize("turn", [0, 30])
def test_in_another_crs_each_pixel_is_the_one_that_lies_there(
    tmp_path: Path, crs_wkt: str, turn: int
) -> None:
    values = np.arange(512 * 512, dtype="float32").reshape(1, 512, 512)
    placed = Affine.translation(WEST, NORTH) @ Affine.rotation(turn) @ Affine.scale(1, -1)
    picture = Picture(write_raster(tmp_path / "a.tif", values, transform=placed))
    view = picture.view(crs_wkt)
    tile = Tile(0, 1, 1)
    seen, valid = read(picture, tile, view)
    back = Transformer.from_crs(crs_wkt, UTM, always_xy=True)
    checked = 0
    for row, col in [(0, 0), (17, 200), (128, 128), (255, 255), (99, 3)]:
        at_col, at_row = ~placed @ back.transform(*(tile.grid(view).transform @ (col + 0.5, row + 0.5)))
        inside = 0 <= at_col < 512 and 0 <= at_row < 512
        assert valid[row, col] == inside
        if inside:
            found_row, found_col = divmod(int(seen[0, row, col]), 512)
            assert abs(found_row + 0.5 - at_row) <= 0.6
            assert abs(found_col + 0.5 - at_col) <= 0.6
            checked += 1
    assert checked >= 3
    assert picture.values_at(*(tile.grid(view).transform @ (128.5, 128.5)), crs_wkt) == {
        "band1": seen[0, 128, 128]
    }


def large(path: Path, side: int, block: int, **layout: Any) -> Path:
    """A sparse file: no block of it is stored, so that it is made in an instant."""
    profile = {"tiled": True, "blockxsize": block, "blockysize": block, "sparse_ok": True} | layout
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=side,
        height=side,
        count=1,
        dtype="uint8",
        crs=UTM,
        transform=north_up(1.0),
        photometric="minisblack",
        **profile,
    ):
        pass
    return path


def test_a_large_raster_without_overviews_is_never_read_whole(
    tmp_path: Path, decoded: list[set[tuple[int, int]]]
) -> None:
    picture = Picture(large(tmp_path / "a.tif", 50_000, 512))
    assert picture.needs_overviews
    seen = picture.glance(picture.bands)
    assert seen.sparse
    assert len(set().union(*decoded)) / (98 * 98) < 0.05
    decoded.clear()
    assert picture.read_tile(picture.grid, Tile(7, 0, 0), picture.bands) is None
    assert picture.read_tile(picture.grid, Tile(4, 1, 1), picture.bands) is None
    assert not decoded
    assert picture.read_tile(picture.grid, Tile(2, 3, 3), picture.bands) is not None
    assert len(set().union(*decoded)) <= 9


def test_a_large_raster_in_strips_is_never_read_whole(
    tmp_path: Path, decoded: list[set[tuple[int, int]]]
) -> None:
    path = large(tmp_path / "a.tif", 50_000, 512, tiled=False, blockxsize=50_000, blockysize=1)
    picture = Picture(path)
    assert picture.glance(picture.bands).sparse
    assert len(set().union(*decoded)) / 50_000 < 0.05


def test_a_glance_at_a_small_raster_is_of_all_of_it(tmp_path: Path) -> None:
    values = noise(1, 400, 800)
    values[:, :, 400:] = 0
    seen = Picture(write_raster(tmp_path / "a.tif", values, nodata=0)).glance(["band1"])
    assert not seen.sparse
    assert seen.patch.valid.shape == (128, 256)
    assert seen.patch.valid[:, :128].all()
    assert not seen.patch.valid[:, 128:].any()
    for cut, limits in seen.limits[0].items():
        assert limits == pytest.approx(np.percentile(values[:, :, :400], [cut, 100 - cut]), abs=4)
    assert list(seen.limits[0]) == [2, 0.5, 0]


def test_a_sparse_glance_shows_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.full((1, 2048, 2048), 10, "uint8")
    values[:, :, 1024:] = 200
    values[:, :1024, :1024] = 0
    path = write_raster(tmp_path / "a.tif", values, nodata=0, tiled=True, blockxsize=256, blockysize=256)
    monkeypatch.setattr(preview, "_FREE_PX", 2**18)
    monkeypatch.setattr(glance, "_READ_PX", 2**20)
    seen = Picture(path).glance(["band1"])
    assert seen.sparse
    assert seen.patch.values[0].tolist() == [[0, 0, 200, 200]] * 2 + [[10, 10, 200, 200]] * 2
    assert not seen.patch.valid[:2, :2].any()
    assert [limits[2] for limits in seen.limits] == [(10, 200)]


def test_values_carry_scale_and_offset(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", np.full((1, 9, 9), 50, "uint8"))
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (0.1,), (2.0,)
    picture = Picture(path)
    assert picture.values_at(WEST + 4, NORTH - 4, picture.grid.crs_wkt) == {"band1": pytest.approx(7)}
    assert picture.values_at(WEST - 4, NORTH - 4, picture.grid.crs_wkt) is None


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="complex"):
        Picture(write_raster(tmp_path / "a.tif", np.zeros((1, 8, 8), "complex64")))
