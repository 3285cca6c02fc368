"""How large things on the map are, and where the pointer is."""

from math import floor, log10

from PySide6.QtCore import QLocale, QPointF, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from app.map.frame import MapPoint
from app.map.view import MapView

_LONGEST_PX, _HEIGHT_PX = 150, 34


class ScaleBar(QWidget):
    """A round length on the ground, in the lower left corner of a map."""

    def __init__(self, view: MapView) -> None:
        super().__init__(view)
        self.length_m, self.length_px = 0.0, 0.0
        self._view = view
        self.setAccessibleName(self.tr("Scale bar"))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.resize(self.sizeHint())
        view.view_changed.connect(self.settle)
        self.settle()

    def sizeHint(self) -> QSize:
        return QSize(_LONGEST_PX + 24, _HEIGHT_PX)

    @property
    def text(self) -> str:
        """Its length in words."""
        return in_metres(self.length_m)

    @Slot()
    def settle(self) -> None:
        """Take the map's present scale, and its corner."""
        metres_per_px = self._view.metres_per_px
        self.length_m = _round_length(metres_per_px * _LONGEST_PX)
        self.length_px = self.length_m / metres_per_px
        self.move(8, self._view.height() - self.height() - 8)
        self.setVisible(self._view.frame_of_map is not None)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 150))
        painter.drawRoundedRect(QRectF(0, 0, self.length_px + 20, self.height()), 4, 4)
        painter.setPen(QPen(QColor("white"), 2))
        left, right, y = 10.0, 10 + self.length_px, self.height() - 9.0
        ends = [QPointF(left, y - 5), QPointF(left, y), QPointF(right, y), QPointF(right, y - 5)]
        painter.drawPolyline(ends)
        painter.drawText(QRectF(left, 2, self.length_px, y - 6), Qt.AlignmentFlag.AlignCenter, self.text)


class Readout(QWidget):
    """Coordinates under the pointer in map units and degrees, and the ground that one screen pixel covers."""

    def __init__(self, view: MapView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self.place, self.pixel = QLabel(self), QLabel(self)
        self.place.setAccessibleName(self.tr("Coordinates under the pointer"))
        self.pixel.setAccessibleName(self.tr("Ground covered by one pixel of the screen"))
        self.pixel.setToolTip(self.tr("Metres on the ground that one pixel of the screen covers"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        for label in (self.place, self.pixel):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
            row.addWidget(label)
        row.addStretch(1)
        view.pointed.connect(self.point)
        view.view_changed.connect(self._scale)

    @Slot(object)
    def point(self, at: MapPoint | None) -> None:
        """Show a place; nothing when the pointer is off the map."""
        self.place.setText("" if at is None else self._words(at))

    @Slot()
    def _scale(self) -> None:
        self.pixel.setText(self.tr("1 px = {}").format(in_metres(self._view.metres_per_px)))

    def _words(self, at: MapPoint) -> str:
        place = in_map_units(at, 1)
        return place if at.lat is None or at.lon is None else f"{place}   {in_degrees(at.lat, at.lon)}"


def in_metres(length_m: float) -> str:
    """A length with three digits, in the unit that suits it."""
    for unit, size_m in (("km", 1000.0), ("m", 1.0), ("cm", 0.01)):
        if length_m >= size_m:
            return f"{QLocale.c().toString(float(f'{length_m / size_m:.3g}'), 'g', 6)} {unit}"
    return f"{length_m * 1000:.3g} mm"


def in_map_units(at: MapPoint, digits: int) -> str:
    """Coordinates with so many digits; six, about 0.1 m, where they are degrees."""
    if at.lat is not None and abs(at.x) <= 360 and abs(at.y) <= 90:
        digits = 6
    return f"{at.x:.{digits}f}, {at.y:.{digits}f}"


def in_degrees(lat: float, lon: float) -> str:
    """Latitude and longitude as people write them."""
    return f"{abs(lat):.6f}° {'N' if lat >= 0 else 'S'}, {abs(lon):.6f}° {'E' if lon >= 0 else 'W'}"


def _round_length(longest_m: float) -> float:
    """The longest of 1, 2 and 5 times a power of ten that is not longer."""
    power = 10.0 ** floor(log10(max(longest_m, 1e-9)))
    return power * next(step for step in (5, 2, 1) if power * step <= longest_m * (1 + 1e-9))
