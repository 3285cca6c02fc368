"""What can be done with the selected runs, as a row of buttons and a context menu."""

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMessageBox, QToolBar, QWidget

from app.background import Background
from app.history import History
from app.panels.controls import Controls, confirm, reach_by_tab
from app.theme import icon
from core.runs.run_state import RunSummary, delete, drop_checkpoints


class RunBar(QToolBar):
    """Actions on the runs that `show_runs` names. What other panels do is asked of them by signal.

    `failed` carries a sentence.
    """

    compare_requested = Signal(object, object)
    apply_requested = Signal(object)
    export_requested = Signal(object)
    failed = Signal(str)

    def __init__(self, history: History, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history, self._runs = history, list[RunSummary]()
        self._background = Background(self)
        self.question: QMessageBox | None = None
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setAccessibleName(self.tr("What to do with the run"))
        self.controls = Controls(self)
        self.addActions(self.controls.actions)
        self._make_actions()
        reach_by_tab(self)
        self.show_runs([])

    def show_runs(self, runs: list[RunSummary]) -> None:
        """From now on the actions are for these."""
        self._runs = runs
        one = len(runs) == 1
        self.controls.show_run(self._history.follower(runs[0].folder) if one else None)
        done = bool(runs) and all(run.state.status == "done" for run in runs)
        idle = bool(runs) and not any(run.state.alive for run in runs)
        self.compare.setEnabled(len(runs) == 2)
        for action in (self.apply, self.export):
            action.setEnabled(one and done)
        for action in (self.folder, self.copy):
            action.setEnabled(one)
        self.drop.setEnabled(done)
        self.delete.setEnabled(idle)

    def _make_actions(self) -> None:
        tr, act = self.tr, self._action
        self.addSeparator()
        self.compare = act("compare", tr("Compare"), tr("Two selected runs side by side"), self._compare)
        self.apply = act(
            "apply",
            tr("Apply..."),
            tr("Map more scenes with this finished run's model"),
            lambda: self.apply_requested.emit(self._runs[0].folder),
        )
        self.export = act(
            "export",
            tr("Export..."),
            tr("Take this finished run's maps, model and report home"),
            lambda: self.export_requested.emit(self._runs[0].folder),
        )
        self.addSeparator()
        self.folder = act("folder", tr("Open folder"), tr("Show the run's files"), self._show_folder)
        self.copy = act("copy", tr("Copy command"), tr("The command line that does the same"), self._copy)
        self.drop = act(
            "drop",
            tr("Slim..."),
            tr("Drop the checkpoints of finished runs to free disk space; maps and models stay"),
            self._drop,
        )
        self.delete = act(
            "delete", tr("Delete..."), tr("Delete the folders of runs that do not work"), self._delete
        )
        self.delete.setShortcut(QKeySequence(QKeySequence.StandardKey.Delete))
        self.delete.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def _action(self, name: str, text: str, tip: str, slot: Callable[[], None]) -> QAction:
        action = QAction(icon(name), text, self, toolTip=tip)
        action.triggered.connect(lambda _: slot())
        self.addAction(action)
        return action

    def _compare(self) -> None:
        one, other = self._runs
        self.compare_requested.emit(one.folder, other.folder)

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._runs[0].folder)))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(command(self._runs[0]))

    def _drop(self) -> None:
        folders = [run.folder for run in self._runs]
        text = self.tr("Drop the checkpoints of {0}?").format(_listed(folders))
        more = self.tr("The maps and models stay. The training cannot be gone into again.")
        self.question = confirm(
            self, text, more, self.tr("Drop"), lambda: self._clean(folders, drop_checkpoints)
        )

    def _delete(self) -> None:
        folders = [run.folder for run in self._runs]
        text = self.tr("Delete {0}?").format(_listed(folders))
        more = self.tr("Maps, models and curves go with it. This cannot be undone.")
        self.question = confirm(self, text, more, self.tr("Delete"), lambda: self._clean(folders, delete))

    def _clean(self, folders: list[Path], remove: Callable[[Path], object]) -> None:
        self._background.run(
            lambda: [remove(folder) for folder in folders],
            lambda _: self._cleaned(folders),
            self.failed.emit,
            tuple(folders),
        )

    def _cleaned(self, folders: list[Path]) -> None:
        self._history.forget_sizes(folders)
        self._history.refresh()


def command(run: RunSummary) -> str:
    """The command line that goes on with a run, or repeats a finished one beside it."""
    words = ["isthmus", "run", str(run.folder)]
    if run.state.status == "done":
        words = ["isthmus", "run", str(run.folder / "job.yaml"), "--to", f"{run.folder}-again"]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def _listed(folders: list[Path]) -> str:
    return ", ".join(folder.name for folder in folders)
