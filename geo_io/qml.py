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


def write_polygon_style(vector: Path, attribute: str, names: Sequence[str], colors: Sequence[Rgb]) -> Path:
    """Polygons by the class name in `attribute`, without outlines; returns the style's path."""
    renderer = Element("renderer-v2", type="categorizedSymbol", attr=attribute, symbollevels="0")
    categories, symbols = SubElement(renderer, "categories"), SubElement(renderer, "symbols")
    for number, (name, rgb) in enumerate(zip(names, colors, strict=True)):
        symbol = {"symbol": str(number), "value": name, "label": name, "render": "true", "type": "string"}
        SubElement(categories, "category", symbol)
        drawn = SubElement(symbols, "symbol", type="fill", name=str(number), alpha="1")
        layer = SubElement(
            drawn, "layer", {"class": "SimpleFill", "enabled": "1", "locked": "0", "pass": "0"}
        )
        options = SubElement(layer, "Option", type="Map")
        settings = {"color": ",".join(map(str, (*rgb, 255))), "style": "solid", "outline_style": "no"}
        for key, value in settings.items():
            SubElement(options, "Option", name=key, type="QString", value=value)
    return _write(vector, renderer)


def _write(styled: Path, renderer: Element) -> Path:
    root = Element("qgis", version="3.22", styleCategories="AllStyleCategories")
    of_raster = renderer.tag == "rasterrenderer"
    (SubElement(root, "pipe") if of_raster else root).append(renderer)
    ElementTree.indent(root)
    path = styled.with_suffix(".qml")
    with whole(path) as partial:
        ElementTree.ElementTree(root).write(partial, encoding="utf-8")
    return path
