"""Presets, folders, commands and estimates, without a window."""

import shlex
from pathlib import Path

import pytest
from described import described

from app.launch import (
    card_of,
    command,
    default_of,
    preset_in_use,
    preset_values,
    read_estimate,
    recipe_in_use,
    recipe_values,
    run_folder,
    words_of,
)
from app.project import REMOVE, Project
from app.run_words import estimate_words
from core.cost import Cost, PhaseCost

SCHEMA, PRESETS, RECIPES = (described()[key] for key in ("job", "presets", "recipes"))


def with_values(**values: object) -> Project:
    return Project({"name": "a b", **values})


def test_a_preset_sets_its_own_and_undoes_what_others_set() -> None:
    assert preset_values(PRESETS["quick"], PRESETS, SCHEMA) == {
        ("schedule", "steps"): 300,
        ("sampling", "crop_px"): 128,
    }
    assert preset_values(PRESETS["standard"], PRESETS, SCHEMA) == {
        ("schedule", "steps"): REMOVE,
        ("sampling", "crop_px"): REMOVE,
    }


@pytest.mark.parametrize(
    ("values", "used"),
    [
        ({}, "standard"),
        ({"schedule": {"steps": 2000, "lr": 1.0}}, "standard"),
        ({"schedule": {"steps": 300}, "sampling": {"crop_px": 128}}, "quick"),
        ({"schedule": {"steps": 300}}, None),
    ],
)
def test_the_preset_in_use_is_recognised(values: dict[str, object], used: str | None) -> None:
    assert preset_in_use(with_values(**values), PRESETS, SCHEMA) == used


def test_a_recipe_sets_its_method_wholly_and_writes_no_default() -> None:
    assert recipe_values(RECIPES["overhead/combined"], SCHEMA) == {
        ("method",): {"name": "combined", "options": {"blur": 0.1}},
        ("schedule", "steps"): 900,
        ("network", "encoder"): "resnet18",
        ("network", "decoder_channels"): REMOVE,
    }


def test_the_recipe_in_use_is_recognised() -> None:
    whole = {
        "method": {"name": "combined", "options": {"blur": 0.1}},
        "schedule": {"steps": 900},
        "network": {"encoder": "resnet18"},
    }
    assert recipe_in_use(with_values(**whole), RECIPES, SCHEMA) == "overhead/combined"
    assert recipe_in_use(with_values(**whole, sampling={"batch": 1}), RECIPES, SCHEMA) == "overhead/combined"
    assert recipe_in_use(with_values(**{**whole, "schedule": {"steps": 9}}), RECIPES, SCHEMA) is None


@pytest.mark.parametrize(
    ("values", "card"),
    [
        ({}, "combined"),
        ({"network": {"output_stride": 8}}, "dilated"),
        ({"network": {"output_stride": None}}, "combined"),
        ({"network": {"output_stride": 8}, "method": {"name": "adabn"}}, "adabn"),
        ({"method": {"name": "nothing"}}, "nothing"),
    ],
)
def test_a_card_of_its_own_is_known_by_one_setting(values: dict[str, object], card: str) -> None:
    assert card_of(with_values(**values), RECIPES, SCHEMA) == card


def test_an_edit_is_told_by_what_it_sets() -> None:
    edit = {("method",): {"name": "a", "options": {"b": [1, 2]}}, ("seed",): REMOVE}
    assert words_of(edit) == ["method.name: a", "method.options.b: [1, 2]"]


def test_defaults_are_found_through_references() -> None:
    assert default_of(SCHEMA, ("schedule", "steps")) == 2000
    assert default_of(SCHEMA, ("schedule", "nothing")) is REMOVE


def test_a_run_has_a_folder_of_its_own(tmp_path: Path) -> None:
    project = with_values(seed=3)
    assert run_folder(project) is None
    project.path = tmp_path / "p.yaml"
    first = run_folder(project)
    assert first == tmp_path / "runs" / "a_b-combined-s3"
    first.mkdir(parents=True)
    assert run_folder(project) == tmp_path / "runs" / "a_b-combined-s3-2"


def test_a_command_survives_spaces() -> None:
    text = command(Path("my job.yaml"), Path("runs/x"))
    assert shlex.split(text) == ["isthmus", "run", "my job.yaml", "--to", "runs/x"]


def cost() -> Cost:
    return Cost(
        device="cpu",
        phases=[PhaseCost(name="adapt", steps=1000, seconds_per_step=0.6)],
        judging_s=60,
        maps_s=60,
        tiles=4,
        memory_gib=1.3,
        memory_there_gib=8,
        disk_gib=1e6,
        disk_free_gib=2e6,
    )


def test_an_estimate_is_read_in_words_with_the_disk_of_the_run(tmp_path: Path) -> None:
    read = read_estimate(cost().content(), tmp_path / "runs" / "not yet")
    assert read is not None
    assert estimate_words(read) == "about 12 min on cpu, 1.3 GiB of memory, up to 1000000.0 GiB on disk"
    assert "free some" in read.warnings[0]
    assert read_estimate({"seconds": 3}, tmp_path) is None
