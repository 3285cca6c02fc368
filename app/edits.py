"""The open project with undo and redo, its unsaved edits safe from a crash."""

import contextlib
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from app.project import REMOVE, Key, Project
from app.swaps import Swap
from core.errors import BadInput
from core.runs.run_state import require_outside_runs

Keys = tuple[Key, ...]

SWAP_AFTER_MS = 500


class Document(QObject):
    """What every panel reads and edits. One per window; another project is opened into it.

    `changed` carries the keys of what changed, () when everything did (a project was opened).
    """

    changed = Signal(tuple)
    renamed = Signal()
    dirty = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.project, self._swap = Project.new(), Swap()
        self.undo = QUndoStack(self)
        self.undo.cleanChanged.connect(self._tell_dirty)
        self._swap_due = QTimer(self, singleShot=True, interval=SWAP_AFTER_MS)
        self._swap_due.timeout.connect(self._write_swap)
        self.undo.indexChanged.connect(self._on_edit)

    def value(self, *keys: Key, default: Any = None) -> Any:
        """What stands at `keys`: a value of the job file. Not to be changed in place."""
        return self.project.value(*keys, default=default)

    def change(self, text: str, values: Mapping[Keys, Any], merge: str = "") -> None:
        """One undoable edit, called `text` in the Edit menu: new values by keys (REMOVE takes one out).

        Edits in a row with the same non-empty `merge` (a spin box turned) are undone as one.
        """
        changes = {keys: value for keys, value in values.items() if self._differs(keys, value)}
        if changes:
            self.undo.push(_Edit(self, text, changes, merge))

    def new(self, name: str = "untitled", values: Mapping[Keys, Any] | None = None) -> None:
        """An empty project but for `values`, which are no edits."""
        project = Project.new(name)
        for keys, value in (values or {}).items():
            project.put(keys, value)
        self._show(project, Swap())

    def open(self, path: Path) -> None:
        """Raises BadInput where `path` is no job file."""
        path = path.resolve()
        self._show(Project.load(path), Swap(path))

    def view(self, project: Project) -> None:
        """Show what is in a project, without a file of its own."""
        self._show(Project(project.content), Swap())

    def open_lost(self, swap: Path) -> None:
        """Take the edits of a project without a file that outlived its window. Raises BadInput."""
        found = Project.load(swap)
        self._show(Project.new(), Swap(lost=swap))
        self._recover(found)

    def save(self, path: Path | None = None) -> None:
        """Write the project where it was, or to `path`. Raises BadInput where it cannot be written, and
        inside of a run, whose files say what was done."""
        target = path or self.project.path
        if target is None:
            raise BadInput("the project", "has no file yet", "choose one with Save as")
        target = target.resolve()
        require_outside_runs(target)
        self.project.save(target)
        self._swap.remove()
        self._swap = Swap(target)
        self.undo.setClean()
        self._swap_due.stop()
        self.renamed.emit()

    def recoverable(self) -> bool:
        """Whether edits of the open project outlived a crash."""
        return self._swap.is_ours

    def recover(self) -> None:
        """Take the edits that outlived a crash, as one undo step. Raises BadInput where they are damaged."""
        self._recover(Project.load(self.swap_path))

    def _recover(self, found: Project) -> None:
        content: dict[Keys, Any] = {(key,): value for key, value in found.content.items()}
        gone: dict[Keys, Any] = {(key,): REMOVE for key in self.project.content.keys() - found.content.keys()}
        self.change(self.tr("Recover unsaved edits"), content | gone)

    def forget_swap(self) -> None:
        """Drop the edits that outlived a crash."""
        self._swap.remove()

    @property
    def swap_path(self) -> Path:
        """Where unsaved edits are kept."""
        return self._swap.path

    def _tell_dirty(self, clean: bool) -> None:
        self.dirty.emit(not clean)

    def _on_edit(self, _: int) -> None:
        self._swap_due.start()

    def _differs(self, keys: Keys, value: Any) -> bool:
        now = self.project.value(*keys, default=REMOVE)
        return bool((now is not REMOVE) if value is REMOVE else (now is REMOVE or now != value))

    def _show(self, project: Project, swap: Swap) -> None:
        self.project, self._swap = project, swap
        self.undo.clear()
        self._swap_due.stop()
        self.renamed.emit()
        self.changed.emit(())

    def _write_swap(self) -> None:
        """Best effort: a full disk must not stop the work, and saving will say so."""
        if self.undo.isClean():
            self._swap.remove()
            return
        with contextlib.suppress(BadInput, OSError):
            self._swap.write(self.project)


class _Edit(QUndoCommand):
    def __init__(self, document: Document, text: str, values: Mapping[Keys, Any], merge: str) -> None:
        super().__init__(text)
        self._document, self._merge = document, merge
        self._new = {
            keys: deepcopy(value) if value is not REMOVE else REMOVE for keys, value in values.items()
        }
        self._old: dict[Keys, Any] = {}

    def id(self) -> int:
        return hash(self._merge) % (2**31 - 1) if self._merge else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if (
            not isinstance(other, _Edit)
            or other._merge != self._merge
            or other._new.keys() != self._new.keys()
        ):
            return False
        self._new = other._new
        return True

    def redo(self) -> None:
        project = self._document.project
        for keys in self._new:
            old = project.value(*keys, default=REMOVE)
            self._old.setdefault(keys, old if old is REMOVE else deepcopy(old))
        self._put(self._new)

    def undo(self) -> None:
        self._put(dict(reversed(self._old.items())))

    def _put(self, values: Mapping[Keys, Any]) -> None:
        for keys, value in values.items():
            self._document.project.put(keys, value)
        for keys in values:
            self._document.changed.emit(keys)
