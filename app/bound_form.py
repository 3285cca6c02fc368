"""A form that shows one part of the project and edits it, one undo step a setting."""

from collections.abc import Collection, Mapping
from typing import Any

from PySide6.QtWidgets import QWidget

from app.edits import Document
from app.forms import SchemaForm
from app.project import REMOVE
from app.setting import Keys


class BoundForm(SchemaForm):
    """The settings at `at` in the document. What equals its default is not written into the job file."""

    def __init__(
        self,
        document: Document,
        at: Keys,
        schema: Mapping[str, Any],
        definitions: Mapping[str, Any] | None = None,
        basic: Collection[str] = (),
        skip: Collection[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        self._document, self._at = document, at
        super().__init__(schema, self._values(), definitions, basic, skip, parent)
        self.changed.connect(self._edit)
        self.reset.connect(lambda keys: self._edit(keys, REMOVE))
        document.changed.connect(self._on_changed)

    def _values(self) -> Mapping[str, Any]:
        found = self._document.value(*self._at, default={})
        return found if isinstance(found, Mapping) else {}

    def _edit(self, keys: Keys, value: Any) -> None:
        setting = self.rows[keys].setting
        text = self.tr("Set {0}").format(setting.label.lower())
        wanted = REMOVE if value is not REMOVE and value == setting.default else value
        change_in(self._document, text, self._at, keys, wanted)

    def _on_changed(self, keys: tuple[object, ...]) -> None:
        both = min(len(keys), len(self._at))
        if keys[:both] == self._at[:both]:
            self.set_values(self._values())


def change_in(document: Document, text: str, at: Keys, keys: Keys, value: Any) -> None:
    """Edit one setting below `at`; edits of the same one in a row are undone as one."""
    merge = ".".join((*at, *keys))
    if isinstance(document.value(*at, default={}), Mapping):
        document.change(text, {(*at, *keys): value}, merge)
    elif value is not REMOVE:
        # A file may hold anything there, such as nothing: it gives way to what the user sets.
        for key in reversed(keys):
            value = {key: value}
        document.change(text, {at: value})
