"""Methods chosen by mouse and by arrow keys, family by family, and their recipes."""

import pytest
from described import STATISTICS, described
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.panels.method_cards import Family, MethodCards


@pytest.fixture
def cards(qtbot: QtBot) -> MethodCards:
    found = MethodCards()
    qtbot.addWidget(found)
    found.resize(800, 300)
    found.show()
    found.describe(described(), "combined")
    found.set_current("combined")
    return found


def test_the_default_comes_first_and_says_what_it_is(cards: MethodCards) -> None:
    assert list(cards.cards) == ["combined", "adabn", "dilated", "source_only"]
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


def test_arrow_keys_move_the_choice_among_what_is_in_sight(cards: MethodCards, qtbot: QtBot) -> None:
    cards.families["Self-training"].set_open(True)
    cards.families["Self-training"].set_open(False)
    cards.families[STATISTICS].set_open(True)
    chosen: list[str] = []
    cards.chosen.connect(chosen.append)
    cards.taken.connect(chosen.append)
    cards.cards["combined"].radio.setFocus()
    for _ in range(4):
        qtbot.keyClick(cards.focusWidget(), Qt.Key.Key_Down)
    assert chosen[0] in ("adabn", "source_only")
    assert "overhead/dilated" not in chosen


def test_a_click_on_the_chosen_card_changes_nothing(cards: MethodCards, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(cards.chosen):
        qtbot.mouseClick(cards.cards["combined"], Qt.MouseButton.LeftButton)
    assert cards.cards["combined"].radio.isChecked()


def test_families_stand_in_order_and_only_that_of_the_chosen_is_open(cards: MethodCards) -> None:
    assert list(cards.families) == ["Recommended", STATISTICS, "Self-training"]
    assert [name for name, family in cards.families.items() if family.open] == ["Recommended"]
    cards.set_current("adabn")
    assert [name for name, family in cards.families.items() if family.open] == ["Recommended", STATISTICS]


def test_a_family_that_the_user_folds_stays_so_and_names_its_cards(cards: MethodCards, qtbot: QtBot) -> None:
    family = cards.families["Recommended"]
    qtbot.mouseClick(family.heading, Qt.MouseButton.LeftButton)
    cards.set_current("combined")
    assert not family.open
    assert family.heading.text() == "Recommended: ✓ Combined"
    qtbot.keyClick(family.heading, Qt.Key.Key_Space)
    assert family.open
    assert family.heading.text() == "Recommended"


def test_a_long_heading_is_cut_and_does_not_widen_the_panel(cards: MethodCards, qtbot: QtBot) -> None:
    family = cards.families[STATISTICS]
    cards.resize(200, 600)
    qtbot.waitUntil(lambda: family.heading.text().endswith("…"))
    full = f"{STATISTICS}: AdaBN, Source only"
    assert family.heading.accessibleName() == full
    assert cards.width() < family.heading.fontMetrics().horizontalAdvance(full)


def test_the_chosen_card_offers_its_recipes(cards: MethodCards, qtbot: QtBot) -> None:
    assert [name for name, card in cards.cards.items() if card.take.isVisible()] == ["combined"]
    action, variant = cards.cards["combined"].take.menu().actions()
    assert (action.text(), variant.text()) == ("Combined, overhead", "Combined, plain")
    assert "schedule.steps: 900" in action.toolTip()
    assert "decoder_channels" not in action.toolTip(), "it goes back to its default"
    with qtbot.waitSignal(cards.taken) as taken:
        action.trigger()
    assert taken.args == ["overhead/combined"]


def test_a_method_without_recipes_offers_none(cards: MethodCards) -> None:
    cards.set_current("adabn")
    assert not cards.cards["adabn"].take.isVisible()


def test_a_recipe_with_a_card_stands_among_the_methods(cards: MethodCards, qtbot: QtBot) -> None:
    card = cards.cards["dilated"]
    assert card.radio.text() == "Dilated (overhead)"
    assert "Costs: more" in card.radio.accessibleDescription()
    cards.families["Self-training"].set_open(True)
    with qtbot.waitSignal(cards.taken) as taken, qtbot.assertNotEmitted(cards.chosen):
        qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    assert taken.args == ["overhead/dilated"]
    assert list(card.recipes) == ["overhead/dilated"]


def test_described_anew_the_choice_stays(cards: MethodCards) -> None:
    cards.set_current("adabn")
    cards.describe(described(), "combined")
    assert list(cards.findChildren(Family)) == list(cards.families.values())
    assert cards.cards["adabn"].radio.isChecked()
    assert cards.families[STATISTICS].open


def test_an_unknown_method_marks_no_card(cards: MethodCards) -> None:
    cards.set_current("nothing like it")
    assert not any(card.radio.isChecked() for card in cards.cards.values())


def test_cards_stand_below_each_other_where_it_is_narrow(cards: MethodCards, qtbot: QtBot) -> None:
    def columns() -> int:
        return len({cards.cards[name].x() for name in ("adabn", "source_only")})

    cards.families[STATISTICS].set_open(True)
    qtbot.waitUntil(lambda: columns() == 2)
    cards.resize(350, 600)
    qtbot.waitUntil(lambda: columns() == 1)
