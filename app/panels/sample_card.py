"""The built-in sample on the start page: drawn on the spot, then opened."""

from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.background import Background
from app.panels.command_link import CommandLink
from core.errors import Stopped

LOOK_MS = 100


class SampleCard(QWidget):
    """A button that opens the sample; `ready` carries its job file."""

    ready = Signal(Path)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folder = _default_folder()
        self._background = Background(self)
        self._drawing: _Drawing | None = None
        self._look = QTimer(self, interval=LOOK_MS)
        self._look.timeout.connect(self._show_progress)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        tip = self.tr("Two places drawn on the spot, ready to run: see everything work within minutes")
        self.button = CommandLink(self.tr("Open the &sample"), tip)
        self.button.clicked.connect(lambda _: self.open())
        column.addWidget(self.button)
        column.addLayout(self._build_where())
        column.addWidget(self._build_progress())
        column.addWidget(self._build_problem())
        self._show_state()

    @property
    def drawing(self) -> bool:
        return self._drawing is not None

    def open(self) -> None:
        """Open the sample, and draw it first where it is not there yet."""
        job = self.folder / "job.yaml"
        self._show_problem("")
        if job.is_file():
            self.ready.emit(job)
        elif self._drawing is None:
            self._drawing = _Drawing(self.folder)
            self._background.run(self._drawing.draw, self._drawn, self._failed)
            self._show_state()

    def cancel(self) -> None:
        """Stop drawing after the place at hand; nothing is left on disk."""
        if self._drawing:
            self._drawing.cancelled = True
            self._show_progress()

    def set_folder(self, folder: Path) -> None:
        """Draw the sample in `folder`: in a folder of its own inside it where it holds other things."""
        taken = folder.is_dir() and any(folder.iterdir()) and not (folder / "job.yaml").is_file()
        self.folder = folder / "isthmus-sample" if taken else folder
        self._show_problem("")
        self._show_state()

    def choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Where to draw the sample"))
        if chosen:
            self.set_folder(Path(chosen))

    def _drawn(self, job: Path | None) -> None:
        self._drawing = None
        self._show_state()
        if job:
            self.ready.emit(job)

    def _failed(self, sentence: str) -> None:
        self._drawn(None)
        self._show_problem(sentence)

    def _show_problem(self, sentence: str) -> None:
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))

    def _show_state(self) -> None:
        self.progress_row.setVisible(self.drawing)
        for control in (self.button, self.change_folder):
            control.setEnabled(not self.drawing)
        self.where.setText(self.tr("Drawn in {}").format(self.folder))
        if self.drawing:
            self._look.start()
        else:
            self._look.stop()
        self._show_progress()

    def _show_progress(self) -> None:
        if self._drawing is None:
            return
        done, total = self._drawing.state
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.cancel_button.setEnabled(not self._drawing.cancelled)
        stopping = self.tr("stopping after this place")
        drawn = self.tr("{0} of {1} places drawn").format(done, total)
        self.progress.setFormat(stopping if self._drawing.cancelled else drawn)

    def _build_where(self) -> QHBoxLayout:
        self.where = QLabel(wordWrap=True)
        self.where.setProperty("role", "hint")
        self.change_folder = QToolButton()
        self.change_folder.setText(self.tr("&Change..."))
        self.change_folder.setAccessibleName(self.tr("Change the sample's folder"))
        self.change_folder.setToolTip(self.tr("Draw the sample elsewhere; it takes some 9 MB"))
        self.change_folder.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.change_folder.clicked.connect(lambda _: self.choose_folder())
        row = QHBoxLayout()
        row.setContentsMargins(36, 0, 0, 8)
        row.addWidget(self.where, 1)
        row.addWidget(self.change_folder)
        return row

    def _build_progress(self) -> QWidget:
        self.progress_row = QWidget()
        self.progress = QProgressBar()
        self.progress.setAccessibleName(self.tr("Places drawn"))
        self.cancel_button = QPushButton(self.tr("Cancel"))
        self.cancel_button.setAccessibleName(self.tr("Cancel drawing the sample"))
        self.cancel_button.setToolTip(self.tr("Stop drawing; nothing is left on disk"))
        self.cancel_button.clicked.connect(lambda _: self.cancel())
        row = QHBoxLayout(self.progress_row)
        row.setContentsMargins(36, 0, 0, 8)
        row.addWidget(self.progress, 1)
        row.addWidget(self.cancel_button)
        return self.progress_row

    def _build_problem(self) -> QLabel:
        self.problem = QLabel(wordWrap=True)
        self.problem.setAccessibleName(self.tr("Why the sample could not be drawn"))
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem.hide()
        return self.problem


class _Drawing:
    """The sample being drawn by another thread, which reads `cancelled` and writes `state`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.state = (0, 0)
        self.cancelled = False

    def draw(self) -> Path | None:
        """The job file; None where it was cancelled."""
        from core.sample.sample import draw_sample  # here, because it loads what the window does not need

        try:
            return draw_sample(self._folder, report=self._report)
        except Stopped:
            return None

    def _report(self, done: int, total: int) -> None:
        self.state = (done, total)
        if self.cancelled:
            raise Stopped


def _default_folder() -> Path:
    location = QStandardPaths.StandardLocation.DocumentsLocation
    return Path(QStandardPaths.writableLocation(location) or Path.home()) / "isthmus-sample"
