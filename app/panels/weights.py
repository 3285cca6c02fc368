"""Downloading an encoder's pretrained weights: its licence is shown, and agreed to, before."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMessageBox, QPushButton, QVBoxLayout, QWidget

from app.engine import Engine
from app.panels.problem import split

DEFAULT_ENCODER = "tu-pvt_v2_b2"


class WeightsDownload(QWidget):
    """Asks the engine for an encoder's licence, the user for agreement, and the engine for the file.

    `folder` tells where to; `fetched` comes when a file was added there.
    """

    fetched = Signal()

    def __init__(
        self, engine: Engine, folder: Callable[[], Path | None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._engine, self._folder = engine, folder
        self.question: QMessageBox | None = None
        self.encoder = QLineEdit(DEFAULT_ENCODER)
        self.encoder.setAccessibleName(self.tr("Encoder to download"))
        self.encoder.setToolTip(
            self.tr("A name from the list of encoders, such as {0}").format(DEFAULT_ENCODER)
        )
        self.button = QPushButton(self.tr("&Download…"))
        self.button.setAccessibleName(self.tr("Download weights"))
        self.button.setToolTip(self.tr("Shows the licence before anything is fetched"))
        self.button.clicked.connect(self._ask_licence)
        self.said = QLabel(wordWrap=True)
        self.said.setAccessibleName(self.tr("What came of the download"))
        self.said.hide()
        row = QHBoxLayout()
        row.addWidget(self.encoder, 1)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.said)

    @Slot()
    def _ask_licence(self) -> None:
        self._wait(self.tr("Asking for the licence…"), ["--licence"], self._show_licence)

    @Slot(object)
    def _show_licence(self, answer: Mapping[str, Any]) -> None:
        self._rest("")
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
        self._wait(self.tr("Downloading…"), to, self._show_file)

    @Slot(object)
    def _show_file(self, answer: Mapping[str, Any]) -> None:
        self._rest(self.tr("{0} is there.").format(answer["path"]))
        self.fetched.emit()

    def _wait(self, words: str, options: list[str], then: Callable[[Any], None]) -> None:
        self.button.setEnabled(False)
        self.said.setText(words)
        self.said.show()
        question = self._engine.ask("weights", self.encoder.text().strip(), *options, "--json")
        question.answered.connect(then)
        question.failed.connect(self._fail)

    @Slot(str)
    def _fail(self, sentence: str) -> None:
        wrong, remedy = split(sentence)
        self._rest(f"⚠ {wrong}. {self.tr('What to try: {0}').format(remedy)}" if remedy else f"⚠ {wrong}")

    def _rest(self, words: str) -> None:
        self.button.setEnabled(True)
        self.said.setText(words)
        self.said.setVisible(bool(words))
