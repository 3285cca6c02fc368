"""Scenes: exact windows, honest validity, names, oddities and damage."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS
from worlds import noise, north_up, write_raster, write_stack

from geo_io import blocks
from geo_io.blocks import open_raster
from geo_io.errors import BadInput
from geo_io.grid import Box
from geo_io.scene import Scene
from geo_io.validity import NodataRule

LAYOUTS: list[dict[str, Any]] = [
    {},
    {"tiled": True, "blockxsize": 64, "blockysize": 32, "compress": "deflate"},
    {"blockysize": 700, "compress": "deflate"},
    {"interleave": "band"},
]
BOXES = [
    Box(0, 0, 600, 700),
    Box(13, 505, 40, 30),
    Box(-20, -7, 50, 30),
    Box(580, 690, 64, 64),
    Box(900, 0, 5, 5),
]


def padded(whole: np.ndarray, box: Box) -> np.ndarray:
    """`box` of (..., h, w), zero outside: the plainest way to say what a read must give."""
    margin = 1000
    roomy = np.pad(whole, [(0, 0)] * (whole.ndim - 2) + [(margin, margin)] * 2)
    return roomy[..., box.row + margin : box.stop_row + margin, box.col + margin : box.stop_col + margin]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_windows_are_exact(tmp_path: Path, layout: dict[str, Any], dtype: str) -> None:
    values = noise(3, 700, 600, dtype)
    with Scene.open(write_raster(tmp_path / "a.tif", values, **layout)) as scene:
        assert scene.dtype == dtype
        for box in BOXES:
            patch = scene.read(box)
            assert patch.values.dtype == dtype
            np.testing.assert_array_equal(patch.values, padded(values, box))
            np.testing.assert_array_equal(patch.valid, padded(np.ones((700, 600), bool), box))
            assert patch.grid.transform @ (0, 0) == scene.grid.transform @ (box.col, box.row)


@pytest.mark.parametrize(
    ("stored", "read"), [("int8", "int16"), ("uint32", "float32"), ("float64", "float32")]
)
def test_other_types_become_the_nearest_supported(tmp_path: Path, stored: str, read: str) -> None:
    values = noise(1, 20, 20, "uint8") // 2
    scene = Scene.open(write_raster(tmp_path / "a.tif", values.astype(stored)))
    patch = scene.read(scene.grid.box)
    assert scene.dtype == patch.values.dtype == read
    np.testing.assert_array_equal(patch.values, values)


def holed() -> tuple[np.ndarray, np.ndarray]:
    """Values without 0, and validity with a hole."""
    valid = np.ones((60, 50), bool)
    valid[10:20, 5:30] = False
    return noise(3, 60, 50), valid


def write_holed(path: Path, way: str) -> tuple[Scene, np.ndarray, np.ndarray]:
    values, valid = holed()
    blank = np.where(valid, values, 0)
    if way == "tag 0":
        return Scene.open(write_raster(path, blank, nodata=0)), values, valid
    if way == "user value 0":
        return Scene.open(write_raster(path, blank), nodata=0), values, valid
    if way == "mask band":
        return Scene.open(write_raster(path, values, mask=valid)), values, valid
    if way == "alpha band 4":
        opacity = np.where(valid, 255, 0).astype(np.uint8)[None]
        return Scene.open(write_raster(path, np.concatenate([values, opacity]), alpha=True)), values, valid
    missing = np.where(valid, values.astype(np.float32), np.float32(np.nan))
    missing[:, 15, 7] = np.inf
    return Scene.open(write_raster(path, missing)), values, valid


@pytest.mark.parametrize("way", ["tag 0", "user value 0", "mask band", "alpha band 4", "NaN"])
def test_every_kind_of_nodata_is_seen_and_named(tmp_path: Path, way: str) -> None:
    scene, values, valid = write_holed(tmp_path / "a.tif", way)
    patch = scene.read(scene.grid.box)
    assert scene.nodata_source == way
    assert len(scene.bands) == 3
    np.testing.assert_array_equal(patch.valid, valid)
    np.testing.assert_array_equal(patch.values, values * valid)


def test_without_nodata_all_is_valid(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "a.tif", np.zeros((1, 8, 8), np.uint8)))
    assert scene.nodata_source == "none"
    assert scene.read(scene.grid.box).valid.all()


@pytest.mark.parametrize(("when", "expected"), [("all", [True, True, False]), ("any", [True, False, False])])
def test_nodata_in_all_bands_or_any(tmp_path: Path, when: str, expected: list[bool]) -> None:
    values = np.array([[[5, 5, 0]], [[6, 0, 0]]], np.uint8)
    scene = Scene.open(write_raster(tmp_path / "a.tif", values, nodata=0), invalid_when=when)
    assert scene.read(scene.grid.box).valid[0].tolist() == expected


def test_a_value_that_is_no_number_invalidates_whatever_the_other_bands_hold(tmp_path: Path) -> None:
    values = np.array([[[1, np.nan]], [[2, 2]]], np.float32)
    patch = Scene.open(write_raster(tmp_path / "a.tif", values), invalid_when="all").read(Box(0, 0, 2, 1))
    assert patch.valid.tolist() == [[True, False]]
    assert patch.values[:, 0, 1].tolist() == [0, 0]


def test_near_infrared_that_gdal_calls_alpha_is_a_band(tmp_path: Path) -> None:
    values = noise(4, 100, 90)
    scene = Scene.open(write_raster(tmp_path / "a.tif", values, alpha=True))
    assert scene.indexes == (1, 2, 3, 4)
    assert any("alpha" in warning for warning in scene.warnings)
    np.testing.assert_array_equal(scene.read(scene.grid.box).values, values)


def test_bands_of_several_types_are_read_together(tmp_path: Path) -> None:
    color, height = noise(3, 60, 50), np.random.default_rng(1).normal(5, 2, (60, 50)).astype(np.float32)
    height[:, :9] = np.nan
    scene = Scene.open(write_stack(tmp_path / "a.vrt", [*color, height]))
    patch = scene.read(Box(-2, 3, 40, 30))
    expected = np.stack([*color.astype(np.float32), np.nan_to_num(height)])
    expected[:, :, :9] = 0
    assert scene.dtype == "float32"
    np.testing.assert_array_equal(patch.values, padded(expected, Box(-2, 3, 40, 30)))
    np.testing.assert_array_equal(patch.valid[:, 2:11], False)
    assert scene.decimated(20).values.shape == (4, 20, 17)


def test_bands_are_found_by_name_number_and_order(tmp_path: Path) -> None:
    values = noise(3, 9, 9)
    path = write_raster(tmp_path / "a.tif", values, names=["nir", "Red", "green"])
    assert Scene.open(path).bands == ("nir", "Red", "green")
    scene = Scene.open(path, bands=["red", 1])
    assert (scene.bands, scene.indexes) == (("Red", "nir"), (2, 1))
    np.testing.assert_array_equal(scene.read(scene.grid.box).values, values[[1, 0]])
    renamed = Scene.open(path, bands=["b"], band_names=["a", "b", "c"])
    np.testing.assert_array_equal(renamed.read(renamed.grid.box).values, values[[1]])


def test_bands_without_a_description_are_named_by_colour_or_number(tmp_path: Path) -> None:
    assert Scene.open(write_raster(tmp_path / "a.tif", noise(2, 9, 9))).bands == ("band1", "band2")
    colored = write_raster(tmp_path / "b.tif", noise(3, 9, 9), photometric="rgb")
    assert Scene.open(colored).bands == ("red", "green", "blue")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"bands": ["rad"]}, "did you mean 'red'"),
        ({"bands": [4]}, "band 4: is not in the file"),
        ({"bands": []}, "no band is chosen"),
        ({"bands": ["red", 1]}, "chosen twice"),
        ({"band_names": ["a"]}, "3 bands but 1 band_names"),
        ({"band_names": ["a", "b", "a"]}, "repeat a name"),
    ],
)
def test_wrong_bands_are_named(tmp_path: Path, wrong: dict[str, Any], said: str) -> None:
    path = write_raster(tmp_path / "a.tif", noise(3, 9, 9), names=["red", "green", "nir"])
    with pytest.raises(BadInput, match=said):
        Scene.open(path, **wrong)


def test_no_raster_no_scene(tmp_path: Path) -> None:
    (tmp_path / "text.tif").write_text("not a raster")
    complex_numbers = write_raster(tmp_path / "complex.tif", np.ones((1, 4, 4), np.complex64))
    cases = {
        tmp_path / "absent.tif": "does not exist",
        tmp_path / "text.tif": "is not a readable raster",
        complex_numbers: "complex",
    }
    for path, said in cases.items():
        with pytest.raises(BadInput, match=said):
            Scene.open(path)


def test_a_file_cut_short_names_itself_and_the_window(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(1, 2000, 600), tiled=True, blockxsize=64, blockysize=64)
    path.write_bytes(path.read_bytes()[: 2000 * 600 // 2])
    scene = Scene.open(path)
    assert scene.read(Box(0, 0, 10, 10)).valid.all()
    with pytest.raises(BadInput, match=r"a\.tif, window of .* at column 0, row 1536.*cannot be decoded"):
        scene.read(Box(0, 1900, 10, 10))


def test_odd_georeferences_are_told(tmp_path: Path) -> None:
    values = noise(1, 4, 4)
    odd = {
        "no coordinate reference system": {"crs": None},
        "no geotransform": {"transform": Affine.identity()},
        "south-up": {"transform": Affine(1, 0, 5e5, 0, 1, 5e6)},
        "swapped axes": {"transform": Affine(0, 1, 0, 1, 0, 0)},
    }
    for i, (said, options) in enumerate(odd.items()):
        scene = Scene.open(write_raster(tmp_path / f"{i}.tif", values, **options))
        assert any(said in warning for warning in scene.warnings), said
    assert Scene.open(write_raster(tmp_path / "even.tif", values)).warnings == ()


def test_control_points_alone_are_told(tmp_path: Path) -> None:
    points = [rasterio.control.GroundControlPoint(r, c, 5e5 + c, 5e6 - r) for r in (0, 4) for c in (0, 4)]
    path = tmp_path / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=4, height=4, count=1, dtype="uint8", gcps=points, crs="EPSG:32633"
    ):
        pass
    assert any("control points" in warning for warning in Scene.open(path).warnings)


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:4326", north_up(1e-5, 14.0, 45.0)),
        ("EPSG:32633", Affine.translation(5e5, 5e6) @ Affine.rotation(30) @ Affine.scale(2, -2)),
        (CRS("+proj=laea +lat_0=45.3 +lon_0=14.2 +ellps=GRS80 +units=m").to_wkt(), north_up(2.0, 10, 20)),
    ],
)
def test_any_crs_and_rotation_survive(tmp_path: Path, crs: str, transform: Affine) -> None:
    scene = Scene.open(write_raster(tmp_path / "a.tif", noise(1, 30, 30), crs=crs, transform=transform))
    assert scene.warnings == ()
    assert scene.grid.crs is not None
    assert scene.grid.crs.equals(CRS(crs), ignore_axis_order=True)
    assert scene.grid.transform.almost_equals(transform, 1e-12)
    box = scene.grid.at_gsd(scene.grid.gsd_m * 2).box
    assert scene.read(box, scene.grid.gsd_m * 2).valid.all()


def test_paths_may_hold_spaces_and_any_letter(tmp_path: Path) -> None:
    assert (
        Scene.open(write_raster(tmp_path / "Größe å 東.tif", noise(1, 4, 4)))
        .read(Box(0, 0, 4, 4))
        .valid.all()
    )


def test_decimated_covers_the_scene_honestly(tmp_path: Path) -> None:
    values = np.repeat(np.arange(1, 101, dtype=np.uint8)[None, :, None], 300, axis=2)
    values[:, :, :30] = 0
    scene = Scene.open(write_raster(tmp_path / "a.tif", values, nodata=0))
    patch = scene.decimated(60)
    assert patch.values.shape == (1, 20, 60)
    assert not patch.valid[:, :6].any()
    assert patch.valid[:, 6:].all()
    assert patch.grid.corners == scene.grid.corners
    np.testing.assert_allclose(patch.values[0, :, -1], np.arange(3, 101, 5), atol=1)


def test_threads_get_their_own_pixels(tmp_path: Path) -> None:
    values = noise(2, 700, 700, "uint16")
    scene = Scene.open(write_raster(tmp_path / "a.tif", values, tiled=True, blockxsize=64, blockysize=64))
    wrong: list[Box] = []

    def work(seed: int) -> None:
        for col, row in np.random.default_rng(seed).integers(0, 640, (60, 2)).tolist():
            box = Box(col, row, 60, 60)
            if not np.array_equal(scene.read(box).values, padded(values, box)):
                wrong.append(box)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_no_handle_is_shared_between_threads(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(1, 20, 20))
    with open_raster(path) as dataset:
        source = blocks.Blocks.of(path, NodataRule.of(dataset, (1,)), "uint8", np.dtype("uint8"))
    handles = [source.dataset, source.dataset]
    thread = threading.Thread(target=lambda: handles.append(source.dataset))
    thread.start()
    thread.join()
    assert handles[0] is handles[1]
    assert handles[2] is not handles[0]
    source.close()
    assert all(handle.closed for handle in handles)


def test_the_cache_saves_decoding_and_keeps_its_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = blocks.BlockCache(3 * 512 * 512 * 2)
    monkeypatch.setattr(blocks, "CACHE", cache)
    decoded: list[object] = []
    decode = blocks.Blocks.decode
    monkeypatch.setattr(
        blocks.Blocks, "decode", lambda self, *args: decoded.append(args) or decode(self, *args)
    )
    values = noise(1, 2048, 2048)
    scene = Scene.open(write_raster(tmp_path / "a.tif", values, tiled=True, blockxsize=256, blockysize=256))
    for _ in range(3):
        scene.read(Box(300, 10, 400, 100))
    assert len(decoded) == 2
    np.testing.assert_array_equal(scene.read(scene.grid.box).values, values)
    assert 0 < cache.held_bytes <= 3 * 512 * 512 * 2
    cache.resize(0)
    assert cache.held_bytes == 0


def test_caps_hold_until_the_last_of_them_is_lifted() -> None:
    def kept() -> int:
        for key in range(4):
            cache.put(key, (np.zeros((1, 10, 10), np.uint8), np.zeros((10, 10), bool)))
        return cache.held_bytes

    cache = blocks.BlockCache(600)
    assert kept() == 600
    outer, inner = cache.capped(450), cache.capped(0)
    outer.__enter__()
    assert cache.held_bytes == kept() == 400
    inner.__enter__()
    assert cache.held_bytes == kept() == 0
    outer.__exit__(None, None, None)
    assert kept() == 0
    inner.__exit__(None, None, None)
    assert kept() == 600


def test_a_file_written_anew_is_read_anew(tmp_path: Path) -> None:
    for seed in (1, 2):
        values = noise(1, 40, 40, seed=seed)
        scene = Scene.open(write_raster(tmp_path / "a.tif", values))
        np.testing.assert_array_equal(scene.read(scene.grid.box).values, values)


def test_wide_strips_are_read_in_bounded_cells(tmp_path: Path) -> None:
    values = noise(1, 40, 20_000)
    scene = Scene.open(write_raster(tmp_path / "a.tif", values, blockysize=40, compress="deflate"))
    assert scene.block == (40, 20_000)
    assert max(cell.width for cell in scene.cells(scene.grid.box)) == 512
    np.testing.assert_array_equal(scene.read(Box(9_900, 3, 700, 30)).values, values[:, 3:33, 9_900:10_600])


@pytest.mark.parametrize("strip", [1, 16])
@pytest.mark.parametrize("box", [Box(0, 0, 1500, 1100), Box(-5, 500, 1300, 700)])
def test_wide_strips_are_decoded_once_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strip: int, box: Box
) -> None:
    monkeypatch.setattr(blocks, "_RUN_BYTES", 50 * 1500 * 2 * 2)
    windows: list[Any] = []
    decode = blocks.Blocks.decode
    monkeypatch.setattr(
        blocks.Blocks, "decode", lambda self, window: windows.append(window) or decode(self, window)
    )
    values = noise(2, 1100, 1500, "uint16")
    scene = Scene.open(
        write_raster(tmp_path / "a.tif", values, blockysize=strip, compress="deflate", interleave="pixel")
    )
    np.testing.assert_array_equal(scene.read(box).values, padded(values, box))
    rows = [row for window in windows for row in range(window.row_off, window.row_off + window.height)]
    assert len(rows) == len(set(rows)) <= min(box.stop_row, 1100) - box.row + 50
    assert max(window.height for window in windows) <= 50
