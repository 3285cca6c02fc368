"""What `isthmus settings` says of a job's settings: all of them, as they are, and the nearest name."""

import re
from typing import Any

import pytest
from typer.testing import CliRunner

from core import registry
from core.cli import app
from core.errors import BadInput
from core.job import Job
from core.settings import Line, settings


def the(key: str, part: str | None = None) -> Line:
    (line,) = [line for line in settings(part) if line.key == key]
    return line


def leaves(value: Any, prefix: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {prefix}
    return {key for name, inner in value.items() for key in leaves(inner, f"{prefix}.{name}".strip("."))}


def test_all_that_a_job_file_may_hold_is_listed_and_explained() -> None:
    lines = settings()
    assert len({line.key for line in lines}) == len(lines)
    for group in ("sampling", "network", "schedule", "predict"):
        defaults = leaves({group: Job.model_fields[group].default.model_dump()})
        assert defaults <= {line.key for line in lines}
    for line in lines:
        assert line.description, line.key
    assert {line.methods for line in lines if line.key.startswith("method.options.")} >= {("combined",)}


def test_a_line_says_choices_bounds_and_default_as_the_job_has_them() -> None:
    assert the("schedule.precision").values == "auto | 32 | bf16"
    crop = the("sampling.crop_px")
    assert (crop.values, crop.default) == ("whole number, at least 32, at most 2048", "256")
    assert the("source.name").required
    assert the("source.scenes.0.labels").values == "a group"
    assert the("network.output_stride").default is None
    assert the("predict.confidence").values == "true | false"
    assert the("network.multi_resolution.scale").values == "2 | 4"
    assert the("source.bands").values == "list"


@pytest.mark.parametrize("method", registry.names())
def test_a_methods_own_options_are_all_there(method: str) -> None:
    options = registry.load(method).Options.model_fields
    assert {line.key for line in settings(method)} == {f"method.options.{name}" for name in options}
    assert all(method in line.methods for line in settings(method))


def test_a_name_is_found_wherever_it_stands() -> None:
    assert {line.key for line in settings("scale")} == {"network.multi_resolution.scale"}
    momenta = settings("teacher_momentum")
    assert {name for line in momenta for name in line.methods} >= {"combined", "dacs", "daformer", "mic"}
    assert {line.key for line in settings("predict")} >= {"predict.mode", "predict.tile_px"}
    assert settings("source.scenes.0.map") == [the("source.scenes.0.map")]
    with pytest.raises(BadInput, match=r"'crop_pxx'.*did you mean 'crop_px'"):
        settings("crop_pxx")
    with pytest.raises(BadInput, match="`isthmus settings` lists them"):
        settings("qqqq")


def test_the_command_says_it_in_two_lines_each() -> None:
    said = CliRunner().invoke(app, ["settings", "dacs"]).output
    assert re.search(
        r"^method\.options\.warm_share: number, at least 0, at most 0\.9 \(default .*\) of ", said
    )
    assert CliRunner().invoke(app, ["settings", "crop_pxx"]).exit_code == 2
