"""A project: one job file, which may still be incomplete while it is being put together. No Qt here."""

import copy
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from core.errors import BadInput
from core.files import located, write_text
from core.job import Job, drop_excluded
from core.options import load_yaml, parse

Content = dict[str, Any]
Key = str | int

REMOVE = object()
"""The value of a setting that is to be taken out, so that its default applies."""

OPEN = ("options", "mapping", "legend")
"""Parts of a job whose keys are the user's or a method's, where nothing may be something."""


class Project:
    """The content of a job file as plain values, every path absolute in memory.

    On disk, paths below the project's folder are relative, so that the folder can be moved.
    """

    def __init__(self, content: Content, path: Path | None = None) -> None:
        self.content, self.path = content, path

    @classmethod
    def new(cls, name: str = "untitled") -> "Project":
        return cls({"version": 1, "name": name})

    @classmethod
    def load(cls, path: Path) -> "Project":
        """Raises BadInput for a file that is no mapping in YAML. What else is wrong, `job` tells."""
        content = _without_nulls(load_yaml(path))
        _lengthen(content)
        _each_path(content, lambda text: str(located(path.parent / Path(text).expanduser())))
        return cls(content, path)

    def save(self, path: Path) -> None:
        """Write the job file, whole or not at all. Raises BadInput where it cannot be."""
        write_text(path, self.dumped(path.parent))
        self.path = path

    def dumped(self, folder: Path) -> str:
        """The job file's text, for a file in `folder`."""
        content = copy.deepcopy(self.content)
        _each_path(content, lambda text: _relative(text, folder))
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)

    def value(self, *keys: Key, default: Any = None) -> Any:
        """What stands at `keys` ("source", "scenes", 0, "path"); `default` where nothing does."""
        node: Any = self.content
        for key in keys:
            inside = (
                key in node
                if isinstance(node, dict)
                else isinstance(node, list) and isinstance(key, int) and 0 <= key < len(node)
            )
            if not inside:
                return default
            node = node[key]
        return node

    def put(self, keys: tuple[Key, ...], value: Any) -> None:
        """Set what stands at `keys`, making the mappings on the way; REMOVE takes it out."""
        *parents, last = keys
        node: Any = self.content
        for key in parents:
            node = _inner(node, key)
        if value is not REMOVE:
            node[last] = copy.deepcopy(value)
        elif isinstance(node, list):
            node.pop(int(last))
        else:
            node.pop(last, None)

    def job(self) -> Job:
        """The job, ready to run. Raises BadInput for the first thing that is missing or wrong."""
        for problem in self.missing():
            raise BadInput(self.path or "the project", problem, "add it in its panel")
        return drop_excluded(parse(Job, self.content, self.path or "the project"))

    def shows(self, other: "Project") -> bool:
        """Whether its target has every image of the other's: maps of that lie on imagery here."""
        its, mine = (
            {scene.get("path") for scene in each.value("target", "scenes", default=[])}
            for each in (other, self)
        )
        return its <= mine

    def missing(self) -> list[str]:
        """What must still be given before the job can be looked at, in the order of the panels."""
        return list(self._missing())

    def _missing(self) -> Iterator[str]:
        for place in ("source", "target"):
            scenes = self.value(place, "scenes", default=[])
            if not any(scene.get("include", True) for scene in scenes):
                yield f"the {place} has no image"
            elif place == "source" and not any(scene.get("labels") for scene in scenes):
                yield "no source image has labels"
        if len(self.value("legend", "classes", default=[])) < 2:
            yield "the legend needs at least two classes"


def _inner(node: Any, key: Key) -> Any:
    return node[int(key)] if isinstance(node, list) else node.setdefault(key, {})


def _without_nulls(node: Any) -> Any:
    """A job's content without what is set to nothing, as a run writes it down and as is the default.

    But for the encoder's weights, which then are drawn at random, and inside of what the user names.
    """
    if isinstance(node, list):
        return [_without_nulls(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    there = {key: value for key, value in node.items() if value is not None or key == "weights"}
    return {key: value if key in OPEN else _without_nulls(value) for key, value in there.items()}


def _lengthen(content: Content) -> None:
    """Write the short forms (`scenes: [a.tif]`, `labels: a.gpkg`, `method: advent`) as mappings."""
    for place in ("source", "target"):
        region = content.get(place)
        if isinstance(region, dict) and isinstance(region.get("scenes"), list):
            region["scenes"] = [_as_mapping(scene, "path") for scene in region["scenes"]]
            for scene in region["scenes"]:
                if isinstance(scene, dict) and scene.get("labels"):
                    scene["labels"] = _as_mapping(scene["labels"], "path")
    if "method" in content:
        content["method"] = _as_mapping(content["method"], "name")


def _as_mapping(value: Any, key: str) -> Any:
    return {key: value} if isinstance(value, str) else value


def _each_path(content: Content, change: Any) -> None:
    """Replace every path of a job by what `change` makes of it."""
    for holder, key in _paths(content):
        if isinstance(holder.get(key), str):
            holder[key] = change(holder[key])


def _paths(content: Content) -> Iterator[tuple[Content, str]]:
    for place in ("source", "target"):
        region = content.get(place)
        for scene in (region.get("scenes") or []) if isinstance(region, dict) else []:
            if isinstance(scene, dict):
                yield scene, "path"
                yield scene, "area"
                if isinstance(scene.get("labels"), dict):
                    yield scene["labels"], "path"
    network = content.get("network")
    if isinstance(network, dict) and str(network.get("weights")).endswith(".safetensors"):
        yield network, "weights"
    yield content, "candidate"


def _relative(text: str, folder: Path) -> str:
    path = Path(text)
    return Path(os.path.relpath(path, folder)).as_posix() if path.is_relative_to(folder.resolve()) else text
