"""Class maps on the map: their classes, how sure they are, where two of them differ, the labels."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from PySide6.QtCore import QObject
from PySide6.QtGui import QImage

from app.map import colours
from app.map.layers import Ask, Opened, Paint, RasterLayer, Read
from core.runs.map_files import CONFIDENCE_STEPS
from geo_io.grid import Grid
from geo_io.legend import IGNORE, Legend
from geo_io.preview import Picture, Tile

_CHEAP_PX = 2**25
_CHEAP_LEVEL = 2


class ClassLayer(RasterLayer):
    """A class map in its legend's colours, by class id; hatched, classes differ in pattern too.

    `confidence` is the raster, if it has been made, of how sure each class is.
    """

    kind = "mode"

    def __init__(
        self,
        path: Path,
        legend: Legend,
        name: str = "",
        parent: QObject | None = None,
        confidence: Path | None = None,
    ) -> None:
        super().__init__(path, name, parent)
        self.legend, self.hatched, self.confidence = legend, False, confidence

    def set_legend(self, legend: Legend) -> None:
        if legend != self.legend:
            self.legend = legend
            self.restyle()

    def set_hatched(self, hatched: bool) -> None:
        """Patterns are drawn in tiles finer than the map's pixels when zoomed in, to stay patterns."""
        if hatched != self.hatched:
            self.hatched, self.fine_levels = hatched, 5 if hatched else 0
            self.restyle()

    def opener(self, crs_wkt: str | None) -> Callable[[], Opened]:
        open_classes, beside = super().opener(crs_wkt), self.confidence

        def open_both() -> Opened:
            sure = Picture(beside) if beside is not None and beside.exists() else None
            return replace(open_classes(), other=sure)

        return open_both

    def asker(self) -> Ask:
        ask_class, sure, word = super().asker(), self._now().other, self.tr("confidence")

        def ask(x: float, y: float, crs_wkt: str | None) -> list[tuple[str, str]]:
            found = ask_class(x, y, crs_wkt)
            return found + _shares(word, sure.values_at(x, y, crs_wkt)) if found and sure else found

        return ask

    def _paint(self) -> Paint:
        table, hatched = _legend_table(self.legend), self.hatched
        return lambda values, valid: colours.classes(values[0], valid, table, hatched)

    def _told(self, values: dict[str, float]) -> list[tuple[str, str]]:
        return [
            (self.tr("class"), class_name(self.legend, int(value))) for value in list(values.values())[:1]
        ]


class ConfidenceLayer(RasterLayer):
    """How sure a map is, 0 to 254 for 0 to 100 %: dark where it is not."""

    def _paint(self) -> Paint:
        table = colours.confidence_table()
        return lambda values, valid: colours.classes(values[0], valid, table, hatched=False)

    def _told(self, values: dict[str, float]) -> list[tuple[str, str]]:
        return _shares(self.tr("confidence"), values)


class DifferenceLayer(RasterLayer):
    """Where two class maps disagree, striped; transparent where they agree or either has no class."""

    kind = "mode"

    def __init__(
        self, before: Path, after: Path, legend: Legend, name: str = "", parent: QObject | None = None
    ) -> None:
        super().__init__(before, name, parent)
        self.after, self.legend = Path(after), legend

    def opener(self, crs_wkt: str | None) -> Callable[[], Opened]:
        open_first, after = super().opener(crs_wkt), self.after

        def open_both() -> Opened:
            first = open_first()
            return Opened(first.picture, first.view, first.glance, Picture(after))

        return open_both

    def reader(self) -> Read:
        opened = self._now()
        return lambda tile: _difference(opened, tile.grid(opened.view))

    def overall(self) -> Callable[[], QImage]:
        opened = self._now()
        return lambda: _difference(opened, opened.overall) or colours.nothing()

    def asker(self) -> Ask:
        opened, legend = self._now(), self.legend

        def ask(x: float, y: float, crs_wkt: str | None) -> list[tuple[str, str]]:
            found = [p.values_at(x, y, crs_wkt) for p in (opened.picture, opened.other)]
            names = [class_name(legend, int(next(iter(v.values())))) for v in found if v]
            return list(zip((self.tr("before"), self.tr("after")), names, strict=False))

        return ask


