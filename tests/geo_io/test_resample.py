"""Reading at another ground sampling distance."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from worlds import noise, north_up, write_raster

from geo_io.grid import Box
from geo_io.resample import triangle_weights
from geo_io.scene import Scene

SIZES_M = [0.5, 0.83, 1.7, 2.0, 5.0, 23.0]


def plain(values: np.ndarray, valid: np.ndarray, scale: float, row: int, col: int) -> float:
    """One pixel of the normalised convolution with a triangle, by its formula in double precision."""
    radius = max(scale, 1.0)
    down, along = (
        np.clip(1 - np.abs(np.arange(side) + 0.5 - (i + 0.5) * scale) / radius, 0, None)
        for side, i in zip(values.shape, (row, col), strict=True)
    )
    weight = np.outer(down, along) * valid
    return float((weight * values).sum() / weight.sum())


@pytest.mark.parametrize("gsd_m", SIZES_M)
def test_a_pixel_is_the_triangle_weighted_mean_of_valid_ones(tmp_path: Path, gsd_m: float) -> None:
    values = noise(1, 130, 90, "uint16")
    values[:, 40:70, 20:50] = 0
    scene = Scene.open(write_raster(tmp_path / "a.tif", values, nodata=0))
    patch = scene.read(scene.grid.at_gsd(gsd_m).box, gsd_m)
    assert patch.values.dtype == np.float32
    assert patch.valid.any()
    for row, col in np.argwhere(patch.valid)[::97].tolist():
        expected = plain(values[0].astype(float), values[0] != 0, gsd_m, row, col)
        assert patch.values[0, row, col] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("gsd_m", SIZES_M)
def test_a_pixel_does_not_depend_on_the_window(tmp_path: Path, gsd_m: float) -> None:
    values = noise(2, 700, 640)
    values[:, 100:300, 50:333] = 0
    scene = Scene.open(write_raster(tmp_path / "a.tif", values, nodata=0))
    grid = scene.grid.at_gsd(gsd_m)
    whole = scene.read(grid.box, gsd_m)
    for col, row in np.random.default_rng(1).integers(-9, (grid.width, grid.height), (12, 2)).tolist():
        box = Box(col, row, 37, 29)
        inside = box.clip(grid.width, grid.height)
        part = scene.read(inside, gsd_m)
        place = slice(inside.row, inside.stop_row), slice(inside.col, inside.stop_col)
        np.testing.assert_array_equal(part.values, whole.values[:, *place])
        np.testing.assert_array_equal(part.valid, whole.valid[place])
        wide = scene.read(box, gsd_m)
        assert wide.valid.sum() == part.valid.sum()
        assert wide.values.sum(dtype=np.float64) == pytest.approx(part.values.sum(dtype=np.float64))


def test_the_working_window_is_read_in_chunks_without_a_seam(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene.open(write_raster(tmp_path / "a.tif", noise(1, 300, 300)))
    box = scene.grid.at_gsd(1.7).box
    whole = scene.read(box, 1.7)
    monkeypatch.setattr("geo_io.resample._CHUNK_PX", 40)
    np.testing.assert_array_equal(scene.read(box, 1.7).values, whole.values)


@pytest.mark.parametrize("gsd_m", SIZES_M)
@pytest.mark.parametrize("way", ["tag", "mask", "user"])
def test_what_lies_under_nodata_changes_nothing(tmp_path: Path, gsd_m: float, way: str) -> None:
    valid = np.ones((120, 120), bool)
    valid[30:77, 20:90] = False
    patches = []
    for hidden in (0, 7, 255):
        values = np.where(valid, noise(2, 120, 120), hidden).astype(np.uint8)
        tag: dict[str, Any] = {"nodata": hidden} if way == "tag" else {}
        mask = valid if way == "mask" else None
        if way != "mask":
            values[:, valid & (values == hidden).any(axis=0)] = 9
            values = np.where(valid, np.clip(values, 9, 250), hidden).astype(np.uint8)
        path = write_raster(tmp_path / f"{hidden}.tif", values, mask=mask, **tag)
        scene = Scene.open(path, nodata=hidden if way == "user" else None)
        patches.append(scene.read(scene.grid.at_gsd(gsd_m).box, gsd_m))
    assert not patches[0].valid.all()
    if way != "mask":
        assert patches[0].values[:, patches[0].valid].min() >= 9
    for other in patches[1:]:
        np.testing.assert_array_equal(other.valid, patches[0].valid)
        if way == "mask":
            np.testing.assert_array_equal(other.values, patches[0].values)
    assert (patches[0].values[:, ~patches[0].valid] == 0).all()


def test_a_checkerboard_shrinks_to_grey(tmp_path: Path) -> None:
    board = (np.indices((200, 200)).sum(axis=0) % 2 * 200).astype(np.uint8)
    scene = Scene.open(write_raster(tmp_path / "a.tif", board))
    for gsd_m in (2.0, 3.3, 6.0):
        inner = scene.grid.at_gsd(gsd_m)
        values = scene.read(Box(2, 2, inner.width - 4, inner.height - 4), gsd_m).values
        np.testing.assert_allclose(values, 100, atol=100 / gsd_m**2)


def test_a_flat_scene_stays_flat_to_its_very_edge(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "a.tif", np.full((1, 101, 67), 200, np.uint8)))
    for gsd_m in SIZES_M:
        patch = scene.read(scene.grid.at_gsd(gsd_m).box, gsd_m)
        assert patch.valid.all()
        np.testing.assert_allclose(patch.values, 200, rtol=1e-6)


def test_an_object_covers_the_same_ground_at_any_size(tmp_path: Path) -> None:
    values = np.zeros((1, 240, 240), np.float32)
    values[:, 60:132, 48:168] = 1
    scene = Scene.open(write_raster(tmp_path / "a.tif", values, transform=north_up(0.5)))
    for gsd_m in (0.25, 0.5, 1.0, 1.3, 3.0):
        covered = scene.read(scene.grid.at_gsd(gsd_m).box, gsd_m).values.sum(dtype=np.float64) * gsd_m**2
        assert covered == pytest.approx(72 * 120 * 0.25, rel=0.01)


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:4326", north_up(1e-5, 14.0, 60.0)),
        ("EPSG:32633", Affine.translation(5e5, 5e6) @ Affine.rotation(30) @ Affine.scale(1, -1)),
    ],
)
def test_pixels_are_square_on_the_ground_in_any_grid(tmp_path: Path, crs: str, transform: Affine) -> None:
    ramp = np.arange(80, dtype=np.float32)[None, None, :] * np.ones((1, 60, 1), np.float32)
    scene = Scene.open(write_raster(tmp_path / "a.tif", ramp, crs=crs, transform=transform))
    patch = scene.read(scene.grid.at_gsd(2.0).box, 2.0)
    assert patch.grid.pixel_size_m == pytest.approx((2.0, 2.0), rel=1e-3)
    native_col = (~scene.grid.transform @ (patch.grid.transform @ (10.5, 5.5)))[0]
    assert patch.values[0, 5, 10] == pytest.approx(native_col - 0.5, abs=0.05)


def test_strong_reductions_use_overviews_unless_these_blend_nodata_in(tmp_path: Path) -> None:
    row, col = np.indices((1001, 777))
    values = (100 + 8 * col + 3 * row).astype(np.uint16)
    values[:, :300] = 0
    tagged = Scene.open(write_raster(tmp_path / "a.tif", values, nodata=0, overviews=[2, 4], tiled=True))
    plain_file = Scene.open(write_raster(tmp_path / "b.tif", values, nodata=0))
    users = Scene.open(write_raster(tmp_path / "c.tif", values, overviews=[2, 4], tiled=True), nodata=0)
    box = tagged.grid.at_gsd(12.0).box
    by_overview, exact, careful = (scene.read(box, 12.0) for scene in (tagged, plain_file, users))
    np.testing.assert_array_equal(careful.values, exact.values)
    assert not np.array_equal(by_overview.values, exact.values)
    both = by_overview.valid & exact.valid
    assert both.mean() > 0.5
    # A working pixel further, the ramp is 96 higher: neither way of reading is displaced.
    shift = np.abs(by_overview.values - exact.values)[:, both]
    assert np.median(shift) < 1
    assert shift.max() < 30
    np.testing.assert_array_equal(
        by_overview.values[:, 9:20, 30:50], tagged.read(Box(30, 9, 20, 11), 12.0).values
    )


def test_an_overview_is_not_mistaken_for_the_image(tmp_path: Path) -> None:
    values = np.repeat(np.arange(1100, dtype=np.uint16)[None, :, None], 1100, axis=2)
    scene = Scene.open(write_raster(tmp_path / "a.tif", values, overviews=[2], tiled=True))
    scene.read(scene.grid.box)
    reduced = scene.read(scene.grid.at_gsd(10.0).box, 10.0)
    np.testing.assert_allclose(reduced.values[0, 1:-1, 50], np.arange(1, 109) * 10 + 4.5, atol=1)


def test_weights_sum_to_one_and_are_anchored() -> None:
    for scale in (0.4, 1.0, 3.7):
        whole, first = triangle_weights(0, 40, scale, 150)
        part, part_first = triangle_weights(7, 5, scale, 150)
        np.testing.assert_allclose(whole.sum(axis=1), 1, rtol=1e-6)
        columns = slice(part_first - first, part_first - first + part.shape[1])
        np.testing.assert_array_equal(whole.toarray()[7:12, columns], part.toarray())
