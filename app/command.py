"""A command of the engine that works for a while: in a process of its own, heard line by line."""

from PySide6.QtCore import QCoreApplication, QObject, QProcess, Qt, QTimer, Signal

from app.engine import PROGRAM, Answer, complaint, parsed, process_environment
from core.events import parse_event

PATIENCE_MS = 3000
"""How long an engine that is told to end may take."""


class Command(QObject):
    """`heard` carries each event that the engine tells, typed.

    `ended` carries "done", "stopped" or "failed", and a sentence. `answer` is what it said that is no event.
    """

    heard = Signal(object)
    ended = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._line, self._stopped = b"", False
        self.answer: Answer = {}
        if application := QCoreApplication.instance():
            application.aboutToQuit.connect(self.close)

    @property
    def working(self) -> bool:
        return self._process is not None

    def start(self, *words: str) -> None:
        """Start `isthmus` with these words, `--json` behind them. Does nothing while it works already."""
        if self._process is not None:
            return
        self._line, self._stopped, self.answer = b"", False, {}
        self._process = process = QProcess(self)
        process.setProcessEnvironment(process_environment())
        process.readyReadStandardOutput.connect(self._hear)
        process.finished.connect(self._finish)
        # Queued: on Windows a failed start is told within `start`, before the asker listens.
        process.errorOccurred.connect(self._miss, Qt.ConnectionType.QueuedConnection)
        process.start(PROGRAM[0], [*PROGRAM[1:], *words, "--json"])

    def stop(self) -> None:
        """Tell the engine to end; end it after some seconds."""
        if self._process is not None:
            self._stopped = True
            self._process.terminate()
            QTimer.singleShot(PATIENCE_MS, self._process, self._process.kill)

    def close(self) -> None:
        """End the engine before the window is gone."""
        self.stop()
        if self._process is not None and not self._process.waitForFinished(PATIENCE_MS):
            self._process.kill()

    def _hear(self) -> None:
        if self._process is None:
            return
        *lines, self._line = (self._line + self._process.readAllStandardOutput().data()).split(b"\n")
        for line in lines:
            if event := parse_event(line):
                self.heard.emit(event)
            else:
                self.answer = parsed(line) or self.answer

    def _finish(self, code: int, status: QProcess.ExitStatus) -> None:
        self._hear()
        if self._process is None:
            return
        if self._stopped:
            self._end("stopped", "")
        elif code == 0 and status == QProcess.ExitStatus.NormalExit:
            self._end("done", "")
        else:
            self._end("failed", complaint(self._process, code, status))

    def _miss(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end("failed", self.tr("the engine cannot be started; install Isthmus again"))

    def _end(self, how: str, sentence: str) -> None:
        if self._process is not None:
            self._process.deleteLater()
            self._process = None
            self.ended.emit(how, sentence)
