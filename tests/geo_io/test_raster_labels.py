"""Raster labels: numbers, palettes and pictures, on any grid."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer
from worlds import north_up, write_raster

from geo_io.errors import BadInput
from geo_io.grid import Box, Grid
from geo_io.legend import LandClass, Legend
from geo_io.raster import RasterLabels
from geo_io.scene import Scene

LEGEND = Legend(
    classes=[
        LandClass(name="water", color="#0000ff", values=[0]),
        LandClass(name="forest", color="#00ff00", values=[40, 41]),
    ],
    ignore=[255],
)
COLORS = Legend(
    classes=[
        LandClass(name="water", color="#0000ff", values=["#0000FF"]),
        LandClass(name="forest", color="#00ff00", values=["#00ff00"]),
    ],
    ignore=["#ffffff"],
)


def grid_of(path: Path) -> Grid:
    with Scene.open(path) as scene:
        return scene.grid


def drawn(height: int = 90, width: int = 110) -> np.ndarray:
    """Blocks of 0, 40, 41, 77 and 255."""
    rows, cols = np.indices((height, width)) // 13
    return np.array([0, 40, 41, 77, 255], np.uint8)[(rows * 3 + cols) % 5]


def classes(values: np.ndarray) -> np.ndarray:
    return np.select([values == 0, np.isin(values, [40, 41])], [0, 1], 255)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32"])
def test_values_become_ids_and_class_0_survives(tmp_path: Path, dtype: str) -> None:
    path = write_raster(tmp_path / "l.tif", drawn().astype(dtype))
    ids = RasterLabels(path, LEGEND).read(grid_of(path))
    assert ids.dtype == np.uint8
    np.testing.assert_array_equal(ids, classes(drawn()))
    assert (ids == 0).any()


def test_what_maps_nowhere_is_counted_by_value(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "l.tif", drawn())
    labels, grid = RasterLabels(path, LEGEND), grid_of(path)
    assert labels.tally(grid) == {"77": int((drawn() == 77).sum())}
    window = Box(20, 30, 40, 25)
    assert labels.tally(grid.crop(window)) == {"77": int((drawn()[30:55, 20:60] == 77).sum())}
    assert (
        RasterLabels(path, LEGEND, mapping={0: "water", 40: "water", 41: "water", 77: "forest"}).tally(grid)
        == {}
    )


def test_the_nodata_of_labels_is_no_class_and_not_unmapped(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "l.tif", drawn(), nodata=77)
    labels, grid = RasterLabels(path, LEGEND), grid_of(path)
    assert labels.tally(grid) == {}
    np.testing.assert_array_equal(labels.read(grid), classes(drawn()))


def nearest(values: np.ndarray, own: Grid, grid: Grid) -> np.ndarray:
    """Class ids at the centres of `grid`, point by point."""
    out = np.full((grid.height, grid.width), 255)
    warp = Transformer.from_crs(grid.crs, own.crs, always_xy=True)
    for row, col in np.ndindex(out.shape):
        c, r = ~own.transform @ warp.transform(*(grid.transform @ (col + 0.5, row + 0.5)))
        if 0 <= c < own.width and 0 <= r < own.height:
            out[row, col] = classes(values)[int(r), int(c)]
    return out


@pytest.mark.parametrize("gsd_m", [0.37, 1.0, 2.9])
def test_another_pixel_size_in_the_same_crs(tmp_path: Path, gsd_m: float) -> None:
    path = write_raster(tmp_path / "l.tif", drawn())
    own = grid_of(path)
    grid = Grid(own.crs_wkt, north_up(gsd_m, 500_013.1, 4_999_990.3), 50, 41)
    np.testing.assert_array_equal(RasterLabels(path, LEGEND).read(grid), nearest(drawn(), own, grid))


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:4326", north_up(2e-5, 14.9999, 45.1536)),
        ("EPSG:32632", north_up(2.0, 971_000.0, 5_010_000.0)),
        ("EPSG:32633", Affine.translation(5e5, 5e6 - 50) @ Affine.rotation(33) @ Affine.scale(1, -1)),
    ],
)
def test_another_crs_or_orientation(tmp_path: Path, crs: str, transform: Affine) -> None:
    path = write_raster(tmp_path / "l.tif", drawn())
    own = grid_of(path)
    if crs == "EPSG:32632":
        east, north = Transformer.from_crs(own.crs, crs, always_xy=True).transform(500_010, 4_999_990)
        transform = north_up(2.0, east, north)
    grid = Grid(rasterio.crs.CRS.from_string(crs).to_wkt(), transform, 45, 40)
    labels = RasterLabels(path, LEGEND)
    expected = nearest(drawn(), own, grid)
    ids = labels.read(grid)
    assert (ids != 255).any()
    assert (ids == expected).mean() > 0.998
    window = Box(7, 5, 30, 31)
    part = labels.read(grid.crop(window))
    assert (part == ids[5:36, 7:37]).mean() > 0.998


@pytest.mark.parametrize(("gsd_m", "west"), [(0.3, 512_345.7), (0.15, 333_333.35)])
def test_ties_fall_alike_in_every_window(tmp_path: Path, gsd_m: float, west: float) -> None:
    columns = np.arange(90 * 110).reshape(90, 110) % 2 * 40
    path = write_raster(tmp_path / "l.tif", columns.astype(np.uint8), transform=north_up(gsd_m, west))
    labels, grid = RasterLabels(path, LEGEND), Grid(grid_of(path).crs_wkt, north_up(2 * gsd_m, west), 55, 45)
    whole = labels.read(grid)
    for col, row in np.random.default_rng(0).integers(0, 30, (20, 2)).tolist():
        window = Box(col, row, 20, 12)
        np.testing.assert_array_equal(labels.read(grid.crop(window)), whole[row : row + 12, col : col + 20])


def test_far_finer_labels_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_raster(tmp_path / "l.tif", drawn())
    labels, grid = RasterLabels(path, LEGEND), grid_of(path).at_gsd(7.0)
    whole = labels.read(grid)
    monkeypatch.setattr("geo_io.raster._WINDOW_PX", 50)
    np.testing.assert_array_equal(labels.read(grid), whole)


def test_outside_of_the_labels_is_no_class(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "l.tif", drawn())
    labels, grid = RasterLabels(path, LEGEND), grid_of(path)
    assert (labels.read(grid.crop(Box(500, 0, 9, 9))) == 255).all()
    assert labels.tally(grid.crop(Box(500, 0, 9, 9))) == {}
    edge = labels.read(grid.crop(Box(-5, -5, 20, 20)))
    assert (edge[:5] == 255).all()
    np.testing.assert_array_equal(edge[5:, 5:], classes(drawn())[:15, :15])


def test_a_picture_is_read_by_its_colours(tmp_path: Path) -> None:
    picture = np.zeros((4, 20, 20), np.uint8)
    picture[2, :10] = 255
    picture[1, 10:] = 255
    picture[:3, :, 15:] = 9
    picture[:3, 0] = 255
    picture[3] = 255
    picture[3, 19] = 0
    for path in (
        write_raster(tmp_path / "rgb.tif", picture[:3], photometric="rgb"),
        write_raster(tmp_path / "rgba.tif", picture, alpha=True),
    ):
        labels, grid = RasterLabels(path, COLORS), grid_of(path)
        ids = labels.read(grid)
        assert (ids[0] == 255).all()
        assert (ids[1:10, :15] == 0).all()
        assert (ids[10:19, :15] == 1).all()
        assert (ids[:, 15:] == 255).all()
        transparent = path.stem == "rgba"
        assert (ids[19, :15] == (255 if transparent else 1)).all()
        assert labels.tally(grid) == {"#090909": 90 if transparent else 95}


def test_a_palette_is_read_by_its_colours_or_its_numbers(tmp_path: Path) -> None:
    values = np.repeat(np.array([3, 7, 9], np.uint8), 12).reshape(6, 6)
    path = write_raster(tmp_path / "l.tif", values, photometric="palette")
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {3: (0, 255, 0, 255), 7: (0, 0, 255, 255), 9: (1, 2, 3, 255)})
    labels, grid = RasterLabels(path, COLORS), grid_of(path)
    assert labels.read(grid).tolist() == [[1] * 6] * 2 + [[0] * 6] * 2 + [[255] * 6] * 2
    assert labels.tally(grid) == {"#010203": 12}
    by_number = RasterLabels(path, COLORS, mapping={9: "water", 3: "forest"})
    assert by_number.read(grid).tolist() == [[1] * 6] * 2 + [[255] * 6] * 2 + [[0] * 6] * 2
    assert by_number.tally(grid) == {"7": 12}


def test_wrong_labels_are_named(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "l.tif", drawn())
    with pytest.raises(BadInput, match="band 2: is not in the file"):
        RasterLabels(path, LEGEND, band=2)
    words = Legend(classes=[LandClass(name=n, color="#000000", values=[n]) for n in ("a", "b")])
    with pytest.raises(BadInput, match="no class of the legend has a number"):
        RasterLabels(path, words)
    nowhere = write_raster(tmp_path / "n.tif", drawn(), crs=None, transform=Affine.identity())
    with pytest.raises(BadInput, match="has no georeference, but the image has"):
        RasterLabels(nowhere, LEGEND).read(grid_of(path))
    bare = grid_of(nowhere)
    np.testing.assert_array_equal(RasterLabels(nowhere, LEGEND).read(bare), classes(drawn()))
