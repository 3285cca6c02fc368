"""Colours and shipped legends: told apart by any eye, and as their publishers wrote them."""

from itertools import combinations

import pytest

from app.legends import Preset, presets
from app.palettes import LEAST_DIFFERENCE, OKABE_ITO, alike, difference, next_color, palette_of


def test_ochre_and_olive_are_alike_to_a_deuteranope() -> None:
    assert difference("#e41a1c", "#4daf4a") > LEAST_DIFFERENCE
    assert list(alike(["#b8860b", "#a0a000", "#0000ff"])) == [(0, 1)]


def test_the_palette_begins_with_okabe_and_ito_and_no_two_are_alike() -> None:
    colors = palette_of(16)
    assert colors[:7] == list(OKABE_ITO)
    assert not list(alike(colors))


def test_far_more_classes_than_the_palettes_hold_still_get_different_colours() -> None:
    colors = palette_of(30)
    assert len(set(colors)) == 30
    assert min(difference(a, b) for a, b in combinations(colors, 2)) > 5


def test_a_new_class_avoids_the_colours_in_use() -> None:
    assert next_color([]) == OKABE_ITO[0]
    assert next_color(["#0072b2"]) == OKABE_ITO[1]
    assert next_color(["#0070b0"]) == OKABE_ITO[1]


@pytest.mark.parametrize("preset", presets(), ids=lambda preset: preset.name)
def test_a_shipped_legend_maps_each_value_to_one_class(preset: Preset) -> None:
    ids = preset.legend.class_ids()
    assert set(range(len(preset.legend.classes))) <= set(ids.values())
    assert preset.about


def test_values_and_colours_are_as_published() -> None:
    by_name = {preset.name: preset.legend for preset in presets()}
    cover = by_name["ESA WorldCover 2020/2021"]
    assert {c.values[0]: (c.name, c.color) for c in cover.classes}[95] == ("mangroves", "#00cf75")
    assert by_name["LoveDA"].class_ids()[0] == 255
    assert by_name["DeepGlobe Land Cover"].class_ids()["#00ffff"] == 0
    assert by_name["CORINE level 1 (vector, codes 111 to 523)"].class_ids()[523] == 4
    assert by_name["Change (binary)"].class_ids()[255] == 1
