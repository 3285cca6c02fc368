"""The built-in sample holds what it promises."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import rasterio
import shapely
from rasterio.features import rasterize

from core.errors import BadInput
from core.job import load_job
from core.sample.drawing import CLASSES, COVERS
from core.sample.sample import COLORS, draw_sample
from core.sample.sites import (
    BANDS,
    SOURCE,
    SOURCE_SEASON,
    TARGET_SEASON,
    TARGETS,
    blend,
    draw_place,
    draw_target,
)
from geo_io.legend import IGNORE

IMAGES = {"source/scene.tif": "source/labels.tif"} | {f"target/{n}.tif": f"check/{n}.tif" for n in TARGETS}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first") / "sample"
    started = time.process_time()
    assert draw_sample(folder, seed=3) == folder / "job.yaml"
    assert time.process_time() - started < 20
    return folder


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as file:
        return file.read()


def shares(folder: Path, labels: list[str]) -> np.ndarray:
    ids = np.concatenate([read(folder / name).ravel() for name in labels])
    counts = np.bincount(ids, minlength=256)
    assert counts[len(CLASSES) : IGNORE].sum() == 0
    return counts[: len(CLASSES)] / counts[:IGNORE].sum()


def test_same_seed_same_bytes(sample: Path, tmp_path: Path) -> None:
    draw_sample(tmp_path / "again", seed=3)
    files = sorted(p.relative_to(sample) for p in sample.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(tmp_path / "again") for p in tmp_path.rglob("*") if p.is_file())
    assert [f for f in files if (sample / f).read_bytes() != (tmp_path / "again" / f).read_bytes()] == []


def test_seeds_differ() -> None:
    small = replace(SOURCE, size_px=200)
    one, other = draw_place(small, 1), draw_place(small, 2)
    assert (one.label != other.label).mean() > 0.1
    assert np.array_equal(one.image.values, draw_place(small, 1).image.values)


def test_small_and_whole(sample: Path) -> None:
    assert sum(p.stat().st_size for p in sample.rglob("*") if p.is_file()) < 10e6
    assert list(sample.parent.rglob("*.partial*")) == []


@pytest.mark.parametrize("image", IMAGES)
def test_images_are_what_they_promise(sample: Path, image: str) -> None:
    epsg, gsd_m = (32632, 1.0) if image.startswith("source") else (32735, 1.4)
    with rasterio.open(sample / image) as file, rasterio.open(sample / IMAGES[image]) as labels:
        assert (file.crs.to_epsg(), file.res) == (epsg, (gsd_m, gsd_m))
        assert (file.dtypes, file.descriptions, file.nodata) == (("uint16",) * 4, BANDS, 0)
        assert set(file.block_shapes) == {(256, 256)}
        assert (labels.crs, labels.transform, labels.shape) == (file.crs, file.transform, file.shape)
        assert (labels.dtypes, labels.nodata) == (("uint8",), IGNORE)
        colors = labels.colormap(1)
    assert ["#{:02x}{:02x}{:02x}".format(*colors[i][:3]) for i in range(6)] == list(COLORS.values())


@pytest.mark.parametrize("image", IMAGES)
def test_nodata_and_unlabelled_coincide(sample: Path, image: str) -> None:
    values, label = read(sample / image), read(sample / IMAGES[image])[0]
    empty = (values == 0).all(0)
    assert np.array_equal(empty, (values == 0).any(0))
    assert np.array_equal(empty, label == IGNORE)
    wedged = image != "target/north.tif"
    assert (0.02 < empty.mean() < 0.3) if wedged else not empty.any()


def test_polygons_burn_to_the_raster(sample: Path) -> None:
    with rasterio.open(sample / "source/labels.tif") as file:
        label, transform, crs = file.read(1), file.transform, file.crs
    meta, _, geometries, (names,) = pyogrio.raw.read(sample / "source/labels.gpkg")
    assert list(meta["fields"]) == ["class"]
    assert rasterio.CRS.from_user_input(meta["crs"]) == crs
    burn = [(g, CLASSES.index(n)) for g, n in zip(shapely.from_wkb(geometries), names, strict=True)]
    burned = rasterize(burn, out_shape=label.shape, transform=transform, fill=IGNORE, dtype="uint8")
    assert np.array_equal(burned, label)


def test_every_class_is_there_in_another_mix(sample: Path) -> None:
    source = shares(sample, ["source/labels.tif"])
    target = shares(sample, [f"check/{name}.tif" for name in TARGETS])
    assert min(source.min(), target.min()) >= 0.005, (source, target)
    at = {name: i for i, name in enumerate(CLASSES)}
    assert target[at["forest"]] > 1.3 * source[at["forest"]]
    assert target[at["cropland"]] < 0.7 * source[at["cropland"]]
    assert target[at["building"]] < source[at["building"]]


def test_vegetation_is_bright_and_water_dark_in_infrared(sample: Path) -> None:
    nir, label = read(sample / "source/scene.tif")[3], read(sample / "source/labels.tif")[0]
    middle = {name: np.median(nir[label == i]) for i, name in enumerate(CLASSES)}
    assert middle["water"] < 400 < 1500 < min(middle["forest"], middle["grassland"], middle["cropland"])


def test_strength_scales_the_shift() -> None:
    still, moved = draw_target("north", 0, 0.0), draw_target("north", 0)
    ids = [CLASSES.index(name) for name in ("forest", "grassland", "cropland")]

    def red_over_nir(drawn: object, i: int) -> float:
        values, label = drawn.image.values.astype(float), drawn.label  # type: ignore[attr-defined]
        return float(np.median((values[2] / values[3])[label == i]))

    assert all(red_over_nir(moved, i) > 1.3 * red_over_nir(still, i) for i in ids)


def test_blend_ends_at_both_ends() -> None:
    assert blend(SOURCE_SEASON, TARGET_SEASON, 0).shares == SOURCE_SEASON.shares
    far = blend(SOURCE_SEASON, TARGET_SEASON, 1)
    assert far.sun_azimuth_deg == TARGET_SEASON.sun_azimuth_deg
    assert far.tint["forest"] == pytest.approx(TARGET_SEASON.tint["forest"])
    assert set(far.shares) == set(TARGET_SEASON.shares) == set(COVERS)


def test_refuses_a_folder_in_use(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(BadInput, match="not an empty folder"):
        draw_sample(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_job_loads_and_its_files_exist(sample: Path) -> None:
    job = load_job(sample / "job.yaml")
    scenes = job.source.scenes + job.target.scenes
    assert all(s.path.is_file() and s.labels and s.labels.path.is_file() for s in scenes)
    assert [s.labels.use for s in scenes if s.labels] == ["train", "check", "check"]
    assert job.legend.names == list(CLASSES)
    assert str(sample) not in (sample / "job.yaml").read_text()
