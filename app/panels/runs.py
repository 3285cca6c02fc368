"""The project's runs, newest first, and everything that can be done with one."""

from pathlib import Path

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QLabel,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionProgressBar,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.edits import Document, Keys
from app.history import PROGRESS, SHARE_ROLE, History
from app.launch import runs_of
from app.panels.run_bar import RunBar
from core.runs.run_state import RunSummary

Index = QModelIndex | QPersistentModelIndex

NAME_PX = 135


class RunsPanel(QWidget):
    """`chosen` carries the folder of the run to look at, `opened` that of a double click or Enter,
    or of the run that is at work as its project is opened.

    `bar` has the signals for what other panels do. `failed` carries a sentence.
    """

    chosen = Signal(object)
    opened = Signal(object)
    failed = Signal(str)

    def __init__(self, document: Document, history: History, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._history = document, history
        self.table = self._table()
        self.bar = RunBar(history, self)
        self.table.addActions(self.bar.actions())
        self.hint = QLabel(self.tr("No runs yet. Put the project together, then press Start."), self)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        self.hint.setProperty("role", "hint")
        layout = QVBoxLayout(self)
        layout.addWidget(self.bar)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.hint)
        self._stack.addWidget(self.table)
        layout.addLayout(self._stack, 1)
        self._kept: list[Path] = []
        history.modelAboutToBeReset.connect(self._keep)
        history.modelReset.connect(self._select_kept)
        history.listed.connect(self._refresh)
        for said in (history.failed, self.bar.failed):
            said.connect(self.failed)
        self._awaited: Path | None = None
        self._new_here = False
        document.renamed.connect(self._add_project)
        document.changed.connect(self._take_project)
        self._add_project()
        self._refresh()

    def selected(self) -> list[RunSummary]:
        """The selected runs, in the table's order."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self._history.rows[row] for row in rows]

    def select(self, *folders: Path) -> None:
        """Select these runs and no others."""
        selection = self.table.selectionModel()
        selection.clear()
        for row, run in enumerate(self._history.rows):
            if run.folder in folders:
                where = self._history.index(row, 0)
                selection.select(where, selection.SelectionFlag.Select | selection.SelectionFlag.Rows)
                selection.setCurrentIndex(where, selection.SelectionFlag.NoUpdate)

    def show_run(self, folder: Path) -> None:
        """Select this run alone, as soon as it is listed; until then none, as the actions are not for it."""
        self._awaited = folder.resolve()
        self.select(self._awaited)

    def _table(self) -> QTableView:
        table = QTableView(self)
        table.setModel(self._history)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setItemDelegateForColumn(PROGRESS, ProgressDelegate(table))
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setResizeContentsPrecision(0)  # to the rows in sight: a live run's changes ten times a second
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.setMinimumSectionSize(40)
        header.resizeSection(0, NAME_PX)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.setAccessibleName(self.tr("Runs"))
        table.setToolTip(self.tr("Select two runs to compare them; double-click one to look at it"))
        table.selectionModel().selectionChanged.connect(lambda *_: self._choose())
        table.activated.connect(self._open)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        return table

    def _add_project(self) -> None:
        """Saving elsewhere drops no run that is listed."""
        if runs := runs_of(self._document.project):
            self._history.add(runs)

    def _take_project(self, keys: Keys) -> None:
        """Another project is open: the runs of the last one have nothing to do with it."""
        if not keys:
            runs = runs_of(self._document.project)
            self._awaited, self._new_here = None, True
            self._history.show_runs_of([runs] if runs else [])

    def _keep(self) -> None:
        """Runs stay selected when one is added or taken away."""
        self._kept = [run.folder for run in self.selected()]

    def _select_kept(self) -> None:
        self.select(*self._kept)
        self.bar.show_runs(self.selected())

    def _refresh(self) -> None:
        self._stack.setCurrentIndex(bool(self._history.rows))
        if self._awaited is not None:
            self.select(self._awaited)
        elif self._new_here:
            self._go_back_to_work()
        self._new_here = False
        self.bar.show_runs(self.selected())

    def _go_back_to_work(self) -> None:
        """Runs go on without the window: look at the one at work, else at the first in the queue."""
        alive = [run for run in self._history.rows if run.state.alive]
        if alive:
            self.opened.emit(min(alive, key=lambda run: run.state.status == "queued").folder)

    def _choose(self) -> None:
        runs = self.selected()
        if runs:
            self._awaited = None
        self.bar.show_runs(runs)
        if len(runs) == 1:
            self.chosen.emit(runs[0].folder)

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self._history.rows[index.row()].folder)


class ProgressDelegate(QStyledItemDelegate):
    """Draws the share of the training that is done as a bar with its number."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        share = index.data(SHARE_ROLE)
        if share is None:
            super().paint(painter, option, index)
            return
        bar = QStyleOptionProgressBar()
        bar.initFrom(option.widget)
        bar.rect = option.rect.adjusted(3, 4, -3, -4)
        bar.minimum, bar.maximum, bar.progress = 0, 1000, round(1000 * share)
        bar.text, bar.textVisible, bar.textAlignment = f"{share:.0%}", True, Qt.AlignmentFlag.AlignCenter
        bar.state |= QStyle.StateFlag.State_Horizontal
        QApplication.style().drawControl(QStyle.ControlElement.CE_ProgressBar, bar, painter, option.widget)
