"""What a map shows of a raster, tile by tile, read on other threads."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from geo_io.blocks import Pixels
from geo_io.glance import GLANCE_PX, Glance
from geo_io.grid import Grid
from geo_io.positions import positions
from geo_io.preview import Picture, Tile

Read = Callable[[Tile], QImage | None]
Paint = Callable[[NDArray[Any], NDArray[np.bool_]], QImage]
"""(c, h, w) values and (h, w) validity to an image."""
Ask = Callable[[float, float, str | None], list[tuple[str, str]]]
"""A point and its CRS to pairs of what and its value in words."""


_numbers = itertools.count(1)


class Layer(QObject):
    """Something on a map, with a name, shown or not, more or less opaque. `key` is its own for good."""

    changed = Signal()

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.name, self.key = name, next(_numbers)
        self._visible, self._opacity = True, 1.0

    @property
    def visible(self) -> bool:
        return self._visible

    def set_visible(self, visible: bool) -> None:
        if visible != self._visible:
            self._visible = visible
            self.changed.emit()

    @property
    def opacity(self) -> float:
        """0 to 1."""
        return self._opacity

    def set_opacity(self, opacity: float) -> None:
        if opacity != self._opacity:
            self._opacity = opacity
            self.changed.emit()


@dataclass(frozen=True)
class Opened:
    """A raster layer's file, opened on another thread for a map in the CRS of `view`."""

    picture: Picture
    view: Grid
    glance: Glance
    other: Any = None

    @property
    def overall(self) -> Grid:
        """The view in at most 256 pixels: that of the image shown wherever no tile is there yet."""
        step = max(1.0, max(self.view.width, self.view.height) / GLANCE_PX)
        width, height = (max(1, round(side / step)) for side in (self.view.width, self.view.height))
        scale = Affine.scale(self.view.width / width, self.view.height / height)
        return Grid(self.view.crs_wkt, self.view.transform @ scale, width, height)


class RasterLayer(Layer):
    """A layer read tile by tile: its readers are made on the window's thread and called on others.

    `revision` grows when what was read no longer is what should be shown. `opened` is None until the file
    is open; `problem` says why it cannot be. `reopen` asks the map to open it again.
    """

    reopen = Signal()
    kind: Literal["average", "mode"] = "average"
    fine_levels = 0
    """How many levels of tiles finer than the raster's own pixels are of use."""

    def __init__(self, path: Path, name: str = "", parent: QObject | None = None) -> None:
        super().__init__(name or Path(path).stem, parent)
        self.path = Path(path)
        self.revision, self.problem = 0, ""
        self.opened: Opened | None = None
        self._picture: Picture | None = None

    @property
    def needs_overviews(self) -> bool:
        """Whether it can only be glanced at when seen whole."""
        return self.opened is not None and self.opened.picture.needs_overviews

    def opener(self, crs_wkt: str | None) -> Callable[[], Opened]:
        """Opens the file for a map in `crs_wkt`. What it returns raises BadInput."""
        known, bands, path = self._picture, self._bands, self.path

        def open_it() -> Opened:
            picture = known or Picture(path)
            return Opened(picture, picture.view(crs_wkt), picture.glance(bands(picture)))

        return open_it

    def take(self, opened: Opened) -> None:
        """What the opener returned."""
        self._picture, self.opened, self.problem = opened.picture, opened, ""
        self.restyle()

    def refuse(self, problem: str) -> None:
        """The file cannot be shown, for a reason in words."""
        self.problem = problem
        self.changed.emit()

    def reload(self) -> None:
        """The file was written anew, or got overviews: read it again, showing the old until then."""
        self._picture, self.problem = None, ""
        self.reopen.emit()

    def restyle(self) -> None:
        """Colours changed: what was read must be coloured again."""
        self.revision += 1
        self.changed.emit()

    def reader(self) -> Read:
        """Reads one tile as it should look now: None where only the overall image can be shown."""
        opened, paint = self._now(), self._paint()
        bands = self._bands(opened.picture)

        def read(tile: Tile) -> QImage | None:
            pixels = opened.picture.read_tile(opened.view, tile, bands)
            return None if pixels is None else paint(*pixels)

        return read

    def overall(self) -> Callable[[], QImage]:
        """Makes the image on `opened.overall`, from the glance alone."""
        opened, paint = self._now(), self._paint()
        return lambda: paint(*_onto(opened))

    def asker(self) -> Ask:
        """Tells what the file holds under a point."""
        picture = self._now().picture
        return lambda x, y, crs_wkt: self._told(picture.values_at(x, y, crs_wkt) or {})

    def _now(self) -> Opened:
        assert self.opened is not None
        return self.opened

    def _bands(self, picture: Picture) -> Sequence[str]:
        return picture.bands[:1]

    def _paint(self) -> Paint:
        raise NotImplementedError

    def _told(self, values: dict[str, float]) -> list[tuple[str, str]]:
        return [(band, f"{value:.6g}") for band, value in values.items()]


def _onto(opened: Opened) -> Pixels:
    """The glance on the overall grid."""
    patch, grid = opened.glance.patch, opened.overall
    rows, cols = (np.where(np.isfinite(x), np.floor(x), -1).astype(int) for x in positions(grid, patch.grid))
    height, width = patch.valid.shape
    inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
    place = np.clip(rows, 0, height - 1), np.clip(cols, 0, width - 1)
    return patch.values[(slice(None), *place)], patch.valid[place] & inside
