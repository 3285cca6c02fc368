"""The runs that the window knows of, as a table; each live one is followed."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)

from app import run_words as words
from app.background import Background
from app.following import Follower
from core.runs.charge import is_alive
from core.runs.run_reading import RunState
from core.runs.run_state import RunSummary, list_runs, size_bytes

REFRESH_MS = 3000
NAME, METHOD, SEED, STATE, PROGRESS, LEFT, SIZE, STARTED = range(8)
FOLDER_ROLE, SHARE_ROLE = int(Qt.ItemDataRole.UserRole), int(Qt.ItemDataRole.UserRole) + 1
"""The run's Path; the share of its training that is done, 0 to 1, or None."""

Index = QModelIndex | QPersistentModelIndex


class History(QAbstractTableModel):
    """Runs in rows, newest first. `listed` when they were read anew; nothing is read before `show_runs_of`.

    `ended` carries the follower of a run that was seen at work and is not any more, of an earlier project
    too. `failed` carries a sentence: a run could not be read, or a request was refused.
    """

    listed = Signal()
    ended = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[RunSummary] = []
        self._folders: list[Path] = []
        self._followers: dict[Path, Follower] = {}
        self._at_work: set[Path] = set()
        self._sizes: dict[Path, int] = {}
        self._counted: set[Path] = set()
        self._background = Background(self)
        self._timer = QTimer(self, interval=REFRESH_MS)
        self._timer.timeout.connect(self.refresh)

    def show_runs_of(self, folders: Iterable[Path]) -> None:
        """List the runs that these folders are or hold, and no others from now on."""
        self._folders = [folder.resolve() for folder in folders]
        self._show([run for run in self.rows if {run.folder, run.folder.parent} & {*self._folders}])
        self._timer.start()
        self.refresh()

    def add(self, folder: Path) -> None:
        """List one more folder of a run, or of runs: the project's `runs/`, a run from elsewhere."""
        self.show_runs_of(dict.fromkeys([*self._folders, folder.resolve()]))

    def refresh(self) -> None:
        folders = list(self._folders)
        self._background.run(lambda: list_runs(folders), self._set, self.failed.emit, "list")

    def follower(self, folder: Path) -> Follower:
        """The one follower of a run's folder, made when it is first asked for."""
        folder = folder.resolve()
        if folder not in self._followers:
            self._followers[folder] = made = Follower(folder, self)
            made.progressed.connect(lambda _: self._changed(folder, (STATE, PROGRESS, LEFT)))
            made.state_changed.connect(lambda state: self._take_state(folder, state))
            made.wish.connect(lambda: self._changed(folder, (STATE,)))
            made.refused.connect(self.failed)
        return self._followers[folder]

    def run(self, folder: Path) -> RunSummary | None:
        return next((run for run in self.rows if run.folder == folder), None)

    def close(self) -> None:
        """Follow and list no more."""
        self._timer.stop()
        for folder in list(self._followers):
            self._drop(folder)

    def forget_sizes(self, folders: Iterable[Path]) -> None:
        """Count these folders again: something in them was deleted."""
        self._counted -= set(folders)
        self._count_sizes()

    def _set(self, runs: list[RunSummary]) -> None:
        self._show(runs)
        for folder in self._followers.keys() - {run.folder for run in runs}:
            if not folder.exists():
                self._drop(folder)
        for run in runs:
            if run.state.alive and run.folder not in self._followers:
                self._at_work.add(run.folder)  # it may have ended before its follower first looks
                self.follower(run.folder)
        self._count_sizes()
        self.listed.emit()

    def _show(self, runs: list[RunSummary]) -> None:
        if [run.folder for run in runs] == [run.folder for run in self.rows]:
            self.rows = runs
            if runs:
                self.dataChanged.emit(self.index(0, NAME), self.index(len(runs) - 1, STARTED))
        else:
            self.beginResetModel()
            self.rows = runs
            self.endResetModel()

    def _drop(self, folder: Path) -> None:
        """It stays our child until we go: whoever still shows the run may hold it."""
        self._followers.pop(folder).close()

    def _count_sizes(self) -> None:
        """In the background, one folder after the other; until nobody writes there any more."""
        self._counted -= {run.folder for run in self.rows if run.state.alive}
        wanted = [run.folder for run in self.rows if run.folder not in self._counted]
        if wanted:
            self._background.run(lambda: _measured(wanted), self._set_sizes, self.failed.emit, "sizes")

    def _set_sizes(self, sizes: list[tuple[Path, bool, int]]) -> None:
        for folder, at_rest, size in sizes:
            self._sizes[folder] = size
            if at_rest:
                self._counted.add(folder)
        if self.rows:
            self.dataChanged.emit(self.index(0, SIZE), self.index(len(self.rows) - 1, SIZE))

    def _take_state(self, folder: Path, state: RunState) -> None:
        """A follower sees sooner than the next listing that a run began or ended."""
        run = self.run(folder)
        if run is not None and run.state != state:
            self.refresh()
        if state.alive:
            self._at_work.add(folder)
        elif folder in self._at_work:
            self._at_work.remove(folder)
            self.ended.emit(self._followers[folder])

    def _changed(self, folder: Path, columns: tuple[int, ...]) -> None:
        for row, run in enumerate(self.rows):
            if run.folder == folder:
                self.dataChanged.emit(self.index(row, columns[0]), self.index(row, columns[-1]))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        return 0 if parent.isValid() else STARTED + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        tr = words.tr
        return (
            *(tr("Run"), tr("Method"), tr("Seed"), tr("State")),
            *(tr("Progress"), tr("Time left"), tr("Size"), tr("Started")),
        )[section]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        run, column = self.rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(run, column)
            case Qt.ItemDataRole.DecorationRole if column == STATE:
                return words.status_icon(run.state.status)
            case Qt.ItemDataRole.ToolTipRole:
                return self._tip(run, column)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{self.headerData(column, Qt.Orientation.Horizontal)}: {self._text(run, column)}"
        if int(role) == SHARE_ROLE:
            return self._share(run)
        return run.folder if int(role) == FOLDER_ROLE else None

    def _text(self, run: RunSummary, column: int) -> str:
        follower = self._followers.get(run.folder)
        match column:
            case 0:
                return run.folder.name
            case 1:
                return run.method
            case 2:
                return str(run.seed)
            case 3:
                asked = words.requested(follower.wanted) if follower else ""
                return asked or words.status_word(run.state.status)
            case 4:
                share = self._share(run)
                return "" if share is None else f"{share:.0%}"
            case 5:
                return words.time_left(follower.progress) if follower and run.state.alive else ""
            case 6:
                return words.size_text(self._sizes[run.folder]) if run.folder in self._sizes else ""
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(run.started))

    def _share(self, run: RunSummary) -> float | None:
        if run.state.status == "done":
            return 1.0
        follower = self._followers.get(run.folder)
        return words.share_done(follower.progress) if follower else None

    def _tip(self, run: RunSummary, column: int) -> str:
        if column == STATE:
            return ". ".join(filter(None, (run.state.sentence, run.state.remedy)))
        return str(run.folder)


def _measured(folders: list[Path]) -> list[tuple[Path, bool, int]]:
    """Each folder's size; and whether it is at rest, known before it is counted."""
    return [(folder, not is_alive(folder), size_bytes(folder)) for folder in folders]
