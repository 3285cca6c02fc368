"""Class names, colours and areas beside a raster, as GDAL and QGIS read them: the `.aux.xml` side-car (PAM).

GDAL reads category names and attribute tables from nowhere else in a GeoTIFF, and rasterio writes neither.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from geo_io.errors import BadInput
from geo_io.whole_file import whole
from geo_io.write import TAG_DOMAIN


class ClassRow(NamedTuple):
    """One class of the table: its colour, its pixels and their area."""

    name: str
    rgb: tuple[int, int, int]
    pixels: int
    area_m2: float


# GDAL's codes: what a column is for (GDALRATFieldUsage), and its type (0 whole, 1 real, 2 text).
_COLUMNS = (
    ("Value", 5, 0),
    ("Class", 2, 2),
    ("Count", 1, 0),
    ("Red", 6, 0),
    ("Green", 7, 0),
    ("Blue", 8, 0),
    ("Alpha", 9, 0),
    ("Area_m2", 0, 1),
)
_OPAQUE = 255


def sidecar(raster: Path) -> Path:
    """Where a raster's side-car lies."""
    return raster.with_name(raster.name + ".aux.xml")


def write_names(raster: Path, classes: Sequence[ClassRow], tags: Mapping[str, str]) -> None:
    """Give band 1 of `raster` names and a thematic attribute table, and the file `tags` in our own domain.

    What else its side-car says stays. Raises BadInput where a side-car that is there cannot be read.
    """
    path = sidecar(raster)
    root = _read(path) if path.exists() else Element("PAMDataset")
    for old in [child for child in root.findall("Metadata") if child.get("domain") == TAG_DOMAIN]:
        root.remove(old)
    metadata = Element("Metadata", domain=TAG_DOMAIN)
    for key, text in sorted(tags.items()):
        SubElement(metadata, "MDI", key=key).text = text
    root.insert(0, metadata)
    band = next((b for b in root.findall("PAMRasterBand") if b.get("band") == "1"), None)
    band = SubElement(root, "PAMRasterBand", band="1") if band is None else band
    for stale in [child for child in band if child.tag in ("CategoryNames", "GDALRasterAttributeTable")]:
        band.remove(stale)
    names = SubElement(band, "CategoryNames")
    for row in classes:
        SubElement(names, "Category").text = row.name
    band.append(_attribute_table(classes))
    ElementTree.indent(root)
    with whole(path) as partial:
        ElementTree.ElementTree(root).write(partial, encoding="utf-8")


def _attribute_table(classes: Sequence[ClassRow]) -> Element:
    table = Element("GDALRasterAttributeTable", tableType="thematic")
    for i, (name, usage, kind) in enumerate(_COLUMNS):
        field = SubElement(table, "FieldDefn", index=str(i))
        for tag, text in (("Name", name), ("Type", kind), ("Usage", usage)):
            SubElement(field, tag).text = str(text)
    for value, row in enumerate(classes):
        cells: list[Any] = [value, row.name, row.pixels, *row.rgb, _OPAQUE, f"{row.area_m2:.2f}"]
        line = SubElement(table, "Row", index=str(value))
        for cell in cells:
            SubElement(line, "F").text = str(cell)
    return table


def _read(path: Path) -> Element:
    try:
        return ElementTree.parse(path).getroot()
    except ElementTree.ParseError as fault:
        raise BadInput(path, f"cannot be read as XML ({fault})", "delete it and export again") from None
