"""Settings under a name, from `resources/jobs`: presets, and the recipes of the methods.

A preset (`quick`) says nothing of the method. A recipe (`paper/dacs`) sets the method with all of its
options. One preset replaces another wholly, and one recipe another: what only others name goes back to its
default. What none of them names stays as it is.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from typing import Any

from pydantic import Field

from core.card import Card
from core.errors import BadInput
from core.job import Method, Network, Predict, Sampling, Schedule
from core.options import Options, load_yaml, parse

PARTS: Mapping[str, type[Options]] = {
    "network": Network,
    "schedule": Schedule,
    "sampling": Sampling,
    "predict": Predict,
}
PLAIN = "presets"
"""The folder of the presets; the others hold recipes, and go before their names."""


class _File(Options):
    """What a file holds: `settings` by part of the job, none for what stays at its default."""

    title: str = Field(min_length=1)
    summary: str = Field(min_length=1)
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    method: Method | None = None
    card: Card | None = None
    told_by: str | None = None


@dataclass(frozen=True)
class Preset:
    """`settings`: dotted key -> value; of a recipe, `method` -> its name and options too.

    A recipe with a `card` stands among the methods as if it were one. `told_by` is the setting by which
    a job of it is known: `network.multi_resolution` is what makes HRDA of DAFormer.
    """

    name: str
    title: str
    summary: str
    settings: dict[str, Any]
    card: Card | None = None
    told_by: str | None = None

    def content(self) -> dict[str, Any]:
        """As JSON says it."""
        said: dict[str, Any] = {"label": self.title, "summary": self.summary, "settings": self.settings}
        return said | ({"card": self.card._asdict(), "told_by": self.told_by} if self.card else {})


def presets() -> list[Preset]:
    """All that say nothing of the method, the shortest first."""
    found = _wholly([_made(name, file) for name, file in _read() if "/" not in name])
    return sorted(found, key=lambda preset: int(preset.settings["schedule.steps"]))


def recipes() -> list[Preset]:
    """Those of the methods, by name."""
    found = _wholly([_made(name, file) for name, file in _read() if "/" in name])
    return sorted(found, key=lambda recipe: recipe.name)


def preset(name: str) -> Preset:
    """A preset or a recipe by its name. Raises BadInput, with the nearest name, for another."""
    known = {each.name: each for each in [*presets(), *recipes()]}
    if name not in known:
        close = _nearest(name, known)
        hint = f"did you mean {close!r}?" if close else "`isthmus presets` lists them"
        raise BadInput(f"preset {name!r}", "does not exist", hint)
    return known[name]


def _nearest(name: str, known: Mapping[str, Preset]) -> str | None:
    """The name that was meant, even if its folder was left out."""
    if close := difflib.get_close_matches(name, known, n=1):
        return close[0]
    bare = {each.rpartition("/")[2]: each for each in known}
    return next((bare[each] for each in difflib.get_close_matches(name, bare, n=1)), None)


def _read() -> Iterator[tuple[str, _File]]:
    for folder in (files("resources") / "jobs").iterdir():
        before = "" if folder.name == PLAIN else f"{folder.name}/"
        for entry in folder.iterdir():
            with as_file(entry) as path:
                if path.suffix == ".yaml":
                    yield before + path.stem, parse(_File, load_yaml(path), path)


def _wholly(found: Sequence[Preset]) -> Iterator[Preset]:
    """Each with the defaults of what others name and it does not."""
    keys = dict.fromkeys(key for each in found for key in each.settings if key != "method")
    defaults = {key: _default(key) for key in keys}
    for each in found:
        method = {key: value for key, value in each.settings.items() if key == "method"}
        yield replace(each, settings=method | defaults | each.settings)


def _made(name: str, file: _File) -> Preset:
    settings = dict(_flat(file.settings))
    if file.method:
        settings = {"method": file.method.model_dump(mode="json"), **settings}
    return Preset(name, file.title, file.summary, settings, file.card, file.told_by)


def _flat(settings: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Who names a network names all of it but its weights: what was set for another would not fit."""
    for part, values in settings.items():
        whole = Network().model_dump(mode="json", exclude={"weights"}) if part == "network" else {}
        yield from ((f"{part}.{key}", value) for key, value in {**whole, **values}.items())


def _default(key: str) -> Any:
    part, _, name = key.partition(".")
    return PARTS[part]().model_dump(mode="json")[name]
