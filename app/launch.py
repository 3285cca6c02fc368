"""What the launch panel knows: presets, recipes, folder, command, an estimate. No Qt here."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.project import REMOVE, Key, Project
from core.cost import Cost
from core.job import Method
from core.variants import folder_name

Preset = Mapping[str, Any]
Keys = tuple[Key, ...]
Schema = Mapping[str, Any]

DEFAULT_METHOD = Method().name


def method_of(project: Project) -> str:
    return str(project.value("method", "name", default=DEFAULT_METHOD))


def runs_of(project: Project) -> Path | None:
    """Where the project's runs are, beside it; None before it is saved."""
    return project.path.parent / "runs" if project.path else None


def run_folder(project: Project) -> Path | None:
    """Where the next run will be: a folder that is not there; None before the project is saved."""
    runs = runs_of(project)
    if runs is None:
        return None
    seed = project.value("seed", default=0)
    name = folder_name(str(project.value("name", default="")), method_of(project), seed)
    return next(folder for folder in _numbered(runs, name) if not folder.exists())


def command(project: Path, folder: Path) -> str:
    """The command line that starts the same run."""
    words = ["isthmus", "run", str(project), "--to", str(folder)]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def preset_values(preset: Preset, presets: Mapping[str, Preset], schema: Schema) -> dict[Keys, Any]:
    """The edit that a preset is: its settings, and back to the default for what only others set."""
    wanted = dict(_flat(preset.get("settings", {})))
    known = {keys for other in presets.values() for keys, _ in _flat(other.get("settings", {}))}
    values = {keys: wanted.get(keys, REMOVE) for keys in sorted(known)}
    return {keys: REMOVE if value == default_of(schema, keys) else value for keys, value in values.items()}


def preset_in_use(project: Project, presets: Mapping[str, Preset], schema: Schema) -> str | None:
    """The preset whose edit would change nothing."""
    edits = {name: preset_values(preset, presets, schema) for name, preset in presets.items()}
    return _in_use(project, edits, schema)


def recipe_values(recipe: Preset, schema: Schema) -> dict[Keys, Any]:
    """The edit that a recipe is; a default is not written."""
    values = {tuple(name.split(".")): value for name, value in recipe["settings"].items()}
    return {keys: REMOVE if value == default_of(schema, keys) else value for keys, value in values.items()}


def recipe_in_use(project: Project, recipes: Mapping[str, Preset], schema: Schema) -> str | None:
    """The recipe whose edit would change nothing."""
    edits = {name: recipe_values(recipe, schema) for name, recipe in recipes.items()}
    return _in_use(project, edits, schema)


def card_of(project: Project, recipes: Mapping[str, Preset], schema: Schema) -> str:
    """The card of the project's method: a recipe's own, where what tells it from its method is set."""
    method = method_of(project)
    for name, keys in told_by(recipes).items():
        value = project.value(*keys, default=REMOVE)
        if recipes[name]["settings"]["method"]["name"] == method and not _same(value, REMOVE, schema, keys):
            return stem(name)
    return method


def left_behind(project: Project, recipes: Mapping[str, Preset], schema: Schema) -> dict[Keys, Any]:
    """What goes with the method when another is chosen: a recipe in use, and what makes a card of its own."""
    used, card = recipe_in_use(project, recipes, schema), card_of(project, recipes, schema)
    keys = [keys for name, keys in told_by(recipes).items() if stem(name) == card]
    return dict.fromkeys([*keys, *(recipe_values(recipes[used], schema) if used else ())], REMOVE)


def told_by(recipes: Mapping[str, Preset]) -> dict[str, Keys]:
    """Recipes that have a card of their own, and what each is known by."""
    return {name: tuple(each["told_by"].split(".")) for name, each in recipes.items() if "card" in each}


def stem(recipe: str) -> str:
    """What a recipe is of: `paper/advent-minent` is of `advent`, `overhead/hrda` of the card `hrda`."""
    return recipe.rpartition("/")[2].partition("-")[0]


def words_of(edit: Mapping[Keys, Any]) -> list[str]:
    """What an edit sets, a line each; nothing of what goes back to its default."""
    given = {".".join(map(str, keys)): value for keys, value in edit.items() if value is not REMOVE}
    return [f"{'.'.join(map(str, keys))}: {value}" for keys, value in _flat(given)]


def default_of(schema: Schema, keys: Keys) -> Any:
    """The default of a job's setting; REMOVE where the schema knows none."""
    node: Any = schema
    for key in keys:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        node = node.get("properties", {}).get(str(key), {})
    return node.get("default", REMOVE)


def read_estimate(answer: Mapping[str, Any], folder: Path | None) -> Cost | None:
    """The engine's estimate, with the disk of the run's own `folder`; None where it is not to be read."""
    try:
        cost = Cost.model_validate(answer)
    except ValidationError:
        return None
    there = next((parent for parent in folder.parents if parent.exists()), None) if folder else None
    free = {"disk_free_gib": shutil.disk_usage(there).free / 2**30} if there else {}
    return cost.model_copy(update=free)


def no_room(cost: Cost | None, folder: Path | None) -> list[str]:
    """Why a run in `folder` would fail on its disk, as the worker would say; nothing if unknown."""
    if cost is None or folder is None or cost.fits_disk:
        return []
    sizes = f"writes up to {cost.disk_gib:.1f} GiB and {cost.disk_free_gib:.1f} are free"
    return [f"the run {sizes}; free some and estimate again, or save the project on another disk"]


def _numbered(runs: Path, name: str) -> Iterator[Path]:
    yield runs / name
    number = 2
    while True:
        yield runs / f"{name}-{number}"
        number += 1


def _flat(settings: Mapping[str, Any], before: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Settings by their keys, from dotted or nested names."""
    for name, value in settings.items():
        keys = (*before, *name.split("."))
        if isinstance(value, Mapping):
            yield from _flat(value, keys)
        else:
            yield keys, value


def _in_use(project: Project, edits: Mapping[str, Mapping[Keys, Any]], schema: Schema) -> str | None:
    for name, edit in edits.items():
        if all(
            _same(project.value(*keys, default=REMOVE), value, schema, keys) for keys, value in edit.items()
        ):
            return name
    return None


def _same(found: Any, wanted: Any, schema: Schema, keys: Keys) -> bool:
    default = default_of(schema, keys)
    given = default if found is REMOVE else found
    return bool(given == (default if wanted is REMOVE else wanted))
