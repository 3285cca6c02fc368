"""What GDAL and QGIS find beside a delivered map: read back by GDAL itself, through a virtual raster."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rio_cogeo.cogeo import cog_validate
from worlds import UTM, north_up

from geo_io.cog import write_cog
from geo_io.errors import BadInput
from geo_io.grid import Grid
from geo_io.pam import ClassRow, sidecar, write_names
from geo_io.qml import write_class_style, write_confidence_style
from geo_io.write import write_map

NAMES = ["water", "Acker & Grünland", "town"]
COLORS = [(0, 0, 255), (0, 200, 0), (200, 0, 0)]
ROWS = [ClassRow(name, rgb, 10 + i, 2.5 * i) for i, (name, rgb) in enumerate(zip(NAMES, COLORS, strict=True))]
TAGS = {"RUN": "a-run", "SEED": "3"}
IDS = ((np.indices((1100, 1300)).sum(0) // 100) % 3).astype(np.uint8)
IDS[:40] = 255


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("delivered")
    grid = Grid(rasterio.CRS.from_user_input(UTM).to_wkt(), north_up(0.5), IDS.shape[1], IDS.shape[0])
    made = folder / "made.tif"
    write_map(made, grid, [IDS], colors=COLORS, tags=TAGS, names=NAMES)
    write_cog(made, folder / "map.tif", "mode")
    write_names(folder / "map.tif", ROWS, TAGS)
    return folder / "map.tif"


def as_gdal_reads(raster: Path) -> ElementTree.Element:
    virtual = raster.with_suffix(".vrt")
    rasterio.shutil.copy(raster, virtual, driver="VRT")
    return ElementTree.parse(virtual).getroot()


def test_it_is_a_valid_cog_with_the_same_pixels_colours_and_overviews(delivered: Path) -> None:
    valid, errors, warnings = cog_validate(delivered, strict=True)
    assert valid, (errors, warnings)
    with rasterio.open(delivered) as map_:
        assert np.array_equal(map_.read(1), IDS)
        assert map_.nodata == 255
        assert map_.colormap(1)[1] == (0, 200, 0, 255)
        assert map_.overviews(1) == [2, 4]
        assert set(np.unique(map_.read(1, out_shape=(275, 325)))) <= {0, 1, 2, 255}, "no class in between"
        assert map_.crs.to_epsg() == 32633
        assert map_.tags(ns="ISTHMUS") == TAGS


def test_gdal_reads_names_and_the_attribute_table(delivered: Path) -> None:
    band = as_gdal_reads(delivered).find("VRTRasterBand")
    assert band is not None
    assert [c.text for c in band.findall("CategoryNames/Category")] == NAMES
    fields = {f.findtext("Name"): int(f.get("index", "")) for f in band.iter("FieldDefn")}
    rows = [[cell.text for cell in row] for row in band.iter("Row")]
    assert [row[fields["Class"]] for row in rows] == NAMES
    assert [row[fields["Count"]] for row in rows] == ["10", "11", "12"]
    assert [float(row[fields["Area_m2"]] or "nan") for row in rows] == [0, 2.5, 5]
    assert [[row[fields[c]] for c in ("Red", "Green", "Blue")] for row in rows] == [
        [str(value) for value in rgb] for rgb in COLORS
    ]


def test_names_written_again_replace_the_old_and_leave_the_rest(delivered: Path) -> None:
    before = sidecar(delivered).read_text()
    root = ElementTree.fromstring(before)
    ElementTree.SubElement(root, "SRS").text = "kept"
    sidecar(delivered).write_text(ElementTree.tostring(root, encoding="unicode"))
    write_names(delivered, ROWS, TAGS)
    again = ElementTree.parse(sidecar(delivered)).getroot()
    assert again.findtext("SRS") == "kept"
    assert len(again.findall("PAMRasterBand/CategoryNames")) == 1
    assert len(again.findall("Metadata")) == 1
    sidecar(delivered).write_text(before)


def test_a_side_car_of_an_earlier_delivery_is_not_kept(delivered: Path, tmp_path: Path) -> None:
    (tmp_path / "map.tif.aux.xml").write_text('<PAMDataset><SRS>LOCAL_CS["elsewhere"]</SRS></PAMDataset>')
    write_cog(delivered.parent / "made.tif", tmp_path / "map.tif", "mode")
    assert not (tmp_path / "map.tif.aux.xml").exists()


def test_a_broken_side_car_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.tif.aux.xml").write_text("<PAMDataset>")
    with pytest.raises(BadInput, match=r"a\.tif\.aux\.xml.*delete it"):
        write_names(tmp_path / "a.tif", ROWS, {})


def test_styles_name_every_class_and_bear_the_rasters_name(tmp_path: Path) -> None:
    style = write_class_style(tmp_path / "a.class.tif", NAMES, COLORS)
    assert style.name == "a.class.qml"
    entries = list(ElementTree.parse(style).getroot().iter("paletteEntry"))
    assert [(e.get("value"), e.get("label"), e.get("color")) for e in entries] == [
        ("0", "water", "#0000ff"),
        ("1", "Acker & Grünland", "#00c800"),
        ("2", "town", "#c80000"),
    ]
    grey = ElementTree.parse(write_confidence_style(tmp_path / "a.confidence.tif", 254)).getroot()
    assert grey.findtext(".//maxValue") == "254"
