"""The methods as cards: what each does in a line, what it costs, when to use it. One is chosen."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.launch import Preset, recipe_values, stem, told_by, words_of
from app.section import Section
from core.card import KINDS

CARD_WIDTH_PX, ARROW_PX = 340, 40
FRAMES = """
MethodCard { border: 1px solid palette(mid); border-radius: 4px; margin: 1px; }
MethodCard[chosen="true"] { border: 2px solid palette(highlight); margin: 0; }
"""
Described = Mapping[str, Any]


class MethodCards(QWidget):
    """Cards by family, in as many columns as fit; arrow keys move between those in sight.

    `chosen` carries a method's name, `taken` a recipe's: from the menu of a card, or from its own card.
    """

    chosen = Signal(str)
    taken = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards: dict[str, MethodCard] = {}
        self.families: dict[str, Family] = {}
        self._current = ""
        self._own: dict[str, str] = {}
        self._group = QButtonGroup(self)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)

    def describe(self, description: Described, first: str = "") -> None:
        """Show the methods that the engine described and their recipes, `first` before the others."""
        for family in self.families.values():
            family.setParent(None)
            family.deleteLater()
        recipes, schema = description.get("recipes", {}), description["job"]
        sets = {name: words_of(recipe_values(recipe, schema)) for name, recipe in recipes.items()}
        self._own = {stem(name): name for name in told_by(recipes)}
        shown = {
            **description["methods"],
            **{key: _as_method(recipes[name], sets[name]) for key, name in self._own.items()},
        }
        self.cards = {
            name: MethodCard(name, shown[name])
            for name in sorted(shown, key=lambda name: (name != first, name))
        }
        for name, recipe in recipes.items():
            self.cards[stem(name)].offer(name, recipe, sets[name])
        for name, card in self.cards.items():
            self._group.addButton(card.radio)
            card.radio.clicked.connect(lambda _=False, name=name: self._choose(name))
            card.taken.connect(self.taken)
        current, self._current = self._current, ""
        self._lay_out()
        self.set_current(current)

    def set_current(self, name: str) -> None:
        """Mark the card of a method, none if there is no such method. Says nothing."""
        if name == self._current:
            return
        self._group.setExclusive(False)
        for each, card in self.cards.items():
            card.mark(each == name)
        self._group.setExclusive(True)
        for family in self.families.values():
            family.tell(unfold=True)
        self._current = name

    def tick(self, used: str | None) -> None:
        """Tick the recipe that the project follows to the letter."""
        for card in self.cards.values():
            for name, action in card.recipes.items():
                action.setChecked(name == used)

    def _choose(self, name: str) -> None:
        if name == self._current:
            return
        self.set_current(name)
        if name in self._own:
            self.taken.emit(self._own[name])
        else:
            self.chosen.emit(name)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _lay_out(self) -> None:
        self.families = {}
        for kind in KINDS:
            if cards := [card for card in self.cards.values() if card.kind == kind]:
                self.families[kind] = Family(kind, cards)
                self._layout.addWidget(self.families[kind])
        self._arrange()

    def _arrange(self) -> None:
        for family in self.families.values():
            family.arrange(max(1, min(3, self.width() // CARD_WIDTH_PX)))


class Family(Section):
    """Cards of one kind below a heading that names them, so that they are found while it is folded."""

    def __init__(self, kind: str, cards: "Sequence[MethodCard]", parent: QWidget | None = None) -> None:
        super().__init__(kind, parent=parent)
        self._kind, self._cards = kind, cards
        self._columns = 0
        # A long heading is cut; it must not widen the panel.
        self.heading.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        inside = QWidget()
        self._grid = QGridLayout(inside)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self.add(inside)
        self.unfolded.connect(self._on_fold)
        self._on_fold(self.open)

    def arrange(self, columns: int) -> None:
        if columns != self._columns:
            self._columns = columns
            for number, card in enumerate(self._cards):
                self._grid.addWidget(card, number // columns, number % columns)
            for column in range(3):
                self._grid.setColumnStretch(column, 1 if column < columns else 0)
        self.tell()

    def tell(self, unfold: bool = False) -> None:
        """Name the cards in the heading while they are folded; `unfold`: not where one of them is chosen."""
        if unfold and any(card.radio.isChecked() for card in self._cards):
            self.set_open(True)
        names = ", ".join(f"✓ {card.title}" if card.radio.isChecked() else card.title for card in self._cards)
        self.set_title(self._kind if self.open else f"{self._kind}: {names}")
        shown = self.heading.fontMetrics().elidedText(
            self.heading.text(), Qt.TextElideMode.ElideRight, self.width() - ARROW_PX
        )
        self.heading.setText(shown.replace("&", "&&"))

    def _on_fold(self, open: bool) -> None:
        # Arrow keys would go on to a button that only its parent hides.
        for card in self._cards:
            card.radio.setVisible(open)
        self.tell()


class MethodCard(QFrame):
    """One method. A click anywhere chooses it; the chosen one offers its recipes."""

    taken = Signal(str)

    def __init__(self, name: str, described: Described, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setStyleSheet(FRAMES)
        self.title, line = _title(name, str(described.get("summary", "")))
        card = described.get("card") or {}
        self.kind = str(card.get("kind", KINDS[-1]))
        self.radio = QRadioButton(self.title.replace("&", "&&"))
        font = self.radio.font()
        font.setBold(True)
        self.radio.setFont(font)
        texts = [
            line,
            self.tr("Costs: {0}").format(card["cost"]) if card.get("cost") else "",
            self.tr("Use it: {0}").format(card["use"]) if card.get("use") else "",
        ]
        self.radio.setAccessibleName(self.title)
        self.radio.setAccessibleDescription(" ".join(filter(None, texts)))
        self.setToolTip(str(described.get("description", "")))
        self.recipes: dict[str, QAction] = {}
        self.take = self._take_button()
        layout = QVBoxLayout(self)
        layout.setSpacing(2)
        head = QHBoxLayout()
        head.addWidget(self.radio, 1)
        head.addWidget(self.take)
        layout.addLayout(head)
        for text in filter(None, texts):
            layout.addWidget(_line(text))
        layout.addStretch()

    def mark(self, chosen: bool) -> None:
        """Choose the card or not. The frame is a second sign of what the radio button says."""
        self.radio.setChecked(chosen)
        self.take.setVisible(chosen and bool(self.recipes))
        self.setProperty("chosen", chosen)
        self.style().unpolish(self)
        self.style().polish(self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.radio.setFocus(Qt.FocusReason.MouseFocusReason)
            self.radio.click()
        super().mousePressEvent(event)

    def offer(self, name: str, recipe: Preset, sets: Sequence[str]) -> None:
        """Put a recipe into the menu; `sets` is what it sets, in words."""
        action = self.take.menu().addAction(str(recipe["label"]).replace("&", "&&"))
        action.setToolTip("\n".join([str(recipe["summary"]), *sets]))
        action.setCheckable(True)
        action.triggered.connect(lambda _: self.taken.emit(name))
        self.recipes[name] = action

    def _take_button(self) -> QPushButton:
        button = QPushButton(self.tr("Take a setting"))
        button.setAccessibleName(self.tr("Take a setting of {0}").format(self.title))
        button.setToolTip(self.tr("Options, network and schedule that go together"))
        menu = QMenu(button)
        menu.setToolTipsVisible(True)
        button.setMenu(menu)
        button.hide()
        return button


def _as_method(recipe: Preset, sets: Sequence[str]) -> Described:
    """A recipe in the words in which a method is described."""
    return {
        "summary": f"{recipe['label']}: {recipe['summary']}",
        "description": "\n".join([str(recipe["summary"]), *sets]),
        "card": recipe["card"],
    }


def _title(name: str, summary: str) -> tuple[str, str]:
    """`AdaBN: batch-norm ...` is the card's title and its line."""
    title, colon, line = summary.partition(": ")
    return (title, line[:1].upper() + line[1:]) if colon else (name, summary)


def _line(text: str) -> QLabel:
    label = QLabel(text, wordWrap=True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
