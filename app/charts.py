"""Bar charts and histograms in the window's colours."""

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.checks.findings import Histogram

ROW_PX, AXIS_PX, BAND_PX = 24, 44, 150


class Chart(QWidget):
    """A view of pyqtgraph that is drawn anew when the window's colours change."""

    def __init__(self, view: pg.GraphicsView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = view
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(view)

    def draw(self) -> None:
        """Draw what is held, in the window's colours."""
        raise NotImplementedError

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.draw()


class ClassBars(Chart):
    """One bar a class, its share written beside it: the colour is never all there is to see."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(pg.PlotWidget(), parent)
        self.bars: list[tuple[str, float, str]] = []
        _calm(self.view.getPlotItem())

    def show_shares(self, bars: Sequence[tuple[str, float, str]]) -> None:
        """(class name, share from 0 to 1, colour) from top to bottom."""
        self.bars = list(bars)
        self.setFixedHeight(AXIS_PX + ROW_PX * len(self.bars))
        self.draw()

    def draw(self) -> None:
        plot = self.view.getPlotItem()
        plot.clear()
        text = _dress(self.view, plot)
        if not self.bars:
            return
        names, shares, colors = zip(*self.bars, strict=True)
        rows, percent = np.arange(len(names)), 100 * np.array(shares)
        pens = [pg.mkPen(text, width=0.5)] * len(names)
        plot.addItem(
            pg.BarGraphItem(x0=0, y=rows, height=0.7, width=percent, brushes=list(colors), pens=pens)
        )
        for row, share in zip(rows, percent, strict=True):
            words = f"{share:.1f} %" if share >= 0.1 or share == 0 else f"{share:.2g} %"
            label = pg.TextItem(words, color=text, anchor=(0, 0.5))
            label.setPos(float(share), float(row))
            plot.addItem(label)
        plot.getAxis("left").setTicks([list(enumerate(names))])
        plot.setLabel("bottom", self.tr("share of the labelled pixels (%)"))
        plot.setYRange(-0.5, len(names) - 0.5, padding=0)
        plot.setXRange(0, max(percent.max() * 1.2, 1), padding=0)
        plot.invertY(True)


class BandHistograms(Chart):
    """How the pixel values of both places are spread, a plot a band: source solid, target dashed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(pg.GraphicsLayoutWidget(), parent)
        self.pairs: list[tuple[Histogram, Histogram]] = []

    def show_bands(self, source: Sequence[Histogram], target: Sequence[Histogram]) -> None:
        """The bands of both places, in the same order."""
        self.pairs = list(zip(source, target, strict=True))
        self.setFixedHeight(BAND_PX * ((len(self.pairs) + 1) // 2))
        self.draw()

    def draw(self) -> None:
        self.view.clear()
        for i, pair in enumerate(self.pairs):
            plot = self.view.addPlot(row=i // 2, col=i % 2)
            _calm(plot)
            text = _dress(self.view, plot)
            plot.setTitle(pair[0].band, color=text.name(), size="9pt")
            plot.hideAxis("left")
            for histogram, color, style in zip(pair, colors_of(self), LINES, strict=True):
                x, y = _density(histogram)
                fill = QColor(color)
                fill.setAlpha(50)
                pen = pg.mkPen(color, width=2, style=style)
                plot.addItem(pg.PlotCurveItem(x, y, stepMode="center", pen=pen, fillLevel=0, brush=fill))


LINES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine)


def colors_of(widget: QWidget) -> tuple[QColor, QColor]:
    """The colours of source and target: Okabe and Ito's blue and orange, lighter on a dark ground."""
    dark = widget.palette().color(QPalette.ColorRole.Base).lightness() < 128
    return (QColor("#56b4e9"), QColor("#e69f00")) if dark else (QColor("#0072b2"), QColor("#d55e00"))


def _density(histogram: Histogram) -> tuple[np.ndarray, np.ndarray]:
    """Bin edges, and shares by unit of value: places of other sizes and spreads are comparable."""
    edges = np.linspace(histogram.low, histogram.high, len(histogram.counts) + 1)
    width = max((histogram.high - histogram.low) / len(histogram.counts), np.finfo(float).tiny)
    counts = np.array(histogram.counts, float)
    return edges, counts / max(counts.sum(), 1) / width


def _calm(plot: pg.PlotItem) -> None:
    """A picture, not a tool: no dragging, no menu, no button."""
    plot.setMouseEnabled(x=False, y=False)
    plot.setMenuEnabled(False)
    plot.hideButtons()


def _dress(view: pg.GraphicsView, plot: pg.PlotItem) -> QColor:
    """Give a plot the window's colours; returns the text's."""
    palette = view.palette()
    text: QColor = palette.color(QPalette.ColorRole.Text)
    view.setBackground(palette.color(QPalette.ColorRole.Base))
    for name in ("left", "bottom"):
        axis = plot.getAxis(name)
        axis.setPen(text)
        axis.setTextPen(text)
    return text
