"""Methods chosen by mouse and by arrow keys."""

import pytest
from described import described
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.panels.method_cards import MethodCards


@pytest.fixture
def cards(qtbot: QtBot) -> MethodCards:
    found = MethodCards()
    qtbot.addWidget(found)
    found.resize(800, 300)
    found.show()
    found.set_methods(described()["methods"], "combined")
    found.set_current("combined")
    return found


def test_the_default_comes_first_and_says_what_it_is(cards: MethodCards) -> None:
    assert list(cards.cards) == ["combined", "adabn", "source_only"]
    radio = cards.cards["adabn"].radio
    assert (radio.text(), radio.accessibleDescription()) == (
        "AdaBN",
        "Statistics renewed on the target. Costs: a minute Use it: to try first",
    )


def test_a_click_anywhere_on_a_card_chooses_it(cards: MethodCards, qtbot: QtBot) -> None:
    card = cards.cards["adabn"]
    with qtbot.waitSignal(cards.chosen) as chosen:
        qtbot.mouseClick(card, Qt.MouseButton.LeftButton, pos=card.rect().center())
    assert chosen.args == ["adabn"]
    assert [name for name, card in cards.cards.items() if card.property("chosen")] == ["adabn"]


def test_arrow_keys_move_the_choice(cards: MethodCards, qtbot: QtBot) -> None:
    cards.cards["combined"].radio.setFocus()
    with qtbot.waitSignal(cards.chosen) as chosen:
        qtbot.keyClick(cards.cards["combined"].radio, Qt.Key.Key_Right)
    assert chosen.args == ["adabn"]


def test_an_unknown_method_marks_no_card(cards: MethodCards) -> None:
    cards.set_current("nothing like it")
    assert not any(card.radio.isChecked() for card in cards.cards.values())


def test_cards_stand_below_each_other_where_it_is_narrow(cards: MethodCards) -> None:
    def columns() -> int:
        return len({card.x() for card in cards.cards.values()})

    assert columns() == 2
    cards.resize(350, 600)
    cards._grid.activate()
    assert columns() == 1
