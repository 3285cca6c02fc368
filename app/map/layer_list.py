"""The layers of a map as a list: shown or not, in which order, and how the chosen one looks."""

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QBrush, QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.map.class_layers import ClassLayer, ConfidenceLayer, DifferenceLayer
from app.map.colours import CHANGED, ramp_color
from app.map.image_layer import ImageLayer
from app.map.layer_look import LayerLook
from app.map.layers import Layer, RasterLayer
from app.map.outlines import OutlineLayer
from app.map.view import MapView

_SWATCH = QSize(18, 14)


class LayerList(QWidget):
    """The layers of one map, the topmost first. Space shows and hides, Ctrl+Up and Ctrl+Down move.

    `chosen` carries the layer selected, None for none.
    """

    chosen = Signal(object)

    def __init__(self, view: MapView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view, self._filling = view, False
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("Layers, the topmost first"))
        self.list.setIconSize(_SWATCH)
        self.empty = QLabel(self.tr("No layers yet. Add imagery, and it is listed here."), self)
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.opacity = QSlider(Qt.Orientation.Horizontal, self)
        self.opacity.setRange(0, 100)
        self.opacity.setAccessibleName(self.tr("Opacity of the chosen layer, per cent"))
        self.up = self._mover(Qt.ArrowType.UpArrow, self.tr("Move the layer up"), "Ctrl+Up")
        self.down = self._mover(Qt.ArrowType.DownArrow, self.tr("Move the layer down"), "Ctrl+Down")
        self.look = LayerLook(view, self)
        self._arrange()
        self.list.itemChanged.connect(self._checked)
        self.list.currentRowChanged.connect(self._choose)
        self.opacity.valueChanged.connect(self._fade)
        self.up.clicked.connect(self._raise)
        self.down.clicked.connect(self._lower)
        view.layers_changed.connect(self.fill)
        view.layer_opened.connect(self._on_opened)
        view.failed.connect(self._on_opened)
        self.fill()

    @property
    def layer(self) -> Layer | None:
        """The one chosen."""
        row = self.list.currentRow()
        layers = self._topmost_first()
        return layers[row] if 0 <= row < len(layers) else None

    def choose(self, layer: Layer) -> None:
        self.list.setCurrentRow(self._topmost_first().index(layer))

    @Slot()
    def fill(self) -> None:
        """List the map's layers as they are now, the same one staying chosen."""
        kept = self.list.currentItem().data(Qt.ItemDataRole.UserRole) if self.list.currentItem() else 0
        self._filling = True
        self.list.clear()
        for layer in self._topmost_first():
            self.list.addItem(_row(layer))
            if layer.key == kept:
                self.list.setCurrentRow(self.list.count() - 1)
        self._filling = False
        if self.list.currentRow() < 0 and self.list.count():
            self.list.setCurrentRow(0)
        self._choose()

    def _mover(self, arrow: Qt.ArrowType, text: str, keys: str) -> QToolButton:
        button = QToolButton(self)
        button.setArrowType(arrow)
        button.setToolTip(f"{text} ({keys})")
        button.setAccessibleName(text)
        button.setShortcut(keys)
        return button

    def _arrange(self) -> None:
        label = QLabel(self.tr("&Opacity"), self)
        label.setBuddy(self.opacity)
        self._controls = QWidget(self)
        row = QHBoxLayout(self._controls)
        row.setContentsMargins(0, 0, 0, 0)
        for widget, stretch in ((label, 0), (self.opacity, 1), (self.up, 0), (self.down, 0)):
            row.addWidget(widget, stretch)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.empty)
        column.addWidget(self.list, 1)
        column.addWidget(self._controls)
        column.addWidget(self.look)

    def _topmost_first(self) -> list[Layer]:
        return self._view.layers[::-1]

    @Slot(QListWidgetItem)
    def _checked(self, item: QListWidgetItem) -> None:
        if not self._filling:
            layer = self._topmost_first()[self.list.row(item)]
            layer.set_visible(item.checkState() is Qt.CheckState.Checked)

    @Slot()
    def _choose(self, _row: int = 0) -> None:
        if self._filling:
            return
        layer, layers = self.layer, self._topmost_first()
        self.empty.setVisible(not layers)
        self.list.setVisible(bool(layers))
        self._controls.setVisible(bool(layers))
        self.opacity.setEnabled(layer is not None)
        self.up.setEnabled(layer is not None and layer is not layers[0])
        self.down.setEnabled(layer is not None and layer is not layers[-1])
        if layer is not None:
            self.opacity.setValue(round(100 * layer.opacity))
        self._tell_opacity()
        self.look.show_layer(layer)
        self.chosen.emit(layer)

    @Slot(int)
    def _fade(self, per_cent: int) -> None:
        if self.layer is not None:
            self.layer.set_opacity(per_cent / 100)
        self._tell_opacity()

    def _tell_opacity(self) -> None:
        self.opacity.setToolTip(self.tr("Opacity: {} %").format(self.opacity.value()))

    @Slot()
    def _raise(self) -> None:
        self._move(1)

    @Slot()
    def _lower(self) -> None:
        self._move(-1)

    def _move(self, by: int) -> None:
        layer = self.layer
        if layer is not None:
            self._view.move_layer(layer, self._view.layers.index(layer) + by)

    @Slot(object)
    def _on_opened(self, _layer: Layer, _problem: str = "") -> None:
        self.fill()


def _row(layer: Layer) -> QListWidgetItem:
    item = QListWidgetItem(_swatch(layer), layer.name)
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
    item.setCheckState(Qt.CheckState.Checked if layer.visible else Qt.CheckState.Unchecked)
    item.setData(Qt.ItemDataRole.UserRole, layer.key)
    problem = layer.problem if isinstance(layer, RasterLayer) else ""
    item.setToolTip(problem or (str(layer.path) if isinstance(layer, RasterLayer) else layer.name))
    if problem:
        item.setText(f"⚠ {layer.name}")
    return item


def _swatch(layer: Layer) -> QIcon:
    """What kind of layer it is, in a few pixels."""
    pixmap = QPixmap(_SWATCH)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    colors = _colors(layer)
    for i, color in enumerate(colors):
        left, right = (round(n * _SWATCH.width() / len(colors)) for n in (i, i + 1))
        painter.fillRect(left, 0, right - left, _SWATCH.height(), QBrush(color))
    if isinstance(layer, OutlineLayer):
        painter.setPen(layer.color)
        painter.drawRect(1, 1, _SWATCH.width() - 3, _SWATCH.height() - 3)
    painter.end()
    return QIcon(pixmap)


def _colors(layer: Layer) -> list[QColor]:
    if isinstance(layer, ClassLayer):
        return [QColor(c.color) for c in layer.legend.classes[:6]]
    if isinstance(layer, ConfidenceLayer):
        return [QColor(*ramp_color(share)) for share in (0, 0.25, 0.5, 0.75, 1)]
    if isinstance(layer, DifferenceLayer):
        return [QColor(*CHANGED), QColor("white")] * 3
    if isinstance(layer, ImageLayer):
        return [QColor("#c23b3b"), QColor("#3a9a4a"), QColor("#3f6fc4")]
    return []
