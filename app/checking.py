"""Preflight of the open project, in a process of its own, whenever it may say something new."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError
from PySide6.QtCore import QObject, QTemporaryDir, QTimer, Signal

from app.edits import Document, Keys
from app.engine import Engine, Question
from core.checks.findings import Verdict
from core.errors import BadInput
from core.files import write_text

State = Literal["incomplete", "waiting", "looking", "done", "failed"]

LOOKED_AT = ("source", "target", "legend", "sampling", "oracle")
"""What of a job decides what preflight says."""
REST_MS = 800


class Checker(QObject):
    """`verdict` is None unless it is of the project as it is now; `verdict_changed` carries it.

    `changed` comes with every new state: incomplete, waiting (for the edits to pause, or to be asked),
    looking, done, failed.
    """

    changed = Signal()
    verdict_changed = Signal(object)

    def __init__(
        self, document: Document, parent: QObject | None = None, engine: Engine | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._engine = document, engine or Engine(self)
        self.automatic = True
        self.state: State = "incomplete"
        self.verdict: Verdict | None = None
        self._fault = ""
        self._looked_at = ""
        self._question: Question | None = None
        self._room = QTemporaryDir()
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self.check)
        document.changed.connect(self._follow)
        self._follow(())

    @property
    def faults(self) -> list[str]:
        """Why a run cannot start, in sentences: what is missing, else what preflight found."""
        if self.state == "incomplete":
            return [self._fault] if self._fault else self._document.project.missing()
        if self._fault:
            return [self._fault]
        return [finding.text for finding in self.verdict.faults] if self.verdict else []

    def check(self) -> None:
        """Look at the project now, as files may have changed that the project does not hold."""
        self._forget()
        try:
            self._document.project.job()
            path = Path(self._room.path()) / "job.yaml"
            write_text(path, self._document.project.dumped(path.parent))
        except BadInput as fault:
            self._fault = "" if self._document.project.missing() else str(fault)
            self._enter("incomplete")
            return
        self._looked_at = self._key()
        self._question = self._engine.ask("inspect", str(path), "--json")
        self._question.answered.connect(self._answered)
        self._question.failed.connect(self._failed)
        self._enter("looking")

    def cancel(self) -> None:
        """Stop looking; nothing is known until the next look."""
        self._forget()
        self._enter("waiting")

    def _follow(self, keys: Keys) -> None:
        if keys and keys[0] not in LOOKED_AT:
            return
        if keys and self._looked_at == self._key():
            return
        self._forget()
        if self._document.project.missing():
            self._rest.stop()
            self._enter("incomplete")
            return
        if self.automatic:
            self._rest.start()
        self._enter("waiting")

    def _key(self) -> str:
        """What the verdict depends on: colours are not in it."""
        parts: dict[str, Any] = {name: deepcopy(self._document.value(name)) for name in LOOKED_AT}
        for each in (parts["legend"] or {}).get("classes", []):
            each.pop("color", None)
        return json.dumps(parts)

    def _forget(self) -> None:
        question, self._question = self._question, None
        if question is not None:
            self._engine.cancel(question)
        self._rest.stop()
        self._looked_at, self._fault = "", ""
        if self.verdict is not None:
            self.verdict = None
            self.verdict_changed.emit(None)

    def _answered(self, answer: dict[str, Any]) -> None:
        self._question = None
        try:
            self.verdict = Verdict.model_validate(answer)
        except ValidationError:
            self._failed(self.tr("the answer of `isthmus inspect` is not understood; install Isthmus again"))
            return
        self._enter("done")
        self.verdict_changed.emit(self.verdict)

    def _failed(self, sentence: str) -> None:
        self._question, self._looked_at, self._fault = None, "", sentence
        self._enter("failed")

    def _enter(self, state: State) -> None:
        self.state = state
        self.changed.emit()
