"""What can be taken home of a run, and the options of that; no torch here, the window reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.errors import BadInput, meant

Part = Literal["class", "confidence", "probabilities", "polygons", "catalogue", "model", "report"]

REPORT, MODEL_FOLDER = "report.html", "model"
PARTS: Mapping[Part, tuple[str, str]] = {
    "class": ("Classes", "Cloud-optimised GeoTIFF with names and colours, and a style that QGIS applies"),
    "confidence": ("Confidence", "Cloud-optimised GeoTIFF: probability of the class, 0 to 1 by its scale"),
    "probabilities": (
        "Probabilities",
        "Cloud-optimised GeoTIFF with a band for each class: its probability, 0 to 1 by its scale",
    ),
    "polygons": ("Polygons", "GeoPackage: class, area on the ellipsoid and mean confidence of each"),
    "catalogue": ("Catalogue", "STAC items of the maps and of the model, with checksums"),
    "model": ("Model", "Weights, torch.export and ONNX, which runs in QGIS with the plugin Deepness"),
    "report": ("Report", "One page to print or send: maps, areas, verdict, accuracy, options, versions"),
}
"""Part -> its name and what it is."""


def part_named(name: str) -> Part:
    """The part of that name. Raises BadInput, with the nearest, for another."""
    for part in PARTS:
        if part == name:
            return part
    raise BadInput(f"part {name!r}", "does not exist", meant(name, PARTS, "parts"))


@dataclass(frozen=True)
class Cleaning:
    """What is done to a class raster before it is delivered, and to its polygons.

    Areas smaller than `least_m2` fall to their largest neighbour; each pixel takes the majority of a
    window of `majority_px` pixels a side (odd; 0: as it is), before that. A polygon's corner goes where
    its triangle with its neighbours is smaller than a square of `simplify_m`, from both sides of an edge.
    """

    least_m2: float = 0.0
    majority_px: int = 0
    simplify_m: float = 0.0

    @property
    def changes_raster(self) -> bool:
        return self.least_m2 > 0 or self.majority_px > 1
