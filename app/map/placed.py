"""A layer's place on a map, kept up to date."""

from PySide6.QtCore import QObject, Signal, Slot

from app.map.frame import Frame
from app.map.layers import Layer, RasterLayer
from app.map.outlines import OutlineItem
from app.map.raster_item import RasterItem


class Placed(QObject):
    """A layer, its item, and what the layer's changes mean to the map."""

    stale = Signal()
    """Something may have to be read."""
    reopen = Signal(object)

    def __init__(self, layer: Layer, item: OutlineItem | RasterItem, parent: QObject) -> None:
        super().__init__(parent)
        self.layer, self.item = layer, item
        self._frame: Frame | None = None
        layer.changed.connect(self._changed)
        if isinstance(layer, RasterLayer):
            layer.reopen.connect(self._reopen)
        self._show()

    def place(self, frame: Frame) -> None:
        """Put the item where the layer lies in `frame`."""
        self._frame = frame
        self.item.place(frame)

    def release(self) -> None:
        self.layer.changed.disconnect(self._changed)
        if isinstance(self.layer, RasterLayer):
            self.layer.reopen.disconnect(self._reopen)
        self.deleteLater()

    def _show(self) -> None:
        self.item.setVisible(self.layer.visible)
        self.item.setOpacity(self.layer.opacity)
        self.item.update()

    @Slot()
    def _changed(self) -> None:
        if self._frame is not None and isinstance(self.item, OutlineItem):
            self.item.place(self._frame)
        self._show()
        self.stale.emit()

    @Slot()
    def _reopen(self) -> None:
        self.reopen.emit(self)
