"""Presets, folders, commands and estimates, without a window."""

import shlex
from pathlib import Path

import pytest
from described import described

from app.launch import (
    command,
    default_of,
    estimate_words,
    preset_in_use,
    preset_values,
    read_estimate,
    run_folder,
)
from app.project import REMOVE, Project
from core.cost import Cost, PhaseCost

SCHEMA, PRESETS = described()["job"], described()["presets"]


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
