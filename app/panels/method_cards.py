"""The methods as cards: what each does in a line, what it costs, when to use it. One is chosen."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QGridLayout, QLabel, QRadioButton, QVBoxLayout, QWidget

CARD_WIDTH_PX = 340
FRAMES = """
MethodCard { border: 1px solid palette(mid); border-radius: 4px; margin: 1px; }
MethodCard[chosen="true"] { border: 2px solid palette(highlight); margin: 0; }
"""


class MethodCards(QWidget):
    """Cards in as many columns as fit; arrow keys move between them. `chosen` carries a method's name."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards: dict[str, MethodCard] = {}
        self._group = QButtonGroup(self)
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)

    def set_methods(self, methods: Mapping[str, Mapping[str, Any]], first: str = "") -> None:
        """Show the methods that the engine described, `first` before the others."""
        for card in self.cards.values():
            self._group.removeButton(card.radio)
            card.deleteLater()
        names = sorted(methods, key=lambda name: (name != first, name))
        self.cards = {name: MethodCard(name, methods[name], self) for name in names}
        for name, card in self.cards.items():
            self._group.addButton(card.radio)
            card.radio.clicked.connect(lambda _=False, name=name: self._choose(name))
        self._columns = 0
        self._arrange()

    def set_current(self, name: str) -> None:
        """Mark the card of a method, none if there is no such method. Says nothing."""
        self._group.setExclusive(False)
        for each, card in self.cards.items():
            card.radio.setChecked(each == name)
            card.mark(each == name)
        self._group.setExclusive(True)

    def _choose(self, name: str) -> None:
        self.set_current(name)
        self.chosen.emit(name)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        columns = max(1, min(3, self.width() // CARD_WIDTH_PX))
        if columns == self._columns:
            return
        self._columns = columns
        for number, card in enumerate(self.cards.values()):
            self._grid.addWidget(card, number // columns, number % columns)
        for column in range(3):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)


class MethodCard(QFrame):
    """One method. A click anywhere chooses it."""

    def __init__(self, name: str, described: Mapping[str, Any], parent: QWidget) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setStyleSheet(FRAMES)
        title, line = _title(name, str(described.get("summary", "")))
        card = described.get("card") or {}
        self.radio = QRadioButton(title.replace("&", "&&"))
        font = self.radio.font()
        font.setBold(True)
        self.radio.setFont(font)
        texts = [
            line,
            self.tr("Costs: {0}").format(card["cost"]) if card.get("cost") else "",
            self.tr("Use it: {0}").format(card["use"]) if card.get("use") else "",
        ]
        self.radio.setAccessibleName(title)
        self.radio.setAccessibleDescription(" ".join(filter(None, texts)))
        self.setToolTip(str(described.get("description", "")))
        layout = QVBoxLayout(self)
        layout.setSpacing(2)
        layout.addWidget(self.radio)
        for text in filter(None, texts):
            layout.addWidget(_line(text))
        layout.addStretch()

    def mark(self, chosen: bool) -> None:
        """A second sign of what the radio button says."""
        self.setProperty("chosen", chosen)
        self.style().unpolish(self)
        self.style().polish(self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.radio.setFocus(Qt.FocusReason.MouseFocusReason)
            self.radio.click()
        super().mousePressEvent(event)


def _title(name: str, summary: str) -> tuple[str, str]:
    """`AdaBN: batch-norm ...` is the card's title and its line."""
    title, colon, line = summary.partition(": ")
    return (title, line[:1].upper() + line[1:]) if colon else (name, summary)


def _line(text: str) -> QLabel:
    label = QLabel(text, wordWrap=True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
