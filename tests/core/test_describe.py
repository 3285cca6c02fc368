"""What the window builds its forms from: complete for every method, preset and device, and plain JSON."""

import json
from typing import Any

import pytest

from core import registry
from core.describe import description
from core.parts.adversary import FAIR, FAIR_LSGAN


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(json.dumps(description()))
    return answer


def test_every_method_has_a_card_and_explains_its_options(said: dict[str, Any]) -> None:
    assert list(said["methods"]) == registry.names()
    for name, method in said["methods"].items():
        assert set(method["card"]) == {"cost", "use", "kind"}, name
        assert all(len(method["card"][key]) > 20 for key in ("cost", "use")), name
        assert all(option["description"] for option in method["options"].get("properties", {}).values())
        assert method["defaults"].keys() == method["options"].get("properties", {}).keys()


def test_healthy_bands_hold_the_coin_toss_of_their_own_scale(said: dict[str, Any]) -> None:
    assert FAIR.low < 0.693 < FAIR.high
    assert FAIR_LSGAN.low < 0.25 < FAIR_LSGAN.high
    for name, method in said["methods"].items():
        for loss, band in method["healthy"].items():
            assert band["low"] < band["high"], (name, loss)
            assert band["label"], (name, loss)
    assert set(said["methods"]["combined"]["healthy"]) == {"discriminator"}
    assert said["methods"]["source_only"]["healthy"] == {}


def test_presets_devices_and_licences_are_named(said: dict[str, Any]) -> None:
    assert set(said["presets"]) == {"quick", "standard", "best"}
    assert all(preset["label"] and preset["summary"] for preset in said["presets"].values())
    assert said["devices"][0] == "cpu"
    assert set(said["device_details"]) == set(said["devices"])
    memory_gib = said["device_details"]["cpu"]["memory_gib"]
    assert memory_gib is None or memory_gib > 0
    assert any("mit_b" in part for part in said["licences"])


def test_encoders_of_presets_and_recipes_are_among_those_described(said: dict[str, Any]) -> None:
    for preset in [*said["presets"].values(), *said["recipes"].values()]:
        assert preset["settings"].get("network.encoder", "resnet18") in said["encoders"]


def test_recipes_are_of_methods_described(said: dict[str, Any]) -> None:
    for recipe in said["recipes"].values():
        method = recipe["settings"]["method"]
        assert method["options"].keys() <= said["methods"][method["name"]]["options"]["properties"].keys()
        assert recipe["label"]
        assert recipe["summary"]
