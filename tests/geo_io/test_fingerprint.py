"""What counts as the same file: its bytes, and those of whatever is read with it."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling
from worlds import noise, write_raster

from geo_io.blocks import open_dataset
from geo_io.fingerprint import changed, fingerprint, last_change_ns

NODATA = '<PAMDataset><PAMRasterBand band="1">{}<NoDataValue>7</NoDataValue></PAMRasterBand></PAMDataset>'
STATISTICS = '<Metadata><MDI key="STATISTICS_MEAN">131.7</MDI></Metadata>'
VRT = """<VRTDataset rasterXSize="20" rasterYSize="20"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>
<SourceFilename relativeToVRT="1">{}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>
</VRTDataset>"""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write_raster(tmp_path / "a.tif", noise(1, 20, 20))


def mask(image: Path, rows: int) -> None:
    valid = np.ones((20, 20), bool)
    valid[:rows] = False
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(image, "r+") as file:
        file.write_mask(valid)


def unplaced(image: Path) -> None:
    with open_dataset(image, "w", driver="GTiff", width=20, height=20, count=1, dtype="uint8") as file:
        file.write(noise(1, 20, 20))


def aux(image: Path, text: str) -> None:
    image.with_name("a.tif.aux.xml").write_text(text)


def source(image: Path, seed: int) -> None:
    write_raster(image.with_name("s.tif"), noise(1, 20, 20, seed=seed))
    image.with_name("inner.vrt").write_text(VRT.format("s.tif"))
    image.write_text(VRT.format("inner.vrt"))


@pytest.mark.parametrize(
    ("once", "then"),
    [
        (lambda _: None, lambda image: mask(image, 5)),
        (lambda image: mask(image, 5), lambda image: mask(image, 9)),
        (unplaced, lambda image: image.with_suffix(".tfw").write_text("1\n0\n0\n-1\n7\n9\n")),
        (lambda image: aux(image, NODATA.format("")), lambda image: aux(image, "<PAMDataset/>")),
        (lambda image: source(image, 1), lambda image: source(image, 2)),
    ],
    ids=["mask", "another mask", "world file", "nodata", "source of a VRT in a VRT"],
)
def test_what_is_read_with_an_image_is_part_of_it(
    image: Path, once: Callable[[Path], None], then: Callable[[Path], None]
) -> None:
    once(image)
    was = fingerprint(image)
    then(image)
    now = fingerprint(image)
    assert now["content"] == was["content"]
    assert changed(was, now)
    del was["beside"]
    assert not changed(was, now), "a run of before is resumed as it was"


def test_looking_at_an_image_does_not_change_it(image: Path) -> None:
    was = fingerprint(image)
    aux(image, f'<PAMDataset><PAMRasterBand band="1">{STATISTICS}</PAMRasterBand></PAMDataset>')
    with rasterio.Env(TIFF_USE_OVR=True), rasterio.open(image, "r+") as file:
        file.build_overviews([2], Resampling.average)
    assert image.with_name("a.tif.ovr").exists()
    assert fingerprint(image)["beside"] == was["beside"] == ""
    aux(image, NODATA.format(""))
    was = fingerprint(image)
    aux(image, NODATA.format(STATISTICS))
    assert not changed(was, fingerprint(image))


def test_a_shapefile_is_more_than_one_file(tmp_path: Path) -> None:
    for suffix in (".shp", ".shx", ".dbf"):
        (tmp_path / f"l{suffix}").write_text("once")
    was = fingerprint(tmp_path / "l.shp")
    (tmp_path / "l.dbf").write_text("then")
    assert changed(was, fingerprint(tmp_path / "l.shp"))


def test_the_last_change_is_that_of_any_part(image: Path) -> None:
    mask(image, 5)
    os.utime(image.with_name("a.tif.msk"), ns=(0, 4_000_000_000 * 10**9))
    assert last_change_ns([image]) == 4_000_000_000 * 10**9
