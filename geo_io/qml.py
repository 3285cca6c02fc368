"""Layer styles that QGIS applies by itself: a `.qml` of the raster's own name beside it."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from geo_io.whole_file import whole

Rgb = tuple[int, int, int]


def write_class_style(raster: Path, names: Sequence[str], colors: Sequence[Rgb]) -> Path:
    """Values 0, 1, 2... of band 1 by name and colour; returns the style's path."""
    renderer = Element("rasterrenderer", type="paletted", band="1", opacity="1", alphaBand="-1")
    palette = SubElement(renderer, "colorPalette")
    for value, (name, rgb) in enumerate(zip(names, colors, strict=True)):
        color = "#{:02x}{:02x}{:02x}".format(*rgb)
        SubElement(palette, "paletteEntry", value=str(value), label=name, color=color, alpha="255")
    return _write(raster, renderer)


def write_confidence_style(raster: Path, highest: int) -> Path:
    """Values 0 to `highest` of band 1 from black to white; returns the style's path."""
    renderer = Element(
        "rasterrenderer",
        type="singlebandgray",
        grayBand="1",
        gradient="BlackToWhite",
        opacity="1",
        alphaBand="-1",
    )
    stretch = SubElement(renderer, "contrastEnhancement")
    for tag, text in (("minValue", 0), ("maxValue", highest), ("algorithm", "StretchToMinimumMaximum")):
        SubElement(stretch, tag).text = str(text)
    return _write(raster, renderer)


def _write(raster: Path, renderer: Element) -> Path:
    root = Element("qgis", version="3.22", styleCategories="AllStyleCategories")
    pipe = SubElement(root, "pipe")
    pipe.append(renderer)
    ElementTree.indent(root)
    path = raster.with_suffix(".qml")
    with whole(path) as partial:
        ElementTree.ElementTree(root).write(partial, encoding="utf-8")
    return path
