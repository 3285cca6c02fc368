"""Start, pause, stop and kill: what can be asked of a run, wherever it is shown."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMessageBox, QToolBar, QToolButton, QWidget

from app.following import Follower
from app.theme import icon


class Controls(QObject):
    """Four actions on the run that `show_run` names, each enabled while it makes sense.

    `keys` are their shortcuts, in the order of `actions`. Kill is offered only when the worker does not do as
    asked, and asks first: `question` is open then.
    """

    def __init__(self, parent: QWidget, keys: Sequence[str] = ()) -> None:
        super().__init__(parent)
        self._widget, self._follower = parent, None
        self.question: QMessageBox | None = None
        tr, act = self.tr, self._action
        self.start = act("start", tr("Resume"), tr("Start the run, or go on where it stopped"), self._start)
        self.pause = act(
            "pause", tr("Pause"), tr("Pause after the step at hand; the run keeps its memory"), self._pause
        )
        self.stop = act("stop", tr("Stop"), tr("Save the state and end; it can be resumed"), self._stop)
        self.kill = act(
            "kill", tr("Kill..."), tr("End a worker at once that does not answer"), self._ask_to_kill
        )
        for action, key in zip(self.actions, keys, strict=False):
            action.setShortcut(key)
            action.setToolTip(f"{action.toolTip()} ({key})")
        self.refresh()

    _follower: Follower | None

    @property
    def actions(self) -> list[QAction]:
        return [self.start, self.pause, self.stop, self.kill]

    def show_run(self, follower: Follower | None) -> None:
        """From now on the actions are for this run; None for none."""
        if follower is self._follower:
            return
        if self._follower is not None:
            self._follower.state_changed.disconnect(self.refresh)
            self._follower.wish.disconnect(self.refresh)
        self._follower = follower
        if follower is not None:
            follower.state_changed.connect(self.refresh)
            follower.wish.connect(self.refresh)
        self.refresh()

    def refresh(self, _: object = None) -> None:
        follower = self._follower
        state = follower.state if follower else None
        if follower is None or state is None:
            for action in self.actions:
                action.setEnabled(False)
            return
        wanted = follower.wanted
        self.start.setText(self.tr("Start") if state.status == "new" else self.tr("Resume"))
        self.start.setEnabled((state.can_start or state.can_resume) and wanted not in ("start", "resume"))
        self.pause.setEnabled(state.can_pause and wanted is None)
        self.stop.setEnabled(state.can_stop and wanted != "stop")
        self.kill.setEnabled(state.can_kill and (follower.unheard or state.status == "stopping"))

    def _action(self, name: str, text: str, tip: str, slot: Callable[[], None]) -> QAction:
        action = QAction(icon(name), text, self, toolTip=tip)
        action.triggered.connect(lambda _: slot())
        return action

    def _start(self) -> None:
        follower = self._follower
        if follower and follower.state and follower.state.can_resume:
            follower.ask("resume")
        elif follower:
            follower.start()

    def _pause(self) -> None:
        if self._follower:
            self._follower.ask("pause")

    def _stop(self) -> None:
        if self._follower:
            self._follower.ask("stop")

    def _ask_to_kill(self) -> None:
        if self._follower:
            text = self.tr("End the worker of {0} at once?").format(self._follower.folder.name)
            more = self.tr("What it did since its last checkpoint is lost; it can be resumed from there.")
            self.question = confirm(self._widget, text, more, self.tr("Kill"), self._follower.kill)


def reach_by_tab(bar: QToolBar) -> None:
    """Let Tab stop at the buttons of a toolbar, which it passes by otherwise."""
    for button in bar.findChildren(QToolButton):
        if button.defaultAction():
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)


def confirm(parent: QWidget, text: str, more: str, verb: str, act: Callable[[], object]) -> QMessageBox:
    """Ask before what cannot be undone, without waiting here; `act` is called when `verb` is pressed."""
    box = QMessageBox(QMessageBox.Icon.Warning, parent.window().windowTitle(), text, parent=parent)
    box.setInformativeText(more)
    box.addButton(verb, QMessageBox.ButtonRole.DestructiveRole).clicked.connect(lambda _: act())
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
    return box
