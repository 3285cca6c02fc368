"""Sweeps under a name, from `resources/sweeps`: what papers vary, for a job of one's own."""

from importlib.resources import as_file, files
from typing import Any

from pydantic import Field

from core.errors import BadInput, meant
from core.options import Options, load_yaml, parse


class Sweep(Options):
    """What a file holds; `vary` as in a batch file."""

    title: str = Field(min_length=1)
    summary: str = Field(min_length=1)
    vary: dict[str, list[Any]] = Field(min_length=1)


def sweeps() -> dict[str, Sweep]:
    """All there are, by name."""
    found = {}
    for entry in (files("resources") / "sweeps").iterdir():
        with as_file(entry) as path:
            found[path.stem] = parse(Sweep, load_yaml(path), path)
    return dict(sorted(found.items()))


def sweep(name: str) -> Sweep:
    """A sweep by its name. Raises BadInput, with the nearest name, for another."""
    known = sweeps()
    if name not in known:
        raise BadInput(f"sweep {name!r}", "does not exist", meant(name, known, "sweeps"))
    return known[name]
