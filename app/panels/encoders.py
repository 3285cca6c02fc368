"""The network's encoder out of more than a thousand, its decoder, and where its weights come from."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QFileDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)

from app.background import DISKS, Background
from app.form_row import FIELD_WIDTH_PX, LABEL_WIDTH_PX

IMAGENET, FROM_FILE, NONE = range(3)


class NetworkChooser(QWidget):
    """`changed` carries one of encoder, decoder, weights, and its new value (null weights: None).

    `faults_changed` comes when `faults` may have: a file is looked for off the window's thread.
    """

    changed = Signal(str, object)
    faults_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._encoders: list[str] = []
        self._licences: Mapping[str, str] = {}
        self._file: str | None = None
        self._missing = False
        self._background = Background(self, DISKS)
        self.encoder = self._make_encoder()
        self.decoder = QComboBox()
        self.decoder.activated.connect(lambda _: self.changed.emit("decoder", self.decoder.currentText()))
        self.weights = QComboBox()
        self.weights.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.weights.setMinimumContentsLength(10)
        self.weights.activated.connect(self._on_weights)
        self.browse = QPushButton(self.tr("Choose &file…"))
        self.browse.clicked.connect(self._choose_file)
        self.note = QLabel(wordWrap=True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self._lay_out()

    def set_choices(
        self, encoders: Sequence[str], decoders: Sequence[str], licences: Mapping[str, str] | None = None
    ) -> None:
        """What the engine knows; `licences`: part of an encoder's name -> its weights' licence."""
        self._encoders, self._licences = list(encoders), licences or {}
        shown = self.encoder.currentText()
        self.encoder.clear()
        self.encoder.addItems(self._encoders)
        self.encoder.setEditText(shown)
        self._model.setStringList(self._encoders)
        _fill(self.decoder, decoders, self.decoder.currentText())

    def set_values(self, encoder: str, decoder: str, weights: Any) -> None:
        """Show the job's network. Says nothing."""
        if self.encoder.currentText() != encoder:
            self.encoder.setEditText(encoder)
        known = [self.decoder.itemText(i) for i in range(self.decoder.count())]
        _fill(self.decoder, known if decoder in known else [*known, decoder], decoder)
        self._file = weights if isinstance(weights, str) and weights != "imagenet" else None
        self._show_weights(NONE if weights is None else FROM_FILE if self._file else IMAGENET)
        self._missing = False
        self._background.drop()
        if self._file:
            there = Path(self._file).expanduser().is_file
            self._background.run(there, self._take_file, lambda _: self._take_file(False))
        self._show_note()

    def _take_file(self, there: bool) -> None:
        self._missing = not there
        self._show_note()
        self.faults_changed.emit()

    @property
    def faults(self) -> list[str]:
        """What cannot be used, in sentences."""
        name = self.encoder.currentText().strip()
        found = []
        if self._encoders and name.partition(".")[0] not in self._encoders:
            close = difflib.get_close_matches(name, self._encoders, n=1, cutoff=0.3)
            hint = (
                self.tr("did you mean {0}?").format(close[0]) if close else self.tr("choose one of the list")
            )
            found.append(self.tr("The encoder {0} is unknown; {1}").format(repr(name), hint))
        if self._missing:
            found.append(self.tr("The weights file {0} does not exist; choose another").format(self._file))
        return found

    def _make_encoder(self) -> QComboBox:
        box = QComboBox(editable=True, insertPolicy=QComboBox.InsertPolicy.NoInsert)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(16)
        self._model = QStringListModel(self)
        completer = QCompleter(self._model, self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setMaxVisibleItems(12)
        completer.activated.connect(self._on_encoder)
        box.activated.connect(lambda _: self._on_encoder())
        line = QLineEdit()
        line.setAccessibleName(self.tr("Encoder"))
        box.setLineEdit(line)
        box.setCompleter(completer)
        line.editingFinished.connect(self._on_encoder)
        line.textEdited.connect(lambda _: self._on_typed())
        return box

    def _on_typed(self) -> None:
        self._show_note()
        self.faults_changed.emit()

    def _on_encoder(self, _: str = "") -> None:
        name = self.encoder.currentText().strip()
        self._show_note()
        if name.partition(".")[0] in self._encoders:
            self.changed.emit("encoder", name)

    def _on_weights(self, index: int) -> None:
        if index == FROM_FILE:
            self._choose_file()
        else:
            self.changed.emit("weights", "imagenet" if index == IMAGENET else None)

    def _choose_file(self) -> None:
        title, kinds = self.tr("Encoder weights"), self.tr("Weights (*.safetensors)")
        path, _ = QFileDialog.getOpenFileName(self, title, self._file or "", kinds)
        if path:
            self.changed.emit("weights", path)
        else:
            self._show_weights(FROM_FILE if self._file else IMAGENET)

    def _show_weights(self, index: int) -> None:
        name = Path(self._file).name if self._file else self.tr("a file…")
        texts = [
            self.tr("ImageNet (offline folder, else download)"),
            name,
            self.tr("none (learn from scratch)"),
        ]
        _fill(self.weights, texts, texts[index])
        self.browse.setVisible(index == FROM_FILE)

    def _show_note(self) -> None:
        name = self.encoder.currentText()
        licence = next((text for part, text in self._licences.items() if part in name), "")
        notes = [f"⚠ {fault}" for fault in self.faults]
        notes += [self.tr("Licence of its weights: {0}").format(licence)] if licence else []
        self.note.setText("\n".join(notes))
        self.note.setVisible(bool(notes))

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnMinimumWidth(0, LABEL_WIDTH_PX)
        grid.setColumnStretch(1, 8)
        grid.setColumnStretch(3, 1)
        rows = [
            (
                self.tr("&Encoder"),
                self.encoder,
                self.tr("Type a part of a name: smp's own, or timm's as tu-…"),
            ),
            (self.tr("&Decoder"), self.decoder, self.tr("Turns the encoder's features into classes")),
            (
                self.tr("&Weights"),
                self.weights,
                self.tr("What the encoder knows at the start; without any, far more labels are needed"),
            ),
        ]
        for row, (text, control, tip) in enumerate(rows):
            label = QLabel(text)
            label.setBuddy(control)
            control.setToolTip(tip)
            control.setAccessibleName(text.replace("&", ""))
            control.setMaximumWidth(FIELD_WIDTH_PX)
            control.setMinimumHeight(control.fontMetrics().height() + 10)
            grid.addWidget(label, row, 0)
            grid.addWidget(control, row, 1)
        self.browse.setAccessibleName(self.tr("Choose a weights file"))
        self.browse.setToolTip(self.tr("A .safetensors file of this encoder"))
        grid.addWidget(self.browse, 2, 2)
        grid.addWidget(self.note, 3, 1, 1, 3)


def _fill(box: QComboBox, texts: Sequence[str], current: str) -> None:
    box.clear()
    box.addItems(list(texts))
    box.setCurrentIndex(max(box.findText(current), 0))
