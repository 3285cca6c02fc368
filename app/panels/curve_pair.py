"""One curve of each of two runs in one plot: which, is chosen from a list of all that either has."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QGroupBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.following import Follower
from app.series import Series
from core.progress import Curves, Progress

if TYPE_CHECKING:  # pyqtgraph takes longer to load than the rest of the window: with the first curve
    from app.plot import Plot


class CurvePair(QGroupBox):
    """Draws what `curves_of` takes from the runs' progress, while visible; hidden while there is nothing.

    `title` says what the curves are of, `words` how one of them is called.
    """

    def __init__(
        self,
        title: str,
        label: str,
        curves_of: Callable[[Progress], Curves],
        words: Callable[[str], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(title, parent)
        self._curves_of, self._words = curves_of, words
        self._followers: list[Follower] = []
        self._series: dict[tuple[int, str], Series] = {}
        self.plot: Plot | None = None
        self.choice = QComboBox(self)
        self.choice.setAccessibleName(title)
        self.choice.setToolTip(self.tr("Both runs' curve of what is chosen here is drawn"))
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.choice.currentIndexChanged.connect(self._draw)
        row, self._column = QHBoxLayout(), QVBoxLayout(self)
        name = QLabel(label, self)
        name.setBuddy(self.choice)
        row.addWidget(name)
        row.addWidget(self.choice)
        row.addStretch()
        self._column.addLayout(row)
        self.hide()

    def follow(self, followers: Sequence[Follower]) -> None:
        """Draw these runs from now on, which for a run that ended arrive a little later than its files."""
        for follower in self._followers:
            follower.progressed.disconnect(self._take)
        self._followers = list(followers)
        self._series.clear()
        self.choice.clear()
        if self.plot:
            self.plot.keep(())
        for follower in self._followers:
            follower.progressed.connect(self._take)
        self._take()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw()

    def _take(self, _: object = None) -> None:
        for follower in self._followers:
            for name in self._curves_of(follower.progress):
                if self.choice.findData(name) < 0:
                    self.choice.addItem(self._words(name), name)
        self.setVisible(self.choice.count() > 0)
        self._draw()

    def _draw(self, _: object = None) -> None:
        if not (self._followers and self.isVisible()):
            return
        if self.plot is None:
            from app.plot import Plot

            self.plot = Plot(self.tr("optimisation steps"), "", self.title(), self)
            self.plot.setMinimumHeight(240)
            self.plot.show_legend()
            self._column.addWidget(self.plot)
        drawn, chosen = [], self.choice.currentData()
        for number, follower in enumerate(self._followers):
            curve = self._curves_of(follower.progress).get(chosen)
            if curve:
                series = self._series.setdefault((number, chosen), Series())
                series.sync(curve)
                drawn.append(follower.folder.name)
                self.plot.set_curve(follower.folder.name, *series.drawn(), number=number)
        self.plot.keep(drawn)
