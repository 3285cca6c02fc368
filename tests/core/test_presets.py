"""Presets and recipes: what they set, what they leave alone, and that names lead to them."""

import json
from pathlib import Path

import pytest
from engines import job_for
from typer.testing import CliRunner

import core.presets
from core.cli import app
from core.errors import BadInput
from core.job import Sampling, Schedule, load_job
from core.networks.decoders import check_decoder
from core.options import load_yaml
from core.presets import preset, presets, recipes
from core.sweeps import sweeps
from core.variants import parse_settings, with_settings


def test_there_are_three_from_short_to_long_each_explained() -> None:
    found = presets()
    assert [each.name for each in found] == ["quick", "standard", "best"]
    assert all(each.title and each.summary for each in found)
    assert len({each.summary for each in found}) == 3


def test_each_makes_a_valid_job(places: Path) -> None:
    job = job_for(places)
    for each in presets():
        made = with_settings(job, each.settings, places)
        assert made.schedule.steps == each.settings["schedule.steps"]
        assert made.predict.overlap_px < made.predict.tile_px


def test_the_standard_is_the_defaults_and_undoes_what_another_set(places: Path) -> None:
    job = job_for(places)
    best = with_settings(job, preset("best").settings, places)
    standard = with_settings(best, preset("standard").settings, places)
    assert standard == with_settings(job, preset("standard").settings, places)
    assert standard.schedule.steps == Schedule().steps
    assert best.network.encoder != standard.network.encoder


def test_another_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="did you mean 'quick'"):
        preset("quik")


def test_a_run_takes_a_preset_and_single_settings_over_it(places: Path) -> None:
    job_for(places, "source_only")
    network = "{encoder: resnet18, encoder_depth: 3, decoder_channels: [8, 8, 8], weights: null}"
    over = [f"network={network}", "sampling.crop_px=32", "schedule.steps=2"]
    words = ["run", str(places / "job.yaml"), "--preset", "quick", "--to", str(places / "run")]
    ran = CliRunner().invoke(app, [*words, *(word for text in over for word in ("--set", text))])
    assert ran.exit_code == 0, ran.output
    job = load_job(places / "run" / "job.yaml")
    assert job.schedule.steps == 2
    assert job.predict.tile_px == preset("quick").settings["predict.tile_px"]


def test_a_preset_names_the_whole_network_but_its_weights(places: Path) -> None:
    job = with_settings(job_for(places), {"network.decoder": "deeplabv2", "network.output_stride": 8}, places)
    for each in presets():
        made = with_settings(job, each.settings, places)
        check_decoder(made.network)
        assert made.network.weights is None


