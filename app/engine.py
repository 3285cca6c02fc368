"""Questions to the engine, which answers from a process of its own: the window never loads torch."""

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from PySide6.QtCore import (
    QCoreApplication,
    QObject,
    QProcess,
    QProcessEnvironment,
    QStandardPaths,
    Qt,
    Signal,
)
from shiboken6 import isValid

import core
import resources
from app.details import keep
from core.errors import BadInput
from core.files import read_json, write_json
from core.runs.run import LIBRARIES, version_of

Answer = dict[str, Any]

PROGRAM = (sys.executable, "-P", "-m", "core.cli")
QUIT_MS = 2000
REMEMBERED_S = 24 * 3600
"""Devices come and go without any file changing."""


class Question(QObject):
    """One question: `answered` carries the engine's JSON, `failed` why there is none, in a sentence."""

    answered = Signal(object)
    failed = Signal(str)

    def __init__(self, arguments: Sequence[str], parent: QObject) -> None:
        super().__init__(parent)
        self.arguments = list(arguments)


class Engine(QObject):
    """Asks one question at a time, in order; `environment` is added to the engine's.

    `described` carries what `isthmus describe` says, first from the cache where it is there.
    """

    described = Signal(object)
    describing_failed = Signal(str)

    def __init__(self, parent: QObject | None = None, program: Sequence[str] = PROGRAM) -> None:
        super().__init__(parent)
        self.environment: dict[str, str] = {}
        self.description: Answer | None = None
        self._program = list(program)
        self._waiting: list[Question] = []
        self._asked: Question | None = None
        self._process: QProcess | None = None
        self._ending: list[QProcess] = []
        if application := QCoreApplication.instance():
            application.aboutToQuit.connect(self.close)

    @property
    def busy(self) -> bool:
        return self._asked is not None

    def ask(self, *arguments: str) -> Question:
        """Ask `isthmus` with these arguments. The question deletes itself when it is answered."""
        question = Question(arguments, self)
        self._waiting.append(question)
        self._next()
        return question

    def cancel(self, question: Question) -> None:
        """Forget a question, in whatever state it is; neither of its signals comes any more."""
        if question in self._waiting:
            self._waiting.remove(question)
            question.deleteLater()
        elif question is self._asked:
            self._end()
            self._next()

    def describe(self) -> None:
        """Say what this installation can do: at once where it is remembered, and anew after a day."""
        path = cache_path()
        with contextlib.suppress(BadInput, OSError):
            self._take(read_json(path))
            if time.time() - path.stat().st_mtime < REMEMBERED_S:
                return
        question = self.ask("describe")
        question.answered.connect(self._remember)
        question.failed.connect(self.describing_failed)

    def close(self) -> None:
        """Ask no more, and end the process that is answering."""
        for question in self._waiting:
            question.deleteLater()
        self._waiting.clear()
        self._end()
        for process in filter(isValid, self._ending):
            process.waitForFinished(QUIT_MS)

    def _remember(self, answer: Answer) -> None:
        path = cache_path()
        # A read-only home costs the next start a question, nothing else.
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            for old in path.parent.glob("describe-*.json"):
                old.unlink(missing_ok=True)
            write_json(path, answer)
        self._take(answer)

    def _take(self, answer: Answer) -> None:
        self.description = answer
        self.described.emit(answer)

    def _next(self) -> None:
        if self._asked or not self._waiting:
            return
        self._asked = self._waiting.pop(0)
        self._process = QProcess(self)
        self._process.setProcessEnvironment(process_environment(self.environment))
        self._process.finished.connect(self._on_finished)
        # Queued: on Windows a failed start is told within `start`, before the asker listens.
        self._process.errorOccurred.connect(self._on_error, Qt.ConnectionType.QueuedConnection)
        self._process.start(self._program[0], [*self._program[1:], *self._asked.arguments])

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process:
            self._fail(
                self.tr("the engine cannot be started ({0}); install Isthmus again").format(
                    self._process.errorString()
                )
            )

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        if not self._process or not self._asked:
            return
        answer = parsed(bytes(self._process.readAllStandardOutput().data()))
        if answer is None:
            self._fail(complaint(self._process, code, status))
            return
        self._done().answered.emit(answer)
        self._next()

    def _fail(self, sentence: str) -> None:
        self._done().failed.emit(sentence)
        self._next()

    def _done(self) -> Question:
        """The question that was asked: it is over, and its process goes."""
        question, process = self._asked, self._process
        assert question is not None
        assert process is not None
        self._asked = self._process = None
        process.deleteLater()
        question.deleteLater()
        return question

    def _end(self) -> None:
        """Kill the process that is answering; nobody hears of it."""
        if self._asked and self._process:
            process, self._process = self._process, None
            self._asked.deleteLater()
            self._asked = None
            process.finished.disconnect(self._on_finished)
            process.errorOccurred.disconnect(self._on_error)
            process.finished.connect(process.deleteLater)
            process.kill()
            self._ending = [other for other in self._ending if isValid(other)] + [process]


def cache_path() -> Path:
    """Where `describe`'s answer is kept: named by the versions and the sources that it depends on."""
    room = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.CacheLocation))
    return room / f"describe-{_fingerprint()}.json"


def _fingerprint() -> str:
    """Sixteen hex digits of the libraries' versions and of the sources of methods, jobs and recipes."""
    digest = hashlib.sha256(" ".join(map(version_of, LIBRARIES)).encode())
    digest.update(os.environ.get("CUDA_VISIBLE_DEVICES", "").encode())
    for room in core.__path__:
        for path in sorted([*Path(room).glob("*.py"), *Path(room, "methods").glob("*.py")]):
            digest.update(path.name.encode() + path.read_bytes())
    for room in resources.__path__:
        for path in sorted(Path(room, "jobs").rglob("*.yaml")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def process_environment(added: Mapping[str, str] = MappingProxyType({})) -> QProcessEnvironment:
    """The window's, in which a checkout is found wherever it was started from."""
    environment = QProcessEnvironment.systemEnvironment()
    root = Path(core.__path__[0]).parent
    if root.name not in ("site-packages", "dist-packages"):
        known = environment.value("PYTHONPATH")
        environment.insert("PYTHONPATH", os.pathsep.join(filter(None, [str(root), known])))
    for name, value in added.items():
        environment.insert(name, value)
    return environment


def complaint(process: QProcess, code: int, status: QProcess.ExitStatus) -> str:
    """Why an engine that has ended did not do what it was to: its own sentence, where it left one.

    All that it wrote is kept as the sentence's details.
    """
    said = bytes(process.readAllStandardError().data()).decode(errors="replace")
    errors = [line.removeprefix("error: ") for line in said.splitlines() if line.startswith("error: ")]
    if errors:
        return keep(errors[-1], said)
    if status == QProcess.ExitStatus.CrashExit:
        sentence = _tr("the engine was killed (code {0}); free some memory and try again")
    else:
        sentence = _tr("the engine gave no answer (code {0}); try `isthmus doctor`")
    return keep(sentence.format(code), said)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Engine", text)


def parsed(said: bytes) -> Answer | None:
    """A command that found faults exits with one and answers all the same."""
    try:
        answer = json.loads(said)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
