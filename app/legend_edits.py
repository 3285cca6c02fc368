"""What can be done to a project's legend, as values to put into the job. No Qt here."""

import csv
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.palettes import next_color, palette_of
from app.project import Key
from geo_io.legend import Legend, Value, own_values, value_key

if TYPE_CHECKING:  # rasterio is only loaded where labels are read
    from geo_io.label_values import LabelValue

Keys = tuple[Key, ...]
Classes = list[dict[str, Any]]
Values = dict[Keys, Any]

CLASSES: Keys = ("legend", "classes")


def with_class(classes: Sequence[Mapping[str, Any]], name: str) -> Classes:
    """`classes` and a new one, its name and colour unlike any there."""
    used = {each["name"] for each in classes}
    number = 2
    unique = name
    while unique in used:
        unique, number = f"{name} {number}", number + 1
    color = next_color([each["color"] for each in classes])
    return [*(dict(each) for each in classes), {"name": unique, "color": color}]


def moved(classes: Sequence[Mapping[str, Any]], row: int, by: int) -> Classes:
    """The class at `row` further down (by 1) or up (by -1), every class keeping its label values."""
    order = _with_values(classes)
    order.insert(row + by, order.pop(row))
    return order


def without(classes: Sequence[Mapping[str, Any]], row: int) -> Classes:
    """All but the class at `row`, the others keeping their label values."""
    last = row == len(classes) - 1
    kept = [dict(each) for each in classes] if last else _with_values(classes)
    return kept[:row] + kept[row + 1 :]


def recolored(classes: Sequence[Mapping[str, Any]]) -> Classes:
    """The classes in colours that hold for any colour vision."""
    colors = palette_of(len(classes))
    return [{**each, "color": color} for each, color in zip(classes, colors, strict=True)]


def renamed(content: Mapping[str, Any], row: int, name: str) -> Values:
    """Call a class `name`, wherever the project speaks of it."""
    old = content["legend"]["classes"][row]["name"]
    values: Values = {(*CLASSES, row, "name"): name}
    for place in ("source", "target"):
        for i, scene in enumerate((content.get(place) or {}).get("scenes") or []):
            labels, keys = scene.get("labels") or {}, (place, "scenes", i, "labels")
            if labels.get("unlabelled") == old:
                values[(*keys, "unlabelled")] = name
            if old in (labels.get("mapping") or {}).values():
                mapping = {v: name if n == old else n for v, n in labels["mapping"].items()}
                values[(*keys, "mapping")] = mapping
    shares = content.get("expected_shares") or {}
    if old in shares:
        values[("expected_shares",)] = {name if n == old else n: share for n, share in shares.items()}
    return values


def of_preset(legend: Legend) -> Values:
    """The legend as a whole, from one that is shipped."""
    classes = [each.model_dump(exclude_defaults=True) for each in legend.classes]
    return {CLASSES: classes, ("legend", "ignore"): list(legend.ignore)}


def of_values(
    found: Sequence["LabelValue"], classes: Sequence[Mapping[str, Any]], ignore: Sequence[Value]
) -> tuple[Values, int]:
    """A legend that knows every value found, and how many classes are new.

    Values that a class or `ignore` already has stay with it; for the rest a class each is added, named by its
    text or number, in its colour where the file has one.
    """
    known = {value_key(value) for value in ignore}
    known |= {value_key(value) for values in _values_of(classes) for value in values}
    new = [value for value in found if value_key(value.value) not in known]
    kept = _with_values(classes) if new else [dict(each) for each in classes]
    colors = _colors([each["color"] for each in kept], new)
    added = [_class_of(value, color) for value, color in zip(new, colors, strict=True)]
    return {CLASSES: [*kept, *_uniquely_named(added, kept)]}, len(added)


def _with_values(classes: Sequence[Mapping[str, Any]]) -> Classes:
    """Values written out: a class without any means its position, which must not change unseen."""
    return [{**each, "values": own} for each, own in zip(classes, _values_of(classes), strict=True)]


def _values_of(classes: Sequence[Mapping[str, Any]]) -> list[list[Value]]:
    return own_values([(each["name"], each.get("values") or []) for each in classes])


def _class_of(found: "LabelValue", color: str) -> dict[str, Any]:
    text = str(found.value)
    named = isinstance(found.value, str) and not text.startswith("#")
    return {"name": text if named else f"class {text}", "color": color, "values": [found.value]}


def _uniquely_named(added: Classes, kept: Classes) -> Classes:
    used = {each["name"] for each in kept}
    return [{**each, "name": f"{each['name']} (labels)"} if each["name"] in used else each for each in added]


def _colors(used: list[str], new: Sequence["LabelValue"]) -> list[str]:
    """The file's own colours where it has them, else colours unlike those in use."""
    if new and all(value.color for value in new):
        return [str(value.color) for value in new]
    if not used:
        return palette_of(len(new))
    colors: list[str] = []
    for _ in new:
        colors.append(next_color([*used, *colors]))
    return colors


def shares_of(found: Sequence["LabelValue"], classes: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Class name -> share of the labels that hold one of its values."""
    shares = {value_key(each.value): each.share for each in found}
    return {
        each["name"]: sum(shares.get(value_key(value), 0.0) for value in own)
        for each, own in zip(classes, _values_of(classes), strict=True)
    }


def values_text(values: Sequence[Value]) -> str:
    """Label values as one line, with commas between; texts that hold a comma in quotes."""
    return ", ".join(f'"{value}"' if "," in str(value) else str(value) for value in values)


def parse_values(text: str) -> list[Value]:
    """Label values from one line, each once; whole numbers become numbers."""
    parts = next(csv.reader([text], skipinitialspace=True), [])
    values: dict[Value, Value] = {}
    for part in filter(None, map(str.strip, parts)):
        values.setdefault(value_key(part), _value(part))
    return list(values.values())


def _value(text: str) -> Value:
    key = value_key(text)
    return key if isinstance(key, int) else text


def collisions(classes: Sequence[Mapping[str, Any]]) -> list[tuple[Value, str, str]]:
    """Label values that two classes claim, and their names."""
    owner: dict[Value, str] = {}
    found = []
    for each, own in zip(classes, _values_of(classes), strict=True):
        for value in own:
            first = owner.setdefault(value_key(value), each["name"])
            if first != each["name"]:
                found.append((value, first, each["name"]))
    return found
