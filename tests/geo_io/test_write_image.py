"""Imagery on disk: every grey level, its mask, and its overviews."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import CRS
from rasterio.enums import ColorInterp
from worlds import UTM, noise, north_up

from geo_io.grid import Box, Grid
from geo_io.write import writing_image

NAMES = ("Green", "red", "alpha", "swir")


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_windows_in_any_order_make_the_image(tmp_path: Path, dtype: str) -> None:
    grid = Grid(CRS.from_user_input(UTM).to_wkt(), north_up(2.0), 1100, 600)
    values = noise(4, 600, 1100, dtype, seed=1)
    valid = np.add.outer(np.arange(600), np.arange(1100)) > 500
    boxes = [Box(col, row, 512, 512).clip(1100, 600) for col in (1024, 0, 512) for row in (512, 0)]
    with writing_image(tmp_path / "a.tif", grid, np.dtype(dtype), NAMES, {"look": "there"}) as write:
        for box in boxes:
            part = slice(box.row, box.stop_row), slice(box.col, box.stop_col)
            write(box, values[:, *part], valid[part])
        assert not (tmp_path / "a.tif").exists()
    with rasterio.open(tmp_path / "a.tif") as made:
        assert (made.read() == values).all()
        assert ((made.dataset_mask() > 0) == valid).all()
        assert (made.transform, made.crs) == (grid.transform, UTM)
        assert made.dtypes == (dtype,) * 4
        assert made.overviews(1) == [2, 4]
        assert made.colorinterp[:3] == (ColorInterp.green, ColorInterp.red, ColorInterp.undefined)
        assert made.tags(ns="ISTHMUS") == {"look": "there"}
        small = made.read_masks(1, out_shape=(150, 275)) > 0
    assert (small == valid[2::4, 2::4]).mean() > 0.99
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]
