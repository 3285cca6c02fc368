"""What Isthmus is made of: the installed libraries it needs, and their licences. No Qt here."""

import importlib.metadata as metadata
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OURSELVES = "isthmus"
SHORT = 80
"""A `License` field longer than this is a licence's text, not its name."""


@dataclass(frozen=True, order=True)
class Library:
    """A library, its version, its licence's name, and where to read about it."""

    name: str
    version: str
    licence: str
    home: str = ""


def libraries() -> list[Library]:
    """Everything installed that Isthmus needs, and what that needs in turn, by name."""
    found: dict[str, Library] = {}
    waiting = list(_needs(OURSELVES))
    while waiting:
        name = waiting.pop()
        if name in found or name == OURSELVES:
            continue
        try:
            about = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue  # for another system
        found[name] = Library(about["Name"], about["Version"], _licence(about), _home(about))
        waiting += _needs(name)
    return sorted(found.values(), key=lambda library: library.name.casefold())


def licence_text(name: str) -> str:
    """The licence files that a library came with, "" where it brought none."""
    files = metadata.files(name) or []
    wanted = [file for file in files if re.match(r"(?i)(licen[cs]e|copying|notice)", file.name)]
    parts = []
    for file in wanted:
        try:
            text = Path(str(file.locate())).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        parts.append(f"{file}\n\n{text.strip()}")
    return "\n\n\n".join(parts)


def _needs(name: str) -> Iterator[str]:
    """The names that a library requires, its optional extras left out."""
    try:
        required = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return
    for line in required:
        stem, _, condition = line.partition(";")
        match = re.match(r"[A-Za-z0-9._-]+", stem.strip())
        if match and "extra" not in condition:
            yield re.sub(r"[-_.]+", "-", match[0]).lower()


def _licence(about: metadata.PackageMetadata) -> str:
    given = (_field(about, "License-Expression") or _field(about, "License")).strip()
    if given and len(given) <= SHORT and "\n" not in given and given.upper() != "UNKNOWN":
        return given
    classes = [
        line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or [] if "License ::" in line
    ]
    return ", ".join(classes) or (given.splitlines()[0].strip() if given else "not stated")


def _home(about: metadata.PackageMetadata) -> str:
    links = [line.partition(",") for line in about.get_all("Project-URL") or []]
    named = {label.strip().lower(): link.strip() for label, _, link in links}
    return _field(about, "Home-page") or next(
        (named[label] for label in ("homepage", "home", "repository", "source") if label in named), ""
    )


def _field(about: metadata.PackageMetadata, name: str) -> str:
    return str(about[name]) if name in about else ""
