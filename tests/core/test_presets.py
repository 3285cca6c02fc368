"""Presets: what they set, and that one replaces another wholly."""

from pathlib import Path

import pytest
from engines import draw, job_for
from typer.testing import CliRunner

from core.cli import app
from core.errors import BadInput
from core.job import Schedule, load_job
from core.options import load_yaml
from core.presets import preset, presets
from core.variants import with_settings


@pytest.fixture
def places(tmp_path: Path) -> Path:
    draw(tmp_path)
    return tmp_path


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


def test_a_run_that_exists_takes_no_preset(places: Path) -> None:
    ran = CliRunner().invoke(app, ["run", str(places), "--preset", "quick"])
    assert ran.exit_code == 2
    assert "without --to, --preset and --set" in " ".join(ran.output.split())


def test_every_file_is_found() -> None:
    folder = Path(__file__).parents[2] / "resources" / "jobs" / "presets"
    assert {path.stem for path in folder.glob("*.yaml")} == {each.name for each in presets()}
    assert all(load_yaml(path)["title"] for path in folder.glob("*.yaml"))
