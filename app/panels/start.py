"""The start page: the sample, a new project, a file, or one of those opened lately."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.background import DISKS, Background
from app.dropping import dropped_paths
from app.panels.command_link import CommandLink
from app.panels.sample_card import SampleCard
from app.recent import forget, recent_projects

JOB_SUFFIXES = (".yaml", ".yml")
_PATH, _THERE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1


class StartPanel(QWidget):
    """What an empty window shows. `open_requested` carries a job file, the sample's once it is drawn."""

    open_requested = Signal(Path)
    new_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._background = Background(self, DISKS)
        self.setAcceptDrops(True)
        self._build()
        self.refresh()

    def refresh(self) -> None:
        """Show the projects opened lately as they are now."""
        self.recent.clear()
        for path in recent_projects():
            self.recent.addItem(_item(path))
            self._background.run(path.is_file, partial(self._mark, path), partial(self._miss, path), path)
        self.recent.setVisible(self.recent.count() > 0)
        self.no_recent.setVisible(self.recent.count() == 0)
        self._enable_removal()

    def remove_selected(self) -> None:
        """Take the selected project off the list; its file stays."""
        for item in self.recent.selectedItems():
            forget(Path(item.data(_PATH)))
        self.refresh()

    def choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, self.tr("Open a project"), "", self.tr("Projects (*.yaml *.yml);;All files (*)")
        )
        if path:
            self.open_requested.emit(Path(path))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _jobs(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        jobs = _jobs(event)
        if jobs:
            event.acceptProposedAction()
            self.open_requested.emit(jobs[0])

    def _open_item(self, item: QListWidgetItem) -> None:
        if item.data(_THERE):
            self.open_requested.emit(Path(item.data(_PATH)))

    def _enable_removal(self) -> None:
        self.remove.setVisible(self.recent.count() > 0)
        self.remove.setEnabled(bool(self.recent.selectedItems()))

    def _miss(self, path: Path, _sentence: str) -> None:
        self._mark(path, False)

    def _mark(self, path: Path, there: bool) -> None:
        """What is listed is taken to be there until its disk says that it is not."""
        for item in (self.recent.item(row) for row in range(self.recent.count())):
            if item.data(_PATH) == str(path) and not there:
                name = self.tr("{0} (not found)").format(_name(path))
                item.setText(f"{name}\n{path.parent}")
                item.setData(_THERE, False)
                item.setToolTip(self.tr("{} is not there now").format(path))
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{name}, {path}")
                item.setForeground(self.palette().placeholderText())

    def _build(self) -> None:
        title, hint = QLabel("Isthmus"), QLabel(self.tr("From a mapped place to one without a single label."))
        title.setProperty("role", "title")
        hint.setProperty("role", "hint")
        columns = QHBoxLayout()
        columns.setSpacing(40)
        columns.addLayout(self._build_actions(), 1)
        columns.addLayout(self._build_recent(), 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(48, 40, 48, 40)
        outer.addWidget(title)
        outer.addWidget(hint)
        outer.addSpacing(24)
        outer.addLayout(columns, 1)

    def _build_actions(self) -> QVBoxLayout:
        self.sample = SampleCard()
        self.sample.ready.connect(self.open_requested)
        self.new = CommandLink(
            self.tr("&New project"), self.tr("Bring a place with labels, and the places to be mapped")
        )
        self.open = CommandLink(
            self.tr("&Open..."), self.tr("A job file (.yaml), made here or for the command line")
        )
        self.new.clicked.connect(lambda _: self.new_requested.emit())
        self.open.clicked.connect(lambda _: self.choose_file())
        column = QVBoxLayout()
        column.setSpacing(8)
        for widget in (self.sample, self.new, self.open):
            column.addWidget(widget)
        column.addStretch(1)
        return column

    def _build_recent(self) -> QVBoxLayout:
        head = QLabel(self.tr("Opened lately"))
        head.setProperty("role", "heading")
        self.recent = _Recent()
        self.recent.setSpacing(4)
        self.recent.setAccessibleName(self.tr("Projects opened lately"))
        self.recent.setToolTip(self.tr("Enter opens a project, Delete takes it off this list"))
        self.recent.itemActivated.connect(self._open_item)
        self.recent.itemSelectionChanged.connect(self._enable_removal)
        self.recent.removed.connect(self.remove_selected)
        empty = self.tr("Nothing yet. Projects that you open are listed here; drop a job file to open it.")
        self.no_recent = QLabel(empty, wordWrap=True)
        self.no_recent.setProperty("role", "hint")
        self.remove = QPushButton(self.tr("&Remove from the list"))
        self.remove.setToolTip(self.tr("Forget the selected project; its files stay where they are"))
        self.remove.setAccessibleName(self.tr("Remove the selected project from the list"))
        self.remove.clicked.connect(lambda _: self.remove_selected())
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(head)
        column.addWidget(self.recent, 1)
        column.addWidget(self.no_recent, 1, Qt.AlignmentFlag.AlignTop)
        column.addWidget(self.remove, 0, Qt.AlignmentFlag.AlignLeft)
        return column


class _Recent(QListWidget):
    """A list whose Delete key asks for removal."""

    removed = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Delete):
            self.removed.emit()
        else:
            super().keyPressEvent(event)


def _name(path: Path) -> str:
    return path.parent.name if path.stem == "job" else path.stem


def _item(path: Path) -> QListWidgetItem:
    item = QListWidgetItem(f"{_name(path)}\n{path.parent}")
    item.setData(_PATH, str(path))
    item.setData(_THERE, True)
    item.setToolTip(str(path))
    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{_name(path)}, {path}")
    return item


def _jobs(event: QDropEvent) -> list[Path]:
    return [path for path in dropped_paths(event.mimeData()) if path.suffix.lower() in JOB_SUFFIXES]
