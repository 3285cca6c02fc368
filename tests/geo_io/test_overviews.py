"""Overviews built beside a raster: right values, progress, cancelling, nothing left behind."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from worlds import noise, write_raster, write_stack

from geo_io.errors import BadInput
from geo_io.overviews import build_overviews
from geo_io.preview import Picture, Tile


def overview(path: Path, level: int = 0) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    with rasterio.open(path, OVERVIEW_LEVEL=level) as file:
        return file.read(), file.dataset_mask() > 0


def test_imagery_is_averaged_over_its_valid_pixels(tmp_path: Path) -> None:
    values = noise(2, 2100, 1030, "uint16")
    values[:, 0:2, 0:4] = 0
    values[:, 8:12, 0:3] = 0
    path = write_raster(tmp_path / "a.tif", values, nodata=0)
    assert build_overviews(path, "average")
    seen, valid = overview(path)
    assert seen.shape == (2, 525, 258)
    assert seen[:, 0, 0].tolist() == np.rint(values[:, 2:4, :4].mean(axis=(1, 2))).tolist()
    assert seen[:, 1, 1].tolist() == np.rint(values[:, 4:8, 4:8].mean(axis=(1, 2))).tolist()
    assert not valid[2, 0]
    assert not seen[:, 2, 0].any()
    with rasterio.open(path) as file:
        assert file.overviews(1) == [4, 8, 16]


def test_classes_are_decided_by_majority(tmp_path: Path) -> None:
    values = np.full((1, 600, 600), 3, "uint8")
    values[0, 0:4, 0:4] = [[1, 1, 2, 2], [1, 7, 2, 2], [1, 1, 2, 2], [255, 255, 255, 255]]
    path = write_raster(tmp_path / "a.tif", values, nodata=255)
    assert build_overviews(path, "mode")
    seen, valid = overview(path)
    assert seen[0, 0, :2].tolist() == [2, 3]
    assert valid.all()


def test_a_mask_band_is_reduced_with_the_image(tmp_path: Path) -> None:
    mask = np.zeros((1024, 1024), bool)
    mask[:, 512:] = True
    path = write_raster(tmp_path / "a.tif", noise(3, 1024, 1024), mask=mask)
    assert build_overviews(path, "average")
    picture = Picture(path)
    assert picture.overviews == (4,)
    pixels = picture.read_tile(picture.grid, Tile(2, 0, 0), picture.bands)
    assert pixels is not None
    assert np.array_equal(pixels[1], mask[::4, ::4])


@pytest.mark.parametrize("last", ["float32", "alpha"])
def test_bands_of_several_types_are_reduced_together(tmp_path: Path, last: str) -> None:
    colors = noise(2, 600, 520, "uint16")
    opacity = np.full((600, 520), 255, np.uint8)
    opacity[:, :260] = 0
    other = opacity if last == "alpha" else noise(1, 600, 520, last)[0] / np.float32(7)
    path = write_stack(tmp_path / "a.vrt", [*colors, other], "Alpha" if last == "alpha" else "Undefined")
    assert build_overviews(path, "average")
    picture = Picture(path)
    assert picture.overviews[0] == 4
    seen, _ = overview(path)
    assert seen[0, 9, 99] == pytest.approx(colors[0, 36:40, 396:400].mean(), abs=0.5)
    assert seen[2, 9, 99] == pytest.approx(other[36:40, 396:400].mean())
    assert picture.read_tile(picture.grid, Tile(2, 0, 0), picture.bands) is not None


@pytest.mark.parametrize("layout", ["by line", "not said"])
def test_overviews_of_any_interleaving(tmp_path: Path, layout: str) -> None:
    values = noise(2, 600, 520)
    if layout == "by line":
        path, tif = tmp_path / "a.bil", write_raster(tmp_path / "a.tif", values)
        rasterio.shutil.copy(tif, path, driver="ENVI", interleave="BIL")
    else:
        path = write_stack(tmp_path / "a.vrt", list(values))
    assert build_overviews(path, "average")
    with rasterio.open(path) as file:
        said = file.interleaving
        assert file.overviews(1)[0] == 4
    assert (said and said.value) == ("LINE" if layout == "by line" else None)


def test_progress_is_told_and_the_raster_left_alone(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(1, 3000, 3000))
    before, told = path.read_bytes(), []
    assert build_overviews(path, "average", lambda share: told.append(share) is None)
    assert told == [0, 0.25, 0.5, 0.75]
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tif", "a.tif.ovr"]


def test_cancelling_leaves_nothing_behind(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(1, 3000, 3000))
    assert not build_overviews(path, "average", lambda share: share < 0.5)
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]


def test_a_damaged_file_is_named_and_nothing_left_behind(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(1, 2000, 2000), compress="deflate")
    path.write_bytes(path.read_bytes()[:600_000])
    with pytest.raises(BadInput, match=r"a\.tif"):
        build_overviews(path, "average")
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]
