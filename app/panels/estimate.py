"""How long a run will take and how much memory, asked from the engine when the user rests, or at once."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.edits import Document
from app.engine import Engine, Question
from app.launch import read_estimate, run_folder
from app.panels.said import SaidLine
from app.run_words import estimate_words
from core.cost import Cost
from core.files import write_text

REST_MS = 4000


class EstimateLine(QWidget):
    """A line of words and a button. The answer is of the project as it was asked; an edit makes it unknown.

    `estimated` carries the `Cost`.
    """

    estimated = Signal(object)

    def __init__(self, document: Document, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._engine = document, engine
        self._question: Question | None = None
        self._folder: Path | None = None
        self.ready = False
        self.automatic = True
        self.cost: Cost | None = None
        self.words = SaidLine(self.tr("Estimate of time and memory"))
        self.ask = QPushButton(self.tr("Esti&mate"))
        self.ask.setAccessibleName(self.tr("Estimate time and memory"))
        self.ask.setToolTip(
            self.tr("Try a few steps on the chosen device, and tell time and memory from them")
        )
        self.ask.clicked.connect(self.ask_now)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.ask)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._ask_if_wanted)
        document.changed.connect(self._forget)
        self._say(self.tr("unknown"))

    def set_ready(self, ready: bool) -> None:
        """Whether the project can be asked about at all."""
        if ready != self.ready:
            self.ready = ready
            self.ask.setEnabled(ready)
            self._forget()

    def ask_now(self) -> None:
        """Ask about the project as it is; an earlier question is dropped."""
        self._drop()
        # A folder of its own: the draft must not lie beside the user's files, nor in another draft's way.
        self._folder = Path(tempfile.mkdtemp(prefix="isthmus-"))
        job = self._folder / "job.yaml"
        write_text(job, self._document.project.dumped(self._folder))
        self._question = self._engine.ask("estimate", str(job), "--json")
        self._question.answered.connect(self._on_answer)
        self._question.failed.connect(self._on_failure)
        self._say(self.tr("asking the engine…"))

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._rest.stop()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._wait()

    def _forget(self, _: object = None) -> None:
        self._drop()
        self.cost = None
        self.words.setToolTip("")
        self._say(self.tr("unknown") if self.ready else self.tr("unknown until the project is complete"))
        self._wait()

    def _wait(self) -> None:
        if self.isVisible() and self.automatic and self.ready and self.cost is None and not self._question:
            self._rest.start()

    def _ask_if_wanted(self) -> None:
        if self.isVisible() and self.automatic and self.ready:
            self._rest.start() if self._engine.busy else self.ask_now()

    def _on_answer(self, answer: Mapping[str, Any]) -> None:
        self._done()
        self.cost = read_estimate(answer, run_folder(self._document.project))
        if self.cost is None:
            self._say(self.tr("unknown (the engine's answer is not understood)"))
            return
        self._say(". ".join([estimate_words(self.cost), *(f"⚠ {text}" for text in self.cost.warnings)]))
        self.words.setToolTip(self.cost.text())
        self.estimated.emit(self.cost)

    def _on_failure(self, sentence: str) -> None:
        self._done()
        self._say(self.tr("unknown ({0})").format(sentence), sentence)

    def _drop(self) -> None:
        if self._question:
            self._engine.cancel(self._question)
            self._done()

    def _done(self) -> None:
        self._question = None
        self._rest.stop()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _say(self, words: str, about: str = "") -> None:
        self.words.say(self.tr("Time and memory: {0}").format(words), about)
