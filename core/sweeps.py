"""Sweeps under a name, from `resources/sweeps`: what papers vary, for a job of one's own."""

import difflib
from importlib.resources import as_file, files
from typing import Any

from pydantic import Field

from core.errors import BadInput
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
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"sweeps are {', '.join(known)}"
        raise BadInput(f"sweep {name!r}", "does not exist", hint)
    return known[name]
