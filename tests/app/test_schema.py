"""Settings read from the engine's own schemas and from small ones."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from app.schema import Group, read_schema, unit, words
from app.setting import MISSING, Setting
from core.job import Network, Predict, Sampling, Schedule
from core.registry import load, names


class Inner(BaseModel):
    """What is inside."""

    width_px: int = Field(64, ge=8)


class Outer(BaseModel):
    kind: Literal["a", "b"] = "a"
    fixed: Literal[1] = 1
    inner: Inner = Inner()
    bands: list[int | str] | None = None
    shares: dict[str, float] = Field(default_factory=dict)
    without: list[str] = []
    name: str = Field(min_length=1)


def setting(model: type[BaseModel], name: str) -> Setting:
    return next(s for s in read_schema(model.model_json_schema()).settings() if s.keys[-1] == name)


@pytest.mark.parametrize(
    ("model", "name", "kind"),
    [
        (Schedule, "steps", "integer"),
        (Schedule, "lr", "number"),
        (Schedule, "optimizer", "choice"),
        (Schedule, "device", "text"),
        (Sampling, "rare_classes", "boolean"),
        (Network, "aspp_dilations", "list"),
        (Network, "output_stride", "choice"),
        (Outer, "fixed", "choice"),
        (Outer, "bands", "list"),
        (Outer, "shares", "other"),
        (Network, "multi_resolution", "group"),
        (Network, "attention", "choice"),
    ],
)
def test_each_field_has_its_kind(model: type[BaseModel], name: str, kind: str) -> None:
    assert setting(model, name).kind == kind


def test_every_default_of_the_engine_passes_its_own_check() -> None:
    for model in (Schedule, Sampling, Network, Predict, *(load(name).Options for name in names())):
        for each in read_schema(model.model_json_schema()).settings():
            each.check(each.default)
            if each.kind not in ("boolean", "choice"):
                assert each.parse(each.write(each.default)) == each.default


def test_nested_models_become_groups() -> None:
    group = next(m for m in read_schema(Outer.model_json_schema()).members if isinstance(m, Group))
    assert (group.label, group.description) == ("Inner", "What is inside.")
    width = next(group.settings())
    assert (width.keys, width.unit, width.default, width.least) == (("inner", "width_px"), "px", 64, 8)


def test_a_required_field_has_no_default() -> None:
    assert setting(Outer, "name").default is MISSING
    with pytest.raises(ValueError, match="must be given"):
        setting(Outer, "name").parse(" ")


@pytest.mark.parametrize(
    ("model", "name", "text", "value"),
    [
        (Schedule, "lr", "1e-4", 0.0001),
        (Schedule, "steps", "2e3", 2000),
        (Schedule, "threads", "", None),
        (Network, "aspp_dilations", "6, 12,18", [6, 12, 18]),
        (Network, "decoder_channels", "", None),
        (Outer, "without", "", []),
        (Outer, "bands", "1, nir", [1, "nir"]),
        (Outer, "shares", "{water: 0.2}", {"water": 0.2}),
    ],
)
def test_texts_are_read(model: type[BaseModel], name: str, text: str, value: Any) -> None:
    assert setting(model, name).parse(text) == value


@pytest.mark.parametrize(
    ("model", "name", "text", "reason"),
    [
        (Schedule, "lr", "0", "must be above 0"),
        (Schedule, "lr", "0,1", "a point, not a comma: 0.1"),
        (Schedule, "lr", "fast", "must be a number, such as"),
        (Schedule, "lr", "nan", "must be finite"),
        (Schedule, "lr", "", "must be given"),
        (Schedule, "steps", "1.5", "must be a whole number"),
        (Sampling, "crop_px", "4000", "must be at least 32, at most 2048"),
        (Network, "aspp_dilations", "6, x", "must be a number"),
        (Network, "aspp_dilations", "", "must be given"),
        (Network, "encoder_depth", "9", "must be at least 3, at most 5"),
        (Outer, "shares", "{", "must be YAML"),
    ],
)
def test_what_is_wrong_is_said(model: type[BaseModel], name: str, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        setting(model, name).parse(text)


@pytest.mark.parametrize(
    ("name", "value"), [("steps", "many"), ("steps", True), ("steps", 0), ("optimizer", "adam"), ("lr", None)]
)
def test_a_wrong_value_from_a_file_is_found(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        setting(Schedule, name).check(value)


@pytest.mark.parametrize(
    ("name", "start", "steps", "end"),
    [
        ("lr", 1e-4, 1, 1.1e-4),
        ("lr", 1e-4, -1, 9e-5),
        ("steps", 2000, 1, 2100),
        ("steps", 1, -1, 1),
        ("warmup", 0.5, 1, 0.5),
        ("warmup", 0.0, 1, 0.01),
        ("lr", 1e-4, -20, 7.1e-5),
    ],
)
def test_steps_are_small_and_stay_within_bounds(name: str, start: float, steps: int, end: float) -> None:
    moved = setting(Schedule, name).stepped(start, steps)
    assert moved == pytest.approx(end, rel=1e-9)


def test_labels_units_and_tips_are_in_words() -> None:
    assert words("discriminator_lr") == "Discriminator learning rate"
    assert words("working_gsd_m") == "Working pixel size"
    assert (unit("crop_px"), unit("working_gsd_m"), unit("checkpoint_every"), unit("m")) == (
        "px",
        "m",
        "steps",
        "",
    )
    tip = setting(Sampling, "crop_px").tip.splitlines()
    assert tip == [
        "Side of a training crop in working pixels",
        "At least 32, at most 2048 px",
        "Default: 256 px",
        "In the job file: crop_px",
    ]
    assert setting(Sampling, "working_gsd_m").nothing == "automatic: the coarser region's"
