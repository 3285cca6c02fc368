"""Mapping more scenes with a finished run: the engine in another process, heard line by line."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

from app.engine import PROGRAM
from core.events import Pictured, Progressed, parse_event
from core.map_files import Which

PATIENCE_MS = 3000
"""How long an engine that is told to end may take: it leaves no half-written file in any case."""


class Applying(QObject):
    """`progressed` carries the Progressed of the map at hand, `mapped` the path of one that is finished.

    `ended` carries "done", "stopped" or "failed", and a sentence. What was stopped goes on where it was
    when it is started again with the same folder.
    """

    progressed = Signal(object)
    mapped = Signal(object)
    ended = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._line, self._errors, self._stopped = b"", b"", False

    @property
    def working(self) -> bool:
        return self._process is not None

    def start(self, run: Path, scenes: Sequence[Path], to: Path, which: Which) -> None:
        """Map `scenes` to the folder `to`. Does nothing while it works already."""
        if self._process is not None:
            return
        self._line, self._errors, self._stopped = b"", b"", False
        self._process = process = QProcess(self)
        process.readyReadStandardOutput.connect(self._hear)
        process.readyReadStandardError.connect(self._hear_errors)
        process.finished.connect(self._finish)
        process.errorOccurred.connect(self._miss)
        words = ["predict", str(run), *map(str, scenes), "--to", str(to), "--which", which, "--json"]
        process.start(PROGRAM[0], [*PROGRAM[1:], *words])

    def stop(self) -> None:
        """Tell the engine to end; end it after some seconds."""
        if self._process is not None:
            self._stopped = True
            self._process.terminate()
            QTimer.singleShot(PATIENCE_MS, self._process, self._process.kill)

    def _hear(self) -> None:
        if self._process is None:
            return
        *lines, self._line = (self._line + self._process.readAllStandardOutput().data()).split(b"\n")
        for event in map(parse_event, lines):
            if isinstance(event, Progressed):
                self.progressed.emit(event)
            elif isinstance(event, Pictured):
                self.mapped.emit(Path(event.path))

    def _hear_errors(self) -> None:
        if self._process is not None:
            self._errors += self._process.readAllStandardError().data()

    def _finish(self, code: int) -> None:
        self._hear()
        self._hear_errors()
        if self._stopped:
            self._end("stopped", "")
        elif code == 0:
            self._end("done", "")
        else:
            said = self._errors.decode(errors="replace").strip().splitlines() or [f"exit code {code}"]
            self._end("failed", said[-1].removeprefix("error: "))

    def _miss(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end("failed", f"{PROGRAM[0]}: could not be started; install Isthmus anew")

    def _end(self, how: str, sentence: str) -> None:
        if self._process is not None:
            self._process.deleteLater()
            self._process = None
            self.ended.emit(how, sentence)
