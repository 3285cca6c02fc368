"""Small tables of figures: as tall as their rows, read by row, copied as text."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QKeyEvent, QKeySequence, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from app.run_words import tr
from core.judging.comparison import LEAST, Row


class FigureTable(QTableWidget):
    """Rows of texts under `headers`; the first column names the row, figures stand right."""

    def __init__(self, headers: Sequence[str], name: str, parent: QWidget | None = None) -> None:
        super().__init__(0, len(headers), parent)
        self.setHorizontalHeaderLabels(list(headers))
        self.setAccessibleName(name)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        if first := self.horizontalHeaderItem(0):
            first.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._fit()

    def show_rows(
        self, rows: Sequence[Sequence[str]], tips: Sequence[str] = (), colors: Sequence[str] = ()
    ) -> None:
        """Show these instead; `tips` and swatches of `colors` by row, where given."""
        self.setRowCount(len(rows))
        for r, row in enumerate(rows):
            for c, text in enumerate(row):
                item = QTableWidgetItem(text)
                side = Qt.AlignmentFlag.AlignLeft if c == 0 else Qt.AlignmentFlag.AlignRight
                item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
                item.setToolTip(tips[r] if tips else text)
                if c == 0 and colors:
                    item.setIcon(swatch(colors[r]))
                self.setItem(r, c, item)
        self._fit()

    def share_width(self) -> None:
        """All columns equally wide, long texts cut: for texts rather than figures."""
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)

    def texts(self) -> list[list[str]]:
        """What is shown, row by row."""
        return [[self._text(r, c) for c in range(self.columnCount())] for r in range(self.rowCount())]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            heads = (self.horizontalHeaderItem(c) for c in range(self.columnCount()))
            lines = [[head.text() if head else "" for head in heads], *self.texts()]
            QGuiApplication.clipboard().setText("\n".join("\t".join(line) for line in lines))
        else:
            super().keyPressEvent(event)

    def _text(self, row: int, column: int) -> str:
        item = self.item(row, column)
        return item.text() if item else ""

    def _fit(self) -> None:
        rows = sum(self.rowHeight(r) for r in range(self.rowCount()))
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows + 2 * self.frameWidth() + 2)


def swatch(color: str) -> QIcon:
    pixmap = QPixmap(14, 14)
    pixmap.fill(QColor(color))
    return QIcon(pixmap)


def figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def change_text(row: Row) -> str:
    """An arrow for the direction and a word for what it means, so that colour is not needed."""
    if row.change is None:
        return "–"
    if abs(row.change) < LEAST:
        return tr("no change")
    arrow = "▲" if row.change > 0 else "▼"
    word = {True: tr("better"), False: tr("worse"), None: ""}[row.helped]
    return f"{arrow} {abs(row.change):.3f} {word}".rstrip()


def row_texts(row: Row) -> list[str]:
    return [row.name, figure(row.before), figure(row.after), change_text(row)]
