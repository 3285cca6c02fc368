"""What is done to maps on their way out: small areas, single pixels, jagged edges."""

from collections.abc import Sequence

from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QWidget,
)

from core.delivery.parts import Part

MOST_M2, MOST_M = 1e7, 1000.0
WINDOWS_PX = (0, 3, 5, 7, 9, 11, 15, 21, 31)
M2_PER_HA = 10_000


class CleaningBox(QGroupBox):
    """Options of `isthmus export`, each enabled where a part that is to be made shows it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("Cleaning"))
        none = self.tr("none")
        self.least = QDoubleSpinBox(self, maximum=MOST_M2, decimals=1, singleStep=100, suffix=" m²")
        self.least.setSpecialValueText(none)
        self.least.setAccessibleName(self.tr("Smallest area, in square metres"))
        self.least.setToolTip(
            self.tr(
                "The minimum mapping unit: smaller areas fall to their largest neighbour. 1 ha is 10 000 m²"
            )
        )
        self.hectares = QLabel(self)
        self.hectares.setAccessibleName(self.tr("Smallest area, in hectares"))
        self.majority = QComboBox(self)
        for side in WINDOWS_PX:
            self.majority.addItem(self.tr("{0} x {0} pixels").format(side) if side else none, side)
        self.majority.setAccessibleName(self.tr("Window of the majority filter"))
        self.majority.setToolTip(self.tr("Each pixel takes the class that most of the window around it has"))
        self.simplify = QDoubleSpinBox(self, maximum=MOST_M, decimals=2, singleStep=0.5, suffix=" m")
        self.simplify.setSpecialValueText(none)
        self.simplify.setAccessibleName(self.tr("Simplify outlines by, in metres"))
        self.simplify.setToolTip(
            self.tr("Polygons: corners this close to a straight line go; neighbours still share their edges")
        )
        self._lay_out()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.least.valueChanged.connect(self._say_hectares)
        self._say_hectares(0.0)

    def set_parts(self, parts: Sequence[Part]) -> None:
        """Enable what shows in these parts."""
        polygons = "polygons" in parts
        for widget in (self.least, self.hectares, self.majority):
            widget.setEnabled(polygons or "class" in parts)
        self.simplify.setEnabled(polygons)

    def words(self) -> list[str]:
        """The options for the command line, those alone that are enabled and do something."""
        values = {
            "--least-m2": (self.least, self.least.value()),
            "--majority-px": (self.majority, self.majority.currentData()),
            "--simplify-m": (self.simplify, self.simplify.value()),
        }
        chosen = {name: value for name, (widget, value) in values.items() if widget.isEnabled() and value}
        return [word for name, value in chosen.items() for word in (name, str(value))]

    def _lay_out(self) -> None:
        area = QHBoxLayout()
        area.addWidget(self.least)
        area.addWidget(self.hectares)
        label = QLabel(self.tr("Smallest &area"), self)
        label.setBuddy(self.least)
        form = QFormLayout(self, fieldGrowthPolicy=QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        form.addRow(label, area)
        form.addRow(self.tr("Ma&jority of"), self.majority)
        form.addRow(self.tr("S&implify by"), self.simplify)

    def _say_hectares(self, area_m2: float) -> None:
        self.hectares.setText(self.tr("= {0} ha").format(f"{area_m2 / M2_PER_HA:.6g}") if area_m2 else "")
