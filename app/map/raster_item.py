"""Draws a raster layer from what was read already: never reads, never waits."""

from PySide6.QtCore import QRect, QRectF, QSizeF
from PySide6.QtGui import QImage, QPainter, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.map.cache import TileCache
from app.map.frame import Frame, level_for, tiles_in
from app.map.layers import RasterLayer
from geo_io.preview import Tile

OVERALL = "overall"
_OLDER_LEVELS = 6


class RasterItem(QGraphicsItem):
    """A layer on the canvas. Where a tile is missing its children or a part of its parent stand in.

    `clip` is the part of the viewport that the layer may paint, None all of it.
    """

    def __init__(self, layer: RasterLayer, cache: TileCache) -> None:
        super().__init__()
        self.layer, self._cache = layer, cache
        self.clip: QRect | None = None
        self._bounds, self._to_scene = QRectF(), QTransform()

    def place(self, frame: Frame) -> None:
        """Take the place that the layer, now open, has on the canvas."""
        self.prepareGeometryChange()
        if self.layer.opened is not None:
            grid = self.layer.opened.view
            self._to_scene = frame.of_grid(grid)
            self._bounds = self._to_scene.mapRect(QRectF(0, 0, grid.width, grid.height))

    def boundingRect(self) -> QRectF:
        return self._bounds

    def paint(
        self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None
    ) -> None:
        opened = self.layer.opened
        if opened is None:
            return
        world = painter.worldTransform()
        shown = world.inverted()[0].mapRect(QRectF(painter.viewport()))
        if self.clip is not None:
            painter.resetTransform()
            painter.setClipRect(self.clip)
            shown = world.inverted()[0].mapRect(QRectF(self.clip))
        to_screen = self._to_scene * world
        painter.setTransform(to_screen)
        ratio = painter.device().devicePixelRatioF() if painter.device() else 1.0
        sharp = QTransform.fromScale(ratio, ratio)
        level = level_for(to_screen * sharp, opened.view, self.layer.fine_levels)
        for tile in tiles_in(shown & self._bounds, self._to_scene, opened.view, level):
            self._paint_tile(painter, tile)

    def _paint_tile(self, painter: QPainter, tile: Tile) -> None:
        image = self._image(tile)
        if image is not None:
            painter.drawImage(_area(tile), image)
            return
        children = [(child, self._image(child)) for child in _children(tile)]
        if all(shown is not None for _, shown in children):
            for child, shown in children:
                if shown is not None:
                    painter.drawImage(_area(child), shown)
            return
        self._paint_part(painter, tile)

    def _paint_part(self, painter: QPainter, tile: Tile) -> None:
        """The tile's part of its nearest ancestor there is, else of the image of the whole."""
        for older in range(1, _OLDER_LEVELS):
            parent = Tile(tile.level + older, tile.col >> older, tile.row >> older)
            image = self._image(parent)
            if image is not None:
                scale = 2.0**-parent.level
                corner = _area(tile).topLeft() - _area(parent).topLeft()
                painter.drawImage(
                    _area(tile), image, QRectF(corner * scale, QSizeF(tile.side, tile.side) * scale)
                )
                return
        self._paint_overall(painter, tile)

    def _paint_overall(self, painter: QPainter, tile: Tile) -> None:
        entry = self._cache.get(self.layer.key, OVERALL)
        opened = self.layer.opened
        if entry is None or entry[1] is None or opened is None:
            return
        image, view = entry[1], opened.view
        area = _area(tile) & QRectF(0, 0, view.width, view.height)
        by_x, by_y = image.width() / view.width, image.height() / view.height
        painter.drawImage(
            area, image, QRectF(area.x() * by_x, area.y() * by_y, area.width() * by_x, area.height() * by_y)
        )

    def _image(self, tile: Tile) -> QImage | None:
        entry = self._cache.get(self.layer.key, tile)
        return entry[1] if entry else None


def _area(tile: Tile) -> QRectF:
    return QRectF(tile.col * tile.side, tile.row * tile.side, tile.side, tile.side)


def _children(tile: Tile) -> list[Tile]:
    level, col, row = tile.level - 1, 2 * tile.col, 2 * tile.row
    return [Tile(level, col + right, row + down) for down in (0, 1) for right in (0, 1)]
