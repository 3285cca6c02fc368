"""Legends to start from, as the project ships them. No Qt here."""

from dataclasses import dataclass
from importlib.resources import files

import yaml

from geo_io.legend import Legend


@dataclass(frozen=True)
class Preset:
    """A published nomenclature: what it is called, where it comes from, its classes."""

    name: str
    about: str
    legend: Legend


def presets() -> list[Preset]:
    """The legends in `resources/legends`, by name."""
    folder = files("resources") / "legends"
    found = [
        _preset(file.read_text(encoding="utf-8")) for file in folder.iterdir() if file.name.endswith(".yaml")
    ]
    return sorted(found, key=lambda preset: preset.name.casefold())


def _preset(text: str) -> Preset:
    content = yaml.safe_load(text)
    return Preset(content.pop("name"), content.pop("about"), Legend.model_validate(content))