class Labels(Protocol):
    """Labels as geo_io opens them, raster or vector."""

    def read(self, grid: Grid) -> NDArray[np.uint8]: ...


class LabelLayer(ClassLayer):
    """The labels of the image at `path`, from a raster or vector file that `open_labels` opens."""

    def __init__(
        self,
        path: Path,
        open_labels: Callable[[], Labels],
        legend: Legend,
        name: str = "",
        parent: QObject | None = None,
    ) -> None:
        super().__init__(path, legend, name, parent)
        self._open_labels = open_labels

    def relabel(self, open_labels: Callable[[], Labels], legend: Legend) -> None:
        """The legend changed, or where in the file the class stands: open the labels again."""
        self._open_labels, self.legend = open_labels, legend
        self.reopen.emit()

    def opener(self, crs_wkt: str | None) -> Callable[[], Opened]:
        open_image, open_labels = super().opener(crs_wkt), self._open_labels

        def open_both() -> Opened:
            image = open_image()
            return Opened(image.picture, image.view, image.glance, open_labels())

        return open_both

    def reader(self) -> Read:
        opened, paint = self._now(), self._paint()

        def read(tile: Tile) -> QImage | None:
            if tile.level > _CHEAP_LEVEL and not _cheap(opened.other):
                return None
            return _labelled(opened.other, tile.grid(opened.view), paint)

        return read

    def overall(self) -> Callable[[], QImage]:
        opened, paint = self._now(), self._paint()
        cheap = _cheap(opened.other)
        return lambda: _labelled(opened.other, opened.overall, paint) if cheap else colours.nothing()

    def asker(self) -> Ask:
        labels, legend = self._now().other, self.legend

        def ask(x: float, y: float, crs_wkt: str | None) -> list[tuple[str, str]]:
            class_id = int(labels.read(_point_grid(x, y, crs_wkt))[0, 0])
            return [(self.tr("label"), class_name(legend, class_id))] if class_id != IGNORE else []

        return ask


def _point_grid(x: float, y: float, crs_wkt: str | None) -> Grid:
    """One tiny pixel around a point."""
    size = 1e-9 * max(abs(x), abs(y), 1.0)
    return Grid(crs_wkt, Affine(size, 0, x - size / 2, 0, -size, y + size / 2), 1, 1)


def _legend_table(legend: Legend) -> NDArray[np.uint32]:
    return colours.classes_table({i: (*c.rgb, 255) for i, c in enumerate(legend.classes)})


def class_name(legend: Legend, class_id: int) -> str:
    """The class's name, its number where the legend has none."""
    return legend.names[class_id] if 0 <= class_id < len(legend.names) else str(class_id)


def _shares(word: str, values: dict[str, float] | None) -> list[tuple[str, str]]:
    """A stored confidence in words; none where there is none."""
    return [(word, f"{value / CONFIDENCE_STEPS:.0%}") for value in list((values or {}).values())[:1]]


def _difference(opened: Opened, grid: Grid) -> QImage | None:
    pictures: list[Picture] = [opened.picture, opened.other]
    pixels = [picture.read(grid, picture.bands[:1]) for picture in pictures]
    if pixels[0] is None or pixels[1] is None:
        return None
    (one, one_valid), (other, other_valid) = pixels[0], pixels[1]
    return colours.difference(one[0], other[0], one_valid & other_valid)


def _labelled(labels: Labels, grid: Grid, paint: Paint) -> QImage:
    ids = labels.read(grid)
    return paint(ids[None], ids != IGNORE)


def _cheap(labels: Any) -> bool:
    """Whether any part may be read at once: vectors, and rasters that are not large."""
    grid: Grid | None = getattr(labels, "grid", None)
    return grid is None or grid.width * grid.height <= _CHEAP_PX
