"""Starting the project's run in a worker of its own."""

from PySide6.QtCore import QObject, Signal, Slot

from app.background import Background
from app.edits import Document
from app.launch import run_folder
from app.project_files import ProjectFiles
from core.errors import BadInput
from core.runs.supervise import launch
from core.variants import Planned, begin


class Launcher(QObject):
    """`started` carries the folder of a run that has a supervisor now, `failed` a sentence."""

    started = Signal(object)
    failed = Signal(str)

    def __init__(self, document: Document, files: ProjectFiles, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._files = document, files
        self._background = Background(self)

    @Slot()
    def start(self) -> None:
        """Save the project, make its run's folder and hand it to a supervisor."""
        folder = run_folder(self._document.project) if self._files.save() else None
        if folder is None:
            return
        try:
            job = self._document.project.job()
        except BadInput as fault:
            self.failed.emit(str(fault))
            return
        self._background.run(
            lambda: launch(begin(Planned(job, folder)).folder),
            lambda _: self.started.emit(folder),
            self.failed.emit,
        )
