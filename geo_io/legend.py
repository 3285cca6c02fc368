"""The classes of a project: names, colours, and what they are called in the label files."""

import re
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from geo_io.errors import BadInput, meant

IGNORE = 255
"""The class id of a pixel that has none: unmapped, unlabelled, outside, nodata."""

Value = int | str
"""A value as label files hold it: a number, a colour `#rrggbb`, or an attribute's text."""


def _ignored() -> list[Value]:
    return [IGNORE]


class LandClass(BaseModel):
    """One class. Its id is its position in the legend."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    name: str = Field(min_length=1, description="What maps, scores and tables call it")
    color: str = Field(description="Colour on the map, #rrggbb")
    values: list[Value] = Field(
        default_factory=list,
        description="Label values of this class: numbers, colours #rrggbb or attribute texts. "
        "Empty: the class's name, and its position where no name is a number in its place.",
    )

    @field_validator("color")
    @classmethod
    def _hex(cls, color: str) -> str:
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
            raise ValueError("a colour is written #rrggbb")
        return color.lower()

    @property
    def rgb(self) -> tuple[int, int, int]:
        r, g, b = bytes.fromhex(self.color[1:])
        return r, g, b


class Legend(BaseModel):
    """Classes in id order, and the label values that deliberately mean no class."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    classes: list[LandClass] = Field(min_length=2, max_length=254)
    ignore: list[Value] = Field(
        default_factory=_ignored,
        description="Label values without a class: never counted as unmapped",
    )

    @model_validator(mode="after")
    def _unique(self) -> "Legend":
        names = [c.name for c in self.classes]
        if len(set(names)) < len(names):
            raise ValueError("two classes have the same name")
        seen: dict[Value, str] = {}
        for name, values in zip(names, self._own_values(), strict=True):
            for value in values:
                if (first := seen.setdefault(value_key(value), name)) != name:
                    raise ValueError(f"value {value_key(value)!r} belongs to both {first!r} and {name!r}")
        return self

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.classes]

    @property
    def numbered(self) -> dict[int, str]:
        """Label value -> class that has it by its name alone, where positions would tell them otherwise."""
        found = [(value_key(c.name), i, c.name) for i, c in enumerate(self.classes) if not c.values]
        named = {value: (i, name) for value, i, name in found if isinstance(value, int)}
        shifted = any(value != i for value, (i, _) in named.items())
        return {value: name for value, (_, name) in named.items()} if shifted else {}

    def _own_values(self) -> list[list[Value]]:
        return own_values([(c.name, c.values) for c in self.classes])

    def class_id(self, name: str) -> int:
        """Position of the class called `name`. Raises BadInput where there is none."""
        if name not in self.names:
            raise BadInput(f"class {name!r}", "is not in the legend", meant(name, self.names, "classes"))
        return self.names.index(name)

    def class_ids(self, mapping: Mapping[Value, str] | None = None) -> dict[Value, int]:
        """Label value -> class id, ignored values -> 255.

        `mapping` (value -> class name) replaces the legend's own values: for label files that use
        another nomenclature. Texts match without regard to case. Raises BadInput for a name that is not
        in the legend.
        """
        ids: dict[Value, int] = {value_key(value): IGNORE for value in self.ignore}
        if mapping:
            return ids | {value_key(value): self.class_id(name) for value, name in mapping.items()}
        for i, values in enumerate(self._own_values()):
            ids |= {value_key(value): i for value in values}
        return ids


def own_values(classes: Sequence[tuple[str, Sequence[Value]]]) -> list[list[Value]]:
    """The label values of classes, given by name and the values listed for each.

    A class without any is called by its position and its name; by its name alone where that is a number, or
    where another class has its position for a name.
    """
    names = {value_key(name) for name, values in classes if not values}

    def default(position: int, name: str) -> list[Value]:
        by_name = isinstance(value_key(name), int) or position in names
        return [name] if by_name else [position, name]

    return [list(values) or default(i, name) for i, (name, values) in enumerate(classes)]


def value_key(value: Value) -> Value:
    """Texts compare folded, a text that is a whole number compares as that number."""
    if isinstance(value, str):
        text = value.strip().casefold()
        return int(text) if re.fullmatch(r"-?\d+", text) else text
    return int(value)
