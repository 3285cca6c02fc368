"""What a pydantic JSON Schema asks for, as settings in groups. No Qt here."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.setting import MISSING, Keys, Kind, Setting

Schema = Mapping[str, Any]

UNITS = {"m": "m", "px": "px", "s": "s", "gib": "GiB", "mib": "MiB"}
WORDS = {
    "gsd": "pixel size",
    "lr": "learning rate",
    "ema": "moving average",
    "gan": "GAN",
    "adabn": "AdaBN",
    "aspp": "ASPP",
    "aux": "auxiliary",
}


@dataclass(frozen=True)
class Group:
    """Settings under one heading, and groups within."""

    label: str
    description: str
    members: tuple["Setting | Group", ...]

    def settings(self) -> Iterator[Setting]:
        """Every setting of the group and of those within."""
        for member in self.members:
            if isinstance(member, Group):
                yield from member.settings()
            else:
                yield member


def read_schema(schema: Schema, definitions: Schema | None = None, keys: Keys = ()) -> Group:
    """The settings of an object's schema; `definitions` are what its `$ref`s name (default: its own)."""
    named = definitions or schema.get("$defs", {})
    schema = _resolved(schema, named)
    members = tuple(
        _member(name, inner, named, (*keys, name)) for name, inner in schema.get("properties", {}).items()
    )
    label = words(keys[-1]) if keys else str(schema.get("title", ""))
    return Group(label, schema.get("description", ""), members)


def words(name: str) -> str:
    """A field's name as a label: `discriminator_lr` is `Discriminator learning rate`, units left out."""
    parts = name.split("_")
    if len(parts) > 1 and parts[-1] in UNITS:
        parts.pop()
    text = " ".join(WORDS.get(part, part) for part in parts)
    return text[:1].upper() + text[1:]


def unit(name: str) -> str:
    """The unit that a field's name ends in, "" where it has none."""
    stem, _, ending = name.rpartition("_")
    if name == "steps" or name.endswith(("_steps", "_every")):
        return "steps"
    return UNITS.get(ending, "") if stem else ""


def _member(name: str, schema: Schema, named: Schema, keys: Keys) -> Setting | Group:
    kind, optional = _without_null(_resolved(schema, named), named)
    if kind.get("type") == "object" and kind.get("properties"):
        group = read_schema(kind | {"$defs": named}, named, keys)
        return group if not optional else _switched(group, schema, keys)
    item = _without_null(_resolved(kind.get("items", {}), named), named)[0]
    bounded = item if kind.get("type") == "array" else kind
    return Setting(
        keys=keys,
        kind=_kind(kind, item),
        label=words(name),
        unit=unit(name),
        description=str(schema.get("description", kind.get("description", ""))),
        default=schema.get("default", MISSING),
        optional=optional,
        choices=tuple(kind["enum"]) if "enum" in kind else (kind["const"],) if "const" in kind else (),
        least=bounded.get("minimum", -math.inf),
        most=bounded.get("maximum", math.inf),
        above=bounded.get("exclusiveMinimum", -math.inf),
        below=bounded.get("exclusiveMaximum", math.inf),
        items=_item_kind(item),
    )


def _switched(group: Group, schema: Schema, keys: Keys) -> Group:
    """An optional group begins with the setting that says whether it is in use."""
    description = str(schema.get("description", group.description))
    switch = Setting(
        keys, "group", group.label, "", description, schema.get("default", MISSING), optional=True
    )
    return replace(group, members=(switch, *group.members))


def _resolved(schema: Schema, named: Schema) -> dict[str, Any]:
    """The schema with what its `$ref` names filled in; what stands beside the `$ref` wins."""
    if "$ref" not in schema:
        return dict(schema)
    inner = _resolved(named[str(schema["$ref"]).rpartition("/")[2]], named)
    return inner | {key: value for key, value in schema.items() if key != "$ref"}


def _without_null(schema: dict[str, Any], named: Schema) -> tuple[dict[str, Any], bool]:
    """A schema without the null among its alternatives, and whether there was one."""
    if "anyOf" not in schema:
        return schema, False
    kinds = [_resolved(kind, named) for kind in schema["anyOf"]]
    some = [kind for kind in kinds if kind.get("type") != "null"]
    rest = some[0] if len(some) == 1 else {"alternatives": [kind.get("type") for kind in some]}
    return {key: value for key, value in schema.items() if key != "anyOf"} | rest, len(some) < len(kinds)


def _kind(schema: Schema, item: Schema) -> Kind:
    if "enum" in schema or "const" in schema:
        return "choice"
    match schema.get("type"):
        case "integer" | "number" | "boolean" as kind:
            return kind  # type: ignore[no-any-return]
        case "string":
            return "text"
        case "array" if item.get("type") in ("integer", "number", "string") or "alternatives" in item:
            return "list"
    return "other"


def _item_kind(item: Schema) -> Kind:
    if item.get("type") in ("integer", "number"):
        return "integer" if item["type"] == "integer" else "number"
    return "other" if "alternatives" in item else "text"
