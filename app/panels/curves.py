"""Losses and label-free scores over the steps of a run, live or long over."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSlider,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.following import Follower
from app.series import Series
from core.card import Healthy
from core.judging.comparison import SIGNALS
from core.progress import Progress

if TYPE_CHECKING:  # pyqtgraph takes longer to load than the rest of the window: with the first curve
    from app.plot import Plot

Curves = Mapping[str, Sequence[tuple[int, float]]]
SCORE = "score: "


class CurvesPanel(QWidget):
    """Draws the run that `show_run` names, while it is visible. `set_healthy` marks bands of losses."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._follower: Follower | None = None
        self._healthy: dict[str, Healthy] = {}
        self._series: dict[str, Series] = {}
        self._plots: tuple[Plot, Plot] | None = None
        self.smoothing = QSlider(Qt.Orientation.Horizontal, self)
        self.smoothing.setMaximum(100)
        self.smoothing.setAccessibleName(self.tr("Smoothing"))
        self.smoothing.setToolTip(
            self.tr("A mean over up to a tenth of the steps; 0 shows what was measured")
        )
        self.smoothing.valueChanged.connect(self._redraw)
        self.log = QCheckBox(self.tr("&Logarithmic losses"), self)
        self.log.setAccessibleName(self.tr("Logarithmic losses"))
        self.log.setToolTip(self.tr("Equal ratios look equal: to see a small loss beside a large one"))
        self.log.toggled.connect(self._set_log)
        self.picks = QListWidget(self)
        self.picks.setAccessibleName(self.tr("Curves to show"))
        self.picks.setToolTip(self.tr("Untick a curve to hide it"))
        self.picks.setIconSize(QSize(36, 14))
        self.picks.setMaximumWidth(270)
        self.picks.itemChanged.connect(self._redraw)
        self.hint = QLabel(self.tr("Curves appear once the training has begun."), self)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setProperty("role", "hint")
        self._splitter = QSplitter(Qt.Orientation.Vertical, self)
        self._lay_out()

    @property
    def plots(self) -> "tuple[Plot, Plot]":
        """The plot of the losses and that of the scores, made when first needed."""
        if self._plots is None:
            from app.plot import Plot

            steps = self.tr("optimisation steps")
            losses = Plot(steps, self.tr("loss"), self.tr("Losses over the steps"), self)
            scores = Plot(steps, self.tr("score"), self.tr("Label-free scores over the steps"), self)
            self._plots = losses, scores
            for plot in self._plots:
                self._splitter.addWidget(plot)
            self._splitter.setSizes([300, 200])
        return self._plots

    def show_run(self, follower: Follower | None) -> None:
        """Draw this run from now on; None for none."""
        if self._follower is not None:
            self._follower.progressed.disconnect(self._take)
        self._follower = follower
        self._series.clear()
        self.picks.clear()
        if follower is not None:
            follower.progressed.connect(self._take)
        self._take()

    def set_healthy(self, bands: Mapping[str, Healthy]) -> None:
        """By loss, the values between which it should stay, as the method says."""
        self._healthy = dict(bands)
        self._take()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._take()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        label = QLabel(self.tr("S&moothing"), self)
        label.setBuddy(self.smoothing)
        row.addWidget(label)
        row.addWidget(self.smoothing)
        row.addWidget(self.log)
        row.addStretch()
        body = QHBoxLayout()
        body.addWidget(self._splitter, 1)
        body.addWidget(self.picks)
        layout = QVBoxLayout(self)
        layout.addLayout(row)
        layout.addWidget(self.hint)
        layout.addLayout(body, 1)

    def _take(self, _: object = None) -> None:
        """Copy what is new, and draw it if anybody can see it."""
        if not self.isVisible():
            return
        progress = self._follower.progress if self._follower else Progress()
        curves = progress.curves | {SCORE + name: curve for name, curve in progress.score_curves.items()}
        for name in self._series.keys() - curves.keys():
            del self._series[name]
        for name, curve in curves.items():
            if name not in self._series:
                self._series[name] = Series()
                self._offer(name)
            self._series[name].sync(curve)
        self.hint.setVisible(not curves)
        self.picks.setVisible(bool(curves))
        if curves or self._plots:
            self._mark(progress)
            self._redraw()

    def _offer(self, name: str) -> None:
        item = QListWidgetItem(_swatch(self.picks.count()), _title(name), self.picks)
        item.setData(Qt.ItemDataRole.UserRole, name)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(Qt.CheckState.Checked)

    def _mark(self, progress: Progress) -> None:
        starts, at = {}, 0
        for phase, steps in progress.phases:
            starts[phase], at = float(at), at + steps
        begun = {name: start for name, start in starts.items() if start <= progress.steps_done}
        for plot in self.plots:
            plot.set_phases(begun)
            plot.set_steps(progress.steps_total)
        self.plots[0].set_bands(band for name, band in self._healthy.items() if self._is_picked(name))

    def _is_picked(self, name: str) -> bool:
        items = (self.picks.item(row) for row in range(self.picks.count()))
        return any(
            item.data(Qt.ItemDataRole.UserRole) == name and item.checkState() == Qt.CheckState.Checked
            for item in items
        )

    def _redraw(self, _: object = None) -> None:
        losses, scores = self.plots
        scored = any(name.startswith(SCORE) for name in self._series)
        scores.setVisible(scored)
        for plot in self.plots:
            plot.keep(self._series)
        for row in range(self.picks.count()):
            name = self.picks.item(row).data(Qt.ItemDataRole.UserRole)
            plot = scores if name.startswith(SCORE) else losses
            if name in self._series:
                smoothing = 0.0 if plot is scores else self.smoothing.value() / 100
                plot.set_curve(name, *self._series[name].drawn(smoothing), number=row)
                plot.show_curve(name, self._is_picked(name))

    def _set_log(self, log: bool) -> None:
        self.plots[0].set_log(log)
        self._redraw()


def _title(name: str) -> str:
    return score_title(name.removeprefix(SCORE)) if name.startswith(SCORE) else name.replace("_", " ")


def score_title(name: str) -> str:
    """How the window calls a score of the journal."""
    return SIGNALS[name][0] if name in SIGNALS else name.replace("_", " ")


def _swatch(number: int) -> QIcon:
    """The line of a curve, as it is drawn."""
    from app.plot import line_pen, mark_of

    pixmap = QPixmap(36, 14)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = line_pen(number)
    painter.setPen(pen)
    painter.drawLine(1, 7, 35, 7)
    painter.translate(18, 7)
    painter.scale(9, 9)
    painter.fillPath(mark_of(number), pen.color())
    painter.end()
    return QIcon(pixmap)
