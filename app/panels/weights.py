"""Downloading an encoder's pretrained weights: its licence is shown, and agreed to, before."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.command import Command
from app.panels.problem import split
from app.panels.said import SaidLine

DEFAULT_ENCODER = "tu-pvt_v2_b2"


class WeightsDownload(QWidget):
    """Asks for an encoder's licence, the user for agreement, then fetches the file, in a process of its own.

    `folder` tells where to; `fetched` comes when a file was added there.
    """

    fetched = Signal()

    def __init__(self, folder: Callable[[], Path | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self.question: QMessageBox | None = None
        self.engine = Command(self)
        self.engine.ended.connect(self._end)
        self._then: Callable[[Mapping[str, Any]], None] = self._show_licence
        self.encoder = QLineEdit(DEFAULT_ENCODER)
        self.encoder.setAccessibleName(self.tr("Encoder to download"))
        self.encoder.setToolTip(
            self.tr("A name from the list of encoders, such as {0}").format(DEFAULT_ENCODER)
        )
        self.button = QPushButton(self.tr("&Download…"))
        self.button.setAccessibleName(self.tr("Download weights"))
        self.button.setToolTip(self.tr("Shows the licence before anything is fetched"))
        self.button.clicked.connect(self._ask_licence)
        self.bar = QProgressBar(minimum=0, maximum=0)
        self.bar.setAccessibleName(self.tr("Progress of the download"))
        self.stop = QPushButton(self.tr("Cance&l download"))
        self.stop.setAccessibleName(self.tr("Cancel download"))
        self.stop.setToolTip(self.tr("No half-written file stays"))
        self.stop.clicked.connect(self.cancel)
        self.said = SaidLine(self.tr("What came of the download"))
        self._lay_out()
        self._rest("")

    @Slot()
    def cancel(self) -> None:
        """Stop asking or fetching."""
        if self.engine.working:
            self.said.say(self.tr("Being cancelled…"))
            self.engine.stop()

    @Slot()
    def _ask_licence(self) -> None:
        self._start(self.tr("Asking for the licence…"), ["--licence"], self._show_licence)

    def _show_licence(self, answer: Mapping[str, Any]) -> None:
        text = self.tr("The weights of {0} come under this licence: {1}.\nDownload them?")
        self.question = QMessageBox(
            QMessageBox.Icon.Question,
            self.tr("Licence"),
            text.format(answer["encoder"], answer["licence"]),
            QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No,
            self,
        )
        self.question.accepted.connect(self._download)
        self.question.open()

    @Slot()
    def _download(self) -> None:
        folder = self._folder()
        to = ["--to", str(folder)] if folder else []
        self._start(self.tr("Downloading…"), to, self._show_file)

    def _show_file(self, answer: Mapping[str, Any]) -> None:
        self._rest(self.tr("{0} is there.").format(answer["path"]))
        self.fetched.emit()

    def _start(self, words: str, options: list[str], then: Callable[[Mapping[str, Any]], None]) -> None:
        self._then = then
        self.engine.start("weights", self.encoder.text().strip(), *options)
        self._rest(words)

    @Slot(str, str)
    def _end(self, how: str, sentence: str) -> None:
        self._rest(self.tr("Cancelled; no half-written file was left.") if how == "stopped" else "")
        if how == "failed":
            wrong, remedy = split(sentence)
            try_it = f". {self.tr('What to try: {0}').format(remedy)}" if remedy else ""
            self.said.say(f"⚠ {wrong}{try_it}", sentence)
        elif how == "done":
            self._then(self.engine.answer)

    def _rest(self, words: str) -> None:
        working = self.engine.working
        self.button.setEnabled(not working)
        self.encoder.setEnabled(not working)
        for widget in (self.bar, self.stop):
            widget.setVisible(working)
        self.said.say(words)

    def _lay_out(self) -> None:
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.encoder, 1)
        first.addWidget(self.button)
        second.addWidget(self.bar, 1)
        second.addWidget(self.stop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(first)
        column.addLayout(second)
        column.addWidget(self.said)
