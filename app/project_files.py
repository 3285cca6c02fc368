"""Opening and saving the project: the questions that go with it, and edits that outlived a crash."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from app.edits import Document, Keys
from app.held import drop
from app.preferences import Preferences
from app.project import Project
from app.recent import remember
from app.swaps import lost_swaps
from core.errors import BadInput

Answer = QMessageBox.StandardButton


class ProjectFiles(QObject):
    """The document's files. `entered` comes when a project is open, `failed` carries a sentence, `chosen`
    a file that the user wants opened."""

    chosen = Signal(Path)
    entered = Signal()
    failed = Signal(str)

    def __init__(self, document: Document, window: QWidget) -> None:
        super().__init__(window)
        self._document, self._window = document, window

    def new(self) -> None:
        """An empty project, or one that never had a file and outlived a crash if the user wants it."""
        if self.may_leave() and not self.offer_lost():
            device = Preferences().device
            values: dict[Keys, object] = {} if device == "auto" else {("schedule", "device"): device}
            self._document.new(self.tr("untitled"), values)
            self.entered.emit()

    def offer_lost(self) -> bool:
        """Ask about projects without a file that outlived a crash; whether one was taken back."""
        for swap in lost_swaps():
            saved = datetime.fromtimestamp(swap.stat().st_mtime).strftime("%Y-%m-%d %H:%M")
            text = self.tr("A project of {0} was never saved when its window ended. Take it back?")
            answer = QMessageBox.question(self._window, self.tr("Unsaved edits"), text.format(saved))
            if answer != Answer.Yes:
                drop(swap)
            elif self._try(lambda swap=swap: self._document.open_lost(swap)):  # type: ignore[misc]
                self.entered.emit()
                return True
        return False

    def choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self._window, self.tr("Open a project"), "", self._kinds)
        if path:
            self.chosen.emit(Path(path))

    def open(self, path: Path) -> None:
        """Open a project, with the edits that outlived a crash if the user wants them."""
        if self.may_leave() and self._try(lambda: self._document.open(path)):
            remember(path.resolve())
            self._offer_recovery()
            self.entered.emit()

    def open_run(self, folder: Path) -> bool:
        """Have the imagery of a run at hand: by its own job, unless the open project has it.

        Whether it is: the user may want to stay, and the job may be damaged.
        """
        found: list[Project] = []
        if not self._try(lambda: found.append(Project.load(folder / "job.yaml"))):
            return False
        if not self._document.project.shows(*found):
            if not self.may_leave():
                return False
            self._document.view(*found)
        self.entered.emit()
        return True

    def save(self) -> bool:
        """Save the project, asking where if it has no file yet; whether it is saved."""
        if self._document.project.path is None:
            return self.save_as()
        return self._document.undo.isClean() or self._try(self._document.save)

    def save_as(self) -> bool:
        name = str(self._document.value("name", default="")) or "project"
        path, _ = QFileDialog.getSaveFileName(
            self._window, self.tr("Save the project"), f"{name}.yaml", self._kinds
        )
        if not path or not self._try(lambda: self._document.save(Path(path))):
            return False
        remember(Path(path).resolve())
        return True

    def may_leave(self) -> bool:
        """Ask about unsaved edits; whether to go on."""
        if self._document.undo.isClean():
            self._document.forget_swap()
            return True
        answer = QMessageBox.question(
            self._window,
            self.tr("Unsaved edits"),
            self.tr("Save the edits of {0}?").format(self._document.value("name", default="")),
            Answer.Save | Answer.Discard | Answer.Cancel,
        )
        if answer == Answer.Discard:
            self._document.forget_swap()
        return answer == Answer.Discard or (answer == Answer.Save and self.save())

    @property
    def _kinds(self) -> str:
        return self.tr("Projects (*.yaml *.yml);;All files (*)")

    def _offer_recovery(self) -> None:
        if not self._document.recoverable():
            return
        answer = QMessageBox.question(
            self._window,
            self.tr("Unsaved edits"),
            self.tr("This project has edits that were not saved when the window last ended. Take them back?"),
        )
        if answer == Answer.Yes:
            self._try(self._document.recover)
        else:
            self._document.forget_swap()

    def _try(self, work: Callable[[], object]) -> bool:
        try:
            work()
        except BadInput as fault:
            self.failed.emit(str(fault))
            return False
        return True
