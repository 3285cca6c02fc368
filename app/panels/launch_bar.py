"""The foot of the launch panel: where the run will be, what it will cost, *Start* and *Copy as command*."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from app.edits import Document
from app.engine import Engine
from app.launch import command, no_room, run_folder
from app.panels.estimate import EstimateLine


class LaunchBar(QWidget):
    """`started` comes with a press of Start, which is disabled while there are faults, and says why.

    Its two commands are actions, for the menu too; each button is as its action is.
    """

    started = Signal()

    def __init__(self, document: Document, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.folder = _text(self.tr("Folder of the run"))
        self.reason = _text(self.tr("Why the run cannot start"))
        self.estimate = EstimateLine(document, engine)
        self.start_action = self._action(self.tr("&Start"), ["Ctrl+R", "Ctrl+Return"], self.started.emit)
        self.start = _button(self.start_action, self.tr("Start the run"))
        self.start.setDefault(True)
        self.start.setMinimumHeight(2 * self.start.fontMetrics().height())
        self.copy_action = self._action(self.tr("&Copy as command"), ["Ctrl+Shift+C"], self.copy_command)
        self.copy = _button(self.copy_action, self.tr("Copy as command"))
        layout = QGridLayout(self)
        layout.addWidget(self.folder, 0, 0, 1, 3)
        layout.addWidget(self.estimate, 1, 0, 1, 3)
        layout.addWidget(self.reason, 2, 0)
        layout.addWidget(self.copy, 2, 1)
        layout.addWidget(self.start, 2, 2)
        layout.setColumnStretch(0, 1)
        document.dirty.connect(lambda _: self.refresh())
        document.renamed.connect(self.refresh)
        self.estimate.estimated.connect(lambda _: self._judge())
        self._faults: Sequence[str] = []

    def set_faults(self, faults: Sequence[str]) -> None:
        """What stands in the way of a start, in sentences, beside a disk that is too small."""
        self._faults = faults
        self.estimate.set_ready(not faults)
        self._judge()

    def _judge(self) -> None:
        faults = [*self._faults, *no_room(self.estimate.cost, self.run_folder)]
        self.start_action.setEnabled(not faults)
        more = self.tr(" ({0} more)").format(len(faults) - 1) if len(faults) > 1 else ""
        cannot = self.tr("⚠ Cannot start: {0}{1}").format(faults[0], more) if faults else ""
        self.reason.setText(cannot)
        self.reason.setToolTip("\n".join(faults))
        why = "\n".join(faults)
        _explain(self.start_action, why or self.tr("Queue the run; it begins when its device is free"))

    def refresh(self) -> None:
        """Show the folder and the command of the project as it is now."""
        folder = self.run_folder
        where = str(folder) if folder else self.tr("runs/ beside the project, once it is saved")
        self.folder.setText(self.tr("Run: {0}").format(where))
        self.folder.setToolTip(self.tr("What the run makes goes here: its maps, scores and log"))
        saved = folder is not None and self._document.undo.isClean()
        self.copy_action.setEnabled(saved)
        _explain(
            self.copy_action,
            self.tr("The command line that does the same, here or on another machine")
            if saved
            else self.tr("Save the project first: the command reads its file"),
        )

    @property
    def run_folder(self) -> Path | None:
        """Where the next run will be; None before the project has a file."""
        return run_folder(self._document.project)

    def copy_command(self) -> None:
        """Put the command line that does the same on the clipboard; nothing before the project is saved."""
        path, folder = self._document.project.path, self.run_folder
        if path and folder:
            QGuiApplication.clipboard().setText(command(path, folder))

    def _action(self, text: str, keys: list[str], slot: Callable[[], None]) -> QAction:
        """Off until the project was looked at."""
        action = QAction(text, self, enabled=False)
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.triggered.connect(lambda _: slot())
        self.addAction(action)
        return action


def _button(action: QAction, name: str) -> QPushButton:
    button = QPushButton(action.text())
    button.setAccessibleName(name)
    button.clicked.connect(action.trigger)

    def follow() -> None:
        button.setEnabled(action.isEnabled())
        button.setToolTip(action.toolTip())

    action.changed.connect(follow)
    follow()
    return button


def _explain(action: QAction, text: str) -> None:
    action.setToolTip(text)
    action.setStatusTip(text)


def _text(name: str) -> QLabel:
    label = QLabel(wordWrap=True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    label.setAccessibleName(name)
    return label
