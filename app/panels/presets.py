"""Presets: one press sets what decides between minutes and a night."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from app.edits import Document
from app.launch import Preset, preset_in_use, preset_values, words_of


class PresetRow(QWidget):
    """A button for each preset that the engine describes; the one in use is pressed. Hidden without any."""

    applied = Signal(str)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._presets: Mapping[str, Preset] = {}
        self._schema: Mapping[str, Any] = {}
        self.buttons: dict[str, QPushButton] = {}
        self.line = QLabel(wordWrap=True)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(QLabel(self.tr("Preset")))
        self._layout.addWidget(self.line, 1)
        document.changed.connect(self._refresh)
        self.hide()

    def describe(self, description: Mapping[str, Any]) -> None:
        self._presets, self._schema = description.get("presets", {}), description["job"]
        for old in self.buttons.values():
            old.deleteLater()
        self.buttons = {name: self._button(name, preset) for name, preset in self._presets.items()}
        for place, button in enumerate(self.buttons.values(), 1):
            self._layout.insertWidget(place, button)
        self.setVisible(bool(self.buttons))
        self._refresh()

    def apply(self, name: str) -> None:
        """Set what the preset sets, as one undo step."""
        edit = preset_values(self._presets[name], self._presets, self._schema)
        self._document.change(self.tr("Take the preset {0}").format(name.replace("_", " ")), edit)
        self._refresh()
        self.applied.emit(name)

    def _button(self, name: str, preset: Preset) -> QPushButton:
        title = str(preset.get("label") or name.replace("_", " ")).capitalize()
        button = QPushButton(title)
        button.setCheckable(True)
        button.setAccessibleName(self.tr("Preset {0}").format(title))
        edit = preset_values(preset, self._presets, self._schema)
        button.setToolTip("\n".join([str(preset.get("summary", "")), *words_of(edit)]).strip())
        button.clicked.connect(lambda _=False: self.apply(name))
        return button

    def _refresh(self, _: object = None) -> None:
        used = preset_in_use(self._document.project, self._presets, self._schema)
        for name, button in self.buttons.items():
            button.setChecked(name == used)
        summary = str(self._presets[used].get("summary", "")) if used else ""
        self.line.setText(summary or (self.tr("Settings of your own") if self.buttons else ""))
