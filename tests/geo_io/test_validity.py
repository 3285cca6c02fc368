"""What counts as data: nodata as files really declare it."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling
from worlds import UTM, noise, north_up, write_raster

from geo_io.overviews import build_overviews
from geo_io.scene import Scene

LARGEST = float(np.finfo(np.float32).max)


def holed(value: float, dtype: str = "float32") -> np.ndarray:
    """(2, 40, 50): the left fifth holds `value`."""
    values = noise(2, 40, 50, dtype)
    values[:, :, :10] = value
    return values


def assert_holed(scene: Scene, gsd_m: float | None = None) -> None:
    valid = scene.read(scene.grid.at_gsd(gsd_m).box, gsd_m).valid
    tenth = valid.shape[1] // 5
    assert not valid[:, :tenth].any()
    assert valid[:, tenth:].all()


@pytest.mark.parametrize(
    ("stored", "declared"),
    [(-LARGEST, -3.40282e38), (LARGEST, 3.402823e38), (-9999.9, -9999.9), (1e20 / 3, 3.333333e19)],
)
def test_nodata_written_as_rounded_text_is_nodata(tmp_path: Path, stored: float, declared: float) -> None:
    assert_holed(Scene.open(write_raster(tmp_path / "a.tif", holed(stored), nodata=declared)))
    assert_holed(Scene.open(write_raster(tmp_path / "b.tif", holed(stored)), nodata=declared))


def test_a_value_beside_nodata_is_data(tmp_path: Path) -> None:
    values = np.array([[[-9999, -9999.01, -9998.99]]], np.float32)
    scene = Scene.open(write_raster(tmp_path / "a.tif", values, nodata=-9999))
    assert scene.read(scene.grid.box).valid.tolist() == [[False, True, True]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_number_to_compute_with_is_data(tmp_path: Path, dtype: str) -> None:
    assert_holed(Scene.open(write_raster(tmp_path / "a.tif", holed(-LARGEST, dtype))))


def test_one_nodata_value_for_all_bands_together(tmp_path: Path) -> None:
    values = noise(2, 40, 50) // 2 + 3
    values[0, :, :10], values[1, :, :10] = 1, 2
    values[0, :, 20:], values[1, :, 30:] = 1, 3
    path = write_raster(tmp_path / "a.tif", values)
    with rasterio.open(path, "r+") as file:
        file.update_tags(NODATA_VALUES="1 2")
    scene = Scene.open(path)
    assert scene.nodata_source == "mask band"
    assert_holed(scene)


@pytest.mark.parametrize("made_by", ["gdal", "window"])
def test_overviews_of_one_value_for_all_bands_are_not_believed(tmp_path: Path, made_by: str) -> None:
    values = np.full((2, 640, 640), 100, np.uint8)
    values[0, :, :128], values[1, :, :128] = 1, 2
    path = write_raster(tmp_path / "a.tif", values)
    with rasterio.open(path, "r+") as file:
        file.update_tags(NODATA_VALUES="1 2")
        if made_by == "gdal":
            file.build_overviews([2, 4, 8], Resampling.average)
    assert made_by == "gdal" or build_overviews(path, "average")
    patch = Scene.open(path).read(Scene.open(path).grid.at_gsd(16).box, 16)
    assert patch.valid.mean() == 0.8
    np.testing.assert_allclose(patch.values[:, patch.valid], 100, atol=1e-3)


def masked(path: Path, overviews: tuple[int, ...] = ()) -> Path:
    """640 x 640 pixels, the left fifth, black, masked by a file beside the image that has no overviews."""
    values = np.full((2, 640, 640), 100, np.uint8)
    values[:, :, :128] = 0
    profile = {"driver": "GTiff", "count": 2, "height": 640, "width": 640, "dtype": "uint8"}
    with rasterio.open(path, "w", crs=UTM, transform=north_up(1.0), **profile) as file:
        file.write(values)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(path, "r+") as file:
        file.build_overviews(list(overviews), Resampling.average)
        file.write_mask(values[0] > 0)
    assert path.with_name(path.name + ".msk").exists()
    return path


def test_overviews_that_know_no_mask_are_left_alone(tmp_path: Path) -> None:
    path = masked(tmp_path / "a.tif", (2, 4, 8))
    scene = Scene.open(path)
    assert_holed(scene, 16)
    patch = scene.read(scene.grid.at_gsd(16).box, 16)
    np.testing.assert_allclose(patch.values[:, patch.valid], 100, atol=1e-3)
    assert scene.decoded_px(patch.grid.box, 16) > 300_000


def test_overviews_with_their_mask_are_used(tmp_path: Path) -> None:
    path = masked(tmp_path / "a.tif")
    assert build_overviews(path, "average")
    scene = Scene.open(path)
    assert_holed(scene, 16)
    assert scene.decoded_px(scene.grid.at_gsd(16).box, 16) < 100_000


@pytest.mark.parametrize("tag", [0, None])
def test_near_infrared_under_much_nodata_is_a_band(tmp_path: Path, tag: int | None) -> None:
    values = noise(4, 128, 128)
    row, col = np.indices((128, 128))
    values[:, row + col < 150] = 0
    values[3, 100:120, 100:120] = 255
    path = write_raster(tmp_path / "a.tif", values, alpha=True, nodata=tag)
    assert Scene.open(path).indexes == (1, 2, 3, 4)


def test_opacity_stays_opacity_beside_a_nodata_tag(tmp_path: Path) -> None:
    values = noise(4, 300, 300)
    values[3] = 255
    values[:, :, :100] = 0
    path = write_raster(tmp_path / "a.tif", values, alpha=True, nodata=0)
    assert Scene.open(path).indexes == (1, 2, 3)


@pytest.mark.parametrize(
    ("dtype", "opaque", "stored"), [("int16", 32767, {}), ("uint16", 4095, {"nbits": 12})]
)
def test_opacity_has_the_largest_value_of_its_type(
    tmp_path: Path, dtype: str, opaque: int, stored: dict[str, int]
) -> None:
    values = noise(4, 100, 90, dtype)
    values[3] = opaque
    values[:, :, :18] = 0
    scene = Scene.open(write_raster(tmp_path / "a.tif", values, alpha=True, **stored))
    assert scene.indexes == (1, 2, 3)
    assert_holed(scene)


def test_indexes_into_a_colour_table_are_told(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(1, 9, 9), photometric="palette")
    assert any("colour table" in warning for warning in Scene.open(path).warnings)
