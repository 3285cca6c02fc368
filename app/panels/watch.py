"""A run while it works: what it does, how long it will take, what it warns of, what it said."""

from typing import Any

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import run_words as words
from app.following import Follower
from app.panels.controls import Controls, reach_by_tab
from app.panels.preview_controls import PreviewControls
from core.progress import Progress
from core.runs.run_reading import RunState

LOG_LINES = 2000
ICON_PX = 24
KEYS = ("F6", "F7", "F8")
"""Start or resume, pause, stop."""


class WatchPanel(QWidget):
    """Shows the run that `show_run` names. `preview_changed` carries (on, every how many steps),
    `layer_changed` which layer of the preview to show: class, confidence or pseudo. `failed` a sentence.
    """

    preview_changed = Signal(object, int)
    layer_changed = Signal(str)
    failed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._follower: Follower | None = None
        self.controls = Controls(self, KEYS)
        self.icon = QLabel(self)
        self.status = self._label("heading", self.tr("State of the run"))
        self.sentence = self._label("", self.tr("What the run does and what to do"))
        self.phase = self._label("", self.tr("Phase and step"))
        self.bar = QProgressBar(self, maximum=1000, textVisible=True)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.left = self._label("", self.tr("Time left"))
        self.warnings = self._label("", self.tr("Warnings"))
        self.warnings.setFrameShape(QFrame.Shape.StyledPanel)
        self.warnings.setMargin(6)
        self.preview = PreviewControls(self)
        self.preview.preview_changed.connect(self.preview_changed)
        self.preview.layer_changed.connect(self.layer_changed)
        self.log = self._log()
        self._lay_out()
        self.show_run(None)

    def show_run(self, follower: Follower | None) -> None:
        """Watch this run from now on; None for none."""
        for signal, slot in self._connections(self._follower):
            signal.disconnect(slot)
        self._follower = follower
        self.controls.show_run(follower)
        self.log.clear()
        for signal, slot in self._connections(follower):
            signal.connect(slot)
        for line in follower.said if follower else ():
            self.log.appendPlainText(line)
        self._refresh()

    def _connections(self, follower: Follower | None) -> list[tuple[SignalInstance, Any]]:
        if follower is None:
            return []
        return [
            (follower.spoke, self.log.appendPlainText),
            (follower.progressed, self._refresh),
            (follower.state_changed, self._refresh),
            (follower.wish, self._refresh),
            (follower.refused, self.failed),
        ]

    def _label(self, role: str, name: str) -> QLabel:
        label = QLabel(self, wordWrap=True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setAccessibleName(name)
        label.setProperty("role", role)
        return label

    def _log(self) -> QPlainTextEdit:
        log = QPlainTextEdit(self, readOnly=True, maximumBlockCount=LOG_LINES)
        log.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        log.setAccessibleName(self.tr("Log"))
        log.setVisible(False)
        return log

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.icon)
        head.addWidget(self.status, 1)
        buttons = QToolBar(self)
        buttons.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        buttons.setAccessibleName(self.tr("What to ask of the run"))
        buttons.addActions(self.controls.actions)
        reach_by_tab(buttons)
        progress = QHBoxLayout()
        progress.addWidget(self.bar, 1)
        progress.addWidget(self.left)
        self.left.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.unfold = QToolButton(self)
        self.unfold.setText(self.tr("Show &log"))
        self.unfold.setCheckable(True)
        self.unfold.setToolTip(self.tr("What the run said, line by line"))
        self.unfold.setAccessibleName(self.tr("Show log"))
        self.unfold.setArrowType(Qt.ArrowType.RightArrow)
        self.unfold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.unfold.toggled.connect(self._unfold)
        layout = QVBoxLayout(self)
        for each in (head, self.sentence, self.phase, progress, buttons, self.warnings, self.preview):
            layout.addLayout(each) if isinstance(each, QHBoxLayout) else layout.addWidget(each)
        layout.addWidget(self.unfold, alignment=Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.log, 1)
        layout.addStretch()

    def _unfold(self, shown: bool) -> None:
        self.log.setVisible(shown)
        self.unfold.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)

    def _refresh(self, _: object = None) -> None:
        follower = self._follower
        if follower is None:
            self._show_nothing()
            return
        state, progress = follower.state, follower.progress
        self.icon.setPixmap(words.status_icon(state.status if state else "new").pixmap(ICON_PX))
        name = follower.folder.name
        word = words.status_word(state.status) if state else self.tr("being read")
        asked = words.requested(follower.wanted)
        self.status.setText(" · ".join(filter(None, (name, word, asked))))
        self._say(self.sentence, self._sentence(follower, state))
        self._say(self.phase, _phase(progress))
        self._show_bar(progress, bool(state and state.alive))
        shown = self.tr("Warning: ")
        self._say(self.warnings, "\n".join(shown + each for each in progress.warnings[-5:]))
        self.preview.setEnabled(bool(state and state.alive))

    def _show_nothing(self) -> None:
        self.icon.clear()
        self.status.setText(self.tr("Nothing is running"))
        self._say(self.sentence, self.tr("Start the project, or choose one of its runs."))
        for label in (self.phase, self.warnings, self.left):
            self._say(label, "")
        self.bar.hide()
        self.preview.setEnabled(False)

    def _sentence(self, follower: Follower, state: RunState | None) -> str:
        if follower.unheard:
            return self.tr("The worker has not answered for ten seconds; wait for it, or kill it.")
        if state is None:
            return ""
        wrong, remedy = words.told(state)
        ended_badly = state.status in ("failed", "died")
        what = wrong[:1].upper() + wrong[1:] if ended_badly else self.tr("The run {0}").format(wrong)
        return f"{what}." + (self.tr(" What to do: {0}.").format(remedy) if remedy else "")

    def _show_bar(self, progress: Progress, alive: bool) -> None:
        """The work at hand while there is some beside the training, else the training."""
        share = words.share_done(progress)
        self.bar.setVisible(share is not None or bool(progress.work))
        if alive and progress.work:
            what, done, total = progress.work
            self.bar.setFormat(self.tr("{0}: {1} of {2}").format(what, done, total))
            self.bar.setValue(round(1000 * done / max(total, 1)))
        elif share is not None:
            self.bar.setFormat(self.tr("{0:.0%} of the training").format(share))
            self.bar.setValue(round(1000 * share))
        self._say(self.left, words.time_left(progress) if alive else "")

    def _say(self, label: QLabel, text: str) -> None:
        label.setText(text)
        label.setVisible(bool(text))


def _phase(progress: Progress) -> str:
    if not progress.phase:
        return ""
    steps = dict(progress.phases).get(progress.phase)
    text = words.tr("Phase {0}: step {1}").format(progress.phase, progress.step)
    text += words.tr(" of {0}").format(steps) if steps else ""
    total = progress.steps_total
    return text + (words.tr("; {0} of {1} in all").format(progress.steps_done, total) if total else "")
