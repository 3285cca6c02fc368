"""What of a finished run to show on the map: a scene, and which of its layers."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

NEEDS_BOTH = ("disagreement", "swipe")


class MapChoice(QGroupBox):
    """`chosen` carries (stem of the scene, what); what is one of the keys of `buttons`."""

    chosen = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("Show on the map"))
        self._models: dict[str, Sequence[str]] = {}
        self.scene = QComboBox(self)
        self.scene.setAccessibleName(self.tr("Scene"))
        self.scene.setToolTip(self.tr("The target scene whose map to show"))
        self.scene.currentTextChanged.connect(self._enable)
        label = QLabel(self.tr("S&cene"), self)
        label.setBuddy(self.scene)
        self.buttons = self._make_buttons()
        row = QHBoxLayout()
        row.addWidget(label)
        row.addWidget(self.scene, 1)
        grid = QGridLayout()
        for i, button in enumerate(self.buttons.values()):
            grid.addWidget(button, i // 3, i % 3)
        layout = QVBoxLayout(self)
        layout.addLayout(row)
        layout.addLayout(grid)

    def show_maps(self, models: Mapping[str, Sequence[str]]) -> None:
        """Offer these scenes, and of each what its models allow."""
        before = self.scene.currentText()
        self._models = dict(models)
        self.scene.clear()
        self.scene.addItems(list(models))
        if before in models:
            self.scene.setCurrentText(before)
        self._enable()

    def _make_buttons(self) -> dict[str, QPushButton]:
        tr = self.tr
        texts = {
            "chosen": (tr("C&hosen map"), tr("The classes by the model that the verdict chose")),
            "source-only": (tr("Source-&only"), tr("The classes before adapting")),
            "adapted": (tr("A&dapted"), tr("The classes after adapting")),
            "swipe": (tr("S&wipe"), tr("Source-only left of a line, adapted right of it; drag the line")),
            "disagreement": (tr("Disa&greement"), tr("The pixels on which the two models differ")),
            "confidence": (tr("Co&nfidence"), tr("How sure the chosen model is of each pixel, 0 to 1")),
        }
        buttons = {}
        for what, (text, tip) in texts.items():
            buttons[what] = button = QPushButton(text, self)
            button.setToolTip(tip)
            button.setAccessibleName(text.replace("&", ""))
            button.clicked.connect(lambda _, what=what: self.chosen.emit(self.scene.currentText(), what))
        return buttons

    def _enable(self) -> None:
        models = self._models.get(self.scene.currentText(), ())
        for what, button in self.buttons.items():
            needed = ("source-only", "adapted") if what in NEEDS_BOTH else (what,)
            button.setEnabled(
                bool(models) and (what in ("chosen", "confidence") or set(needed) <= set(models))
            )
