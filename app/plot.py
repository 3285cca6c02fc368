"""A plot of curves over optimisation steps, with their phases and a marked band, in the palette's colours."""

from collections.abc import Iterable, Mapping

import numpy as np
import pyqtgraph as pg
from pyqtgraph.graphicsItems.ScatterPlotItem import Symbols
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QPainterPath, QPalette, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.series import Floats
from core.card import Healthy

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c8c8c")
"""Okabe and Ito's (2008), told apart with any colour vision, and visible on white and on near-black."""
SYMBOLS = ("o", "s", "t", "d", "+")
"""Marks tell curves apart without colour. Dashes would too, but Qt takes seconds to draw long ones."""
MARKS, FEW = 10, 500
WIDTH_PX, MARK_PX = 1.6, 8


def line_pen(number: int, thin: bool = False) -> QPen:
    """The line of the curve with that number; a thin one is drawn far faster."""
    pen = QPen(QColor(COLORS[number % len(COLORS)]), 1.0 if thin else WIDTH_PX)
    pen.setCosmetic(True)
    return pen


def mark_of(number: int) -> QPainterPath:
    """The mark of the curve with that number, one unit wide about the origin."""
    path: QPainterPath = Symbols[SYMBOLS[number % len(SYMBOLS)]]
    return path


class Plot(QWidget):
    """Curves by name, set as often as they grow. Axes are named `x` and `y`."""

    def __init__(self, x: str, y: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._widget = pg.PlotWidget(self)
        self._widget.setAccessibleName(name)
        self._widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._item = self._widget.getPlotItem()
        self._item.setLabel("bottom", x)
        self._item.setLabel("left", y)
        self._item.showGrid(x=True, y=True, alpha=0.15)
        self._item.hideButtons()
        self._lines: dict[str, pg.PlotDataItem] = {}
        self._symbols: dict[str, pg.PlotDataItem] = {}
        self._marks: list[pg.InfiniteLine | pg.LinearRegionItem] = []
        self._phases: dict[str, float] = {}
        self._bands: list[Healthy] = []
        self._log, self._total = False, 0
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._widget)
        self._paint()

    @property
    def lines(self) -> dict[str, tuple[Floats, Floats]]:
        """What is drawn, by name, as it was given; the hidden ones left out."""
        shown = {name: line for name, line in self._lines.items() if line.isVisible()}
        return {name: (line.xData, line.yData) for name, line in shown.items() if line.xData is not None}

    @property
    def labels(self) -> list[str]:
        """What is written into the plot: phases and bands."""
        return [*self._phases, *(band.label for band in self._bands)]

    def set_steps(self, total: int) -> None:
        """Show from the first to the last step that there will be."""
        if total and total != self._total:
            self._total = total
            self._item.setXRange(0, total, padding=0.02)

    def show_legend(self) -> None:
        """Write the curves' names into the plot, where no list beside it does."""
        self._legend = self._item.addLegend(offset=(-10, 10), labelTextColor=self._text_color())

    def set_curve(self, name: str, steps: Floats, values: Floats, number: int) -> None:
        if name not in self._lines:
            color = COLORS[number % len(COLORS)]
            look = {"symbol": SYMBOLS[number % len(SYMBOLS)], "symbolBrush": color, "symbolPen": None}
            self._lines[name] = self._item.plot(pen=line_pen(number))
            self._symbols[name] = self._item.plot(pen=None, symbolSize=MARK_PX, name=name, **look)
        known = np.where(values > 0, values, np.nan) if self._log else values
        self._lines[name].setData(steps, known, connect="finite")
        self._lines[name].setPen(line_pen(number, thin=len(steps) > FEW))
        marked = np.linspace(0, len(steps) - 1, min(MARKS, len(steps))).astype(int)
        self._symbols[name].setData(steps[marked], known[marked])

    def show_curve(self, name: str, shown: bool) -> None:
        if name in self._lines:
            self._lines[name].setVisible(shown)
            self._symbols[name].setVisible(shown)

    def keep(self, names: Iterable[str]) -> None:
        """Take away the curves with other names."""
        for name in self._lines.keys() - set(names):
            self._item.removeItem(self._lines.pop(name))
            self._item.removeItem(self._symbols.pop(name))

    def set_log(self, log: bool) -> None:
        """A logarithmic axis of values; what is not positive is left out."""
        self._log = log
        self._item.setLogMode(y=log)
        self._mark()

    def set_phases(self, starts: Mapping[str, float]) -> None:
        """Mark where each phase begins."""
        if starts != self._phases:
            self._phases = dict(starts)
            self._mark()

    def set_bands(self, bands: Iterable[Healthy]) -> None:
        """Mark ranges in which a value is healthy."""
        wanted = list(bands)
        if wanted != self._bands:
            self._bands = wanted
            self._mark()

    def _mark(self) -> None:
        for mark in self._marks:
            self._item.removeItem(mark)
        self._marks = [self._phase_line(name, at) for name, at in self._phases.items()]
        self._marks += [self._region(band) for band in self._bands]
        for mark in self._marks:
            self._item.addItem(mark, ignoreBounds=True)

    def _phase_line(self, name: str, at: float) -> pg.InfiniteLine:
        color = self._text_color()
        pen = pg.mkPen(color, style=Qt.PenStyle.DotLine)
        options = {"position": 0.93, "color": color, "anchors": [(0, 0.5), (0, 0.5)]}
        return pg.InfiniteLine(at, angle=90, pen=pen, label=name, labelOpts=options)

    def _region(self, band: Healthy) -> pg.LinearRegionItem:
        ends = [band.low, band.high]
        if self._log:
            ends = list(np.log10(np.maximum(ends, 1e-6)))
        color = QColor(COLORS[2])
        color.setAlpha(45)
        region = pg.LinearRegionItem(
            ends, orientation="horizontal", movable=False, brush=color, pen=pg.mkPen(COLORS[2], width=1)
        )
        pg.InfLineLabel(
            region.lines[0], band.label, position=0.02, anchors=[(0, 0), (0, 0)], color=self._text_color()
        )
        region.setZValue(-10)
        return region

    def _text_color(self) -> QColor:
        return self.palette().color(QPalette.ColorRole.Text)

    def _paint(self) -> None:
        self._widget.setBackground(self.palette().color(QPalette.ColorRole.Base))
        for side in ("left", "bottom"):
            axis = self._item.getAxis(side)
            axis.setPen(self._text_color())
            axis.setTextPen(self._text_color())
        self._mark()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._paint()
        super().changeEvent(event)
