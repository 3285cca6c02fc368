"""Presets: settings for a quick look, for every day, and for the best map, from `resources/jobs/presets`."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any

from pydantic import Field

from core.errors import BadInput
from core.job import Network, Predict, Sampling, Schedule
from core.options import Options, load_yaml, parse

PARTS: Mapping[str, type[Options]] = {
    "network": Network,
    "schedule": Schedule,
    "sampling": Sampling,
    "predict": Predict,
}


class _File(Options):
    """What a preset's file holds: `settings` by part of the job, none for what stays at its default."""

    title: str = Field(min_length=1)
    summary: str = Field(min_length=1)
    settings: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Preset:
    """`settings`: dotted key -> value, of every key that any preset sets; so one replaces another wholly."""

    name: str
    title: str
    summary: str
    settings: dict[str, Any]


def presets() -> list[Preset]:
    """All there are, the shortest first."""
    found = dict(_read())
    keys = [key for file in found.values() for key, _ in _flat(file.settings)]
    defaults = {key: _default(key) for key in keys}
    made = [
        Preset(name, file.title, file.summary, defaults | dict(_flat(file.settings)))
        for name, file in found.items()
    ]
    return sorted(made, key=lambda preset: int(preset.settings["schedule.steps"]))


def preset(name: str) -> Preset:
    """A preset by its name. Raises BadInput, with the names there are, for another."""
    known = {each.name: each for each in presets()}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"presets are {', '.join(known)}"
        raise BadInput(f"preset {name!r}", "does not exist", hint)
    return known[name]


def _read() -> Iterator[tuple[str, _File]]:
    for entry in (files("resources") / "jobs" / "presets").iterdir():
        with as_file(entry) as path:
            if path.suffix == ".yaml":
                yield path.stem, parse(_File, load_yaml(path), path)


def _flat(settings: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    for part, values in settings.items():
        yield from ((f"{part}.{key}", value) for key, value in values.items())


def _default(key: str) -> Any:
    part, _, name = key.partition(".")
    return getattr(PARTS[part](), name)