RECIPE = """
title: Whole
summary: All of it.
method: {name: advent, options: {variant: minent}}
settings:
  network: {encoder: resnet34}
  schedule: {lr: 0.5}
"""
CARD = """
  sampling: {batch: 9}
card: {cost: much, use: sometimes, kind: Adversarial}
told_by: schedule.lr
"""


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of recipes beside one preset."""
    jobs = tmp_path / "resources" / "jobs"
    for name, text in {
        "presets/quick": "title: Quick\nsummary: Soon.\nsettings: {schedule: {steps: 9}}\n",
        "paper/whole": RECIPE,
        "overhead/other": RECIPE.replace("0.5", "0.25").rstrip() + CARD,
    }.items():
        (jobs / name).parent.mkdir(parents=True, exist_ok=True)
        (jobs / f"{name}.yaml").write_text(text)
    monkeypatch.setattr(core.presets, "files", lambda _: jobs.parent)
    return jobs


@pytest.mark.usefixtures("shipped")
def test_a_recipe_sets_its_method_and_its_network_wholly_and_undoes_what_another_set(places: Path) -> None:
    job = job_for(places, "combined", {"warm_share": 0.3}, sampling={"crop_px": 64})
    other = preset("overhead/other").settings
    assert (other["sampling.batch"], other["schedule.lr"]) == (9, 0.25)
    job = with_settings(job, other, places)
    made = with_settings(job, preset("paper/whole").settings, places)
    assert made.method.model_dump() == {"name": "advent", "options": {"variant": "minent"}}
    assert (made.network.encoder, made.network.encoder_depth) == ("resnet34", None)
    assert made.network.weights is None
    assert made.schedule == job.schedule.model_copy(update={"lr": 0.5})
    assert made.sampling == job.sampling.model_copy(update={"batch": Sampling().batch})


@pytest.mark.usefixtures("shipped")
def test_single_settings_go_over_a_recipe() -> None:
    texts = ["method.options.weight=0.1", "network.encoder=resnet18"]
    settings = parse_settings(texts, "paper/whole")
    assert settings["method"] == {"name": "advent", "options": {"variant": "minent"}}
    assert list(settings)[-1] == "method.options.weight"
    assert settings["network.encoder"] == "resnet18"


@pytest.mark.usefixtures("shipped")
def test_recipes_are_no_presets_and_one_may_stand_as_a_card_of_its_own() -> None:
    assert [each.name for each in presets()] == ["quick"]
    assert [each.name for each in recipes()] == ["overhead/other", "paper/whole"]
    card, plain = (each.content() for each in recipes())
    assert card["card"] == {"cost": "much", "use": "sometimes", "kind": "Adversarial"}
    assert card["told_by"] == "schedule.lr"
    assert plain.keys() == {"label", "summary", "settings"}


@pytest.mark.parametrize(
    ("wrong", "right"), [("paper/whol", "paper/whole"), ("othr", "overhead/other"), ("qick", "quick")]
)
@pytest.mark.usefixtures("shipped")
def test_a_wrong_name_is_answered_with_the_nearest_even_without_its_folder(wrong: str, right: str) -> None:
    with pytest.raises(BadInput, match=f"did you mean '{right}'"):
        preset(wrong)


@pytest.mark.usefixtures("shipped")
def test_a_name_like_none_is_answered_with_where_they_are_listed() -> None:
    with pytest.raises(BadInput, match="isthmus presets"):
        preset("zzz")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("stle: x", "unknown key"),
        ("method: {name: advent, option: {}}", "did you mean 'options'"),
        ("card: {cost: a, use: b, kind: Cheap}", "kind"),
    ],
)
def test_a_wrong_file_is_refused_by_name(shipped: Path, text: str, problem: str) -> None:
    (shipped / "paper" / "bad.yaml").write_text(f"title: Bad\nsummary: Bad.\n{text}\n")
    with pytest.raises(BadInput, match=f"bad.yaml.*{problem}"):
        recipes()


@pytest.mark.usefixtures("shipped")
def test_all_are_listed_and_described() -> None:
    listed, _, varied = CliRunner().invoke(app, ["presets"]).output.partition("\n\n")
    assert [line.split()[0] for line in listed.splitlines()] == ["quick", "overhead/other", "paper/whole"]
    assert listed.endswith("Whole: All of it.")
    assert [line.split()[0] for line in varied.splitlines()] == ["isthmus", *sweeps()]
    said = json.loads(CliRunner().invoke(app, ["presets", "--json"]).output)
    assert said["paper/whole"] == preset("paper/whole").content()


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("command", ["inspect", "estimate", "run", "start"])
def test_every_command_that_makes_a_run_takes_a_preset(command: str, places: Path) -> None:
    job_for(places)
    ran = CliRunner().invoke(app, [command, str(places / "job.yaml"), "--preset", "whole"])
    assert ran.exit_code == 2
    assert "did you mean 'paper/whole'" in " ".join(ran.output.split())


def test_a_run_that_exists_takes_no_preset(places: Path) -> None:
    ran = CliRunner().invoke(app, ["run", str(places), "--preset", "quick"])
    assert ran.exit_code == 2
    assert "without --to, --preset and --set" in " ".join(ran.output.split())


def test_every_file_is_found() -> None:
    folder = Path(__file__).parents[2] / "resources" / "jobs" / "presets"
    assert {path.stem for path in folder.glob("*.yaml")} == {each.name for each in presets()}
    assert all(load_yaml(path)["title"] for path in folder.glob("*.yaml"))
