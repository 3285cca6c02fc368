"""Statistics of a domain: of valid pixels, inside the areas, over all scenes."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from worlds import NORTH, UTM, WEST, noise, write_raster

from geo_io.band_stats import BandStats, distance, measure
from geo_io.errors import BadInput
from geo_io.scene import Scene
from geo_io.vector import Area


def scene(path: Path, values: np.ndarray, nodata: float | None = 0) -> Scene:
    return Scene.open(write_raster(path, values, nodata=nodata))


def test_they_are_numpys_of_the_valid_pixels(tmp_path: Path) -> None:
    values = noise(2, 120, 90, "uint16") ** 2
    values[:, :50] = 0
    stats = measure([(scene(tmp_path / "a.tif", values), None)])
    pixels = values[:, 50:].reshape(2, -1).astype(float)
    low, high = np.percentile(pixels, (1, 99), axis=1)
    clipped = np.clip(pixels, low[:, None], high[:, None])
    assert stats.names == ("band1", "band2")
    assert stats.pixels == 70 * 90
    assert stats.valid_share == pytest.approx(70 / 120)
    for field, oracle in {
        "low": low,
        "high": high,
        "mean": clipped.mean(axis=1),
        "std": clipped.std(axis=1),
        "minimum": pixels.min(axis=1),
        "maximum": pixels.max(axis=1),
    }.items():
        np.testing.assert_allclose(getattr(stats, field), oracle, rtol=1e-5)
    for band in range(2):
        counts, _ = np.histogram(clipped[band], 64, (low[band], high[band]))
        assert np.abs(np.subtract(stats.histogram[band], counts)).sum() <= 4
        assert sum(stats.histogram[band]) == stats.pixels


def test_nothing_under_nodata_counts(tmp_path: Path) -> None:
    values = noise(1, 60, 60).astype(np.int16)
    measured = []
    for hidden in (-9999, 30000):
        values[:, 20:40, 10:50] = hidden
        measured.append(measure([(scene(tmp_path / f"{hidden}.tif", values, hidden), None)]))
    assert measured[0] == measured[1]
    assert measured[0].maximum[0] <= 250


def test_only_the_area_counts(tmp_path: Path) -> None:
    values = np.full((1, 60, 60), 200, np.uint8)
    values[:, 10:30, 5:25] = 50
    values[:, 10:20, 5:25] = 0
    box = shapely.box(WEST + 5, NORTH - 30, WEST + 25, NORTH - 10)
    speck = shapely.box(WEST + 0.9, NORTH - 59.1, WEST + 1.1, NORTH - 58.9)  # covers no pixel's centre
    gpd.GeoDataFrame({"n": [1, 2]}, geometry=[box, speck], crs=UTM).to_crs(4326).to_file(
        tmp_path / "area.gpkg"
    )
    stats = measure([(scene(tmp_path / "a.tif", values), Area(tmp_path / "area.gpkg"))])
    assert (stats.minimum, stats.maximum, stats.pixels) == ((50.0,), (50.0,), 200)
    assert stats.valid_share == pytest.approx(0.5, abs=0.05)


def test_scenes_count_by_their_size(tmp_path: Path) -> None:
    large = scene(tmp_path / "a.tif", np.full((1, 300, 100), 10, np.uint8))
    small = scene(tmp_path / "b.tif", np.full((1, 100, 100), 110, np.uint8))
    for sample_px in (4_000_000, 5_000):
        stats = measure([(large, None), (small, None)], sample_px)
        assert stats.mean[0] == pytest.approx(35, abs=2)
        assert stats.pixels == pytest.approx(min(sample_px, 40_000), rel=0.3)


def test_a_sample_speaks_for_a_large_scene_without_reading_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ramp = np.add.outer(np.arange(4096), np.arange(3000)).astype(np.uint16)[None] + 1
    path = write_raster(tmp_path / "a.tif", ramp, tiled=True, blockxsize=256, blockysize=256)
    read: list[int] = []
    original = Scene.read

    def counting(self: Scene, box: object, gsd_m: float | None = None) -> object:
        patch = original(self, box, gsd_m)  # type: ignore[arg-type]
        read.append(patch.valid.size)
        return patch

    monkeypatch.setattr(Scene, "read", counting)
    stats = measure([(Scene.open(path), None)], sample_px=100_000)
    assert sum(read) < ramp.size / 3
    assert stats.pixels == pytest.approx(100_000, rel=0.6)
    assert stats.mean[0] == pytest.approx(ramp.mean(), rel=0.05)
    assert stats.std[0] == pytest.approx(ramp.std(), rel=0.15)


def test_a_constant_band_has_a_width_to_divide_by(tmp_path: Path) -> None:
    stats = measure([(scene(tmp_path / "a.tif", np.full((1, 20, 20), 7, np.uint8)), None)])
    assert stats.low == stats.high == stats.mean == (7.0,)
    assert 0 < stats.std[0] < 1e-3
    assert sum(stats.histogram[0]) == 400
    assert distance(stats, stats) == {"band1": 0.0}


def test_useless_domains_are_named(tmp_path: Path) -> None:
    blank = scene(tmp_path / "blank.tif", np.zeros((1, 20, 20), np.uint8))
    with pytest.raises(BadInput, match=r"blank\.tif: no valid pixel was found"):
        measure([(blank, None)])
    two = scene(tmp_path / "two.tif", noise(2, 20, 20))
    with pytest.raises(BadInput, match=r"two\.tif: has bands band1, band2, but .*blank\.tif has band1"):
        measure([(blank, None), (two, None)])
    with pytest.raises(BadInput, match="no scene"):
        measure([])


def test_they_survive_a_file(tmp_path: Path) -> None:
    stats = measure([(scene(tmp_path / "a.tif", noise(2, 30, 30)), None)])
    content = stats.to_dict()
    assert isinstance(content["histogram"][0], list)
    assert BandStats.from_dict(content) == stats


def test_distance_is_the_shift_in_standard_deviations(tmp_path: Path) -> None:
    draw = np.random.default_rng(0).normal(1000, 100, (1, 200, 200))
    a = measure([(scene(tmp_path / "a.tif", draw.astype(np.uint16)), None)])
    b = measure([(scene(tmp_path / "b.tif", (draw + 50).astype(np.uint16)), None)])
    assert distance(a, a) == {"band1": 0.0}
    assert distance(a, b)["band1"] == pytest.approx(50 / a.std[0], rel=0.02)
    assert distance(a, b) == pytest.approx(distance(b, a))
    with pytest.raises(BadInput, match="1 bands against 2"):
        distance(a, replace(b, names=("x", "y")))
