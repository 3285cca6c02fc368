"""A form made from a JSON Schema: a few fields first, the rest folded, all of them found by a filter."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.form_row import Row
from app.schema import Group, read_schema
from app.section import Section
from app.setting import Keys, Setting

FEW = 6
"""So many fields need no folding."""


class SchemaForm(QWidget):
    """Shows `values` (nested as the schema) and tells what the user changes; it never keeps them.

    `changed` carries the keys and the new value, `reset` the keys that go back to their default, and
    `faults_changed` comes when `faults` does. The `basic` fields stand first; without them the first few.
    """

    changed = Signal(tuple, object)
    reset = Signal(tuple)
    faults_changed = Signal()

    def __init__(
        self,
        schema: Mapping[str, Any],
        values: Mapping[str, Any] | None = None,
        definitions: Mapping[str, Any] | None = None,
        basic: Collection[str] = (),
        skip: Collection[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        members = _kept(read_schema(schema, definitions), skip)
        self.rows: dict[Keys, Row] = {}
        self._sections: list[Section] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._add_filter(shown=sum(len(list(_settings(member))) for member in members) > FEW)
        self._add_members(members, basic)
        self._layout.addStretch()
        self.set_values(values or {})

    @property
    def faults(self) -> list[str]:
        """What cannot be used, in sentences, in the order of the fields."""
        return [f"{row.setting.label} {row.fault}" for row in self.rows.values() if row.fault]

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show other values; what is missing shows its default. Says nothing but `faults_changed`."""
        before = self.faults
        for row in self.rows.values():
            row.show_value(_at(values, row.setting.keys, row.setting.default))
        self._refresh()
        if self.faults != before:
            self.faults_changed.emit()

    def _on_edited(self, row: Row) -> None:
        before = self.faults
        value = row.read()
        if self.faults != before:
            self.faults_changed.emit()
        self._refresh()
        if not row.fault:
            self.changed.emit(row.setting.keys, value)

    def _on_reset(self, row: Row) -> None:
        before = self.faults
        row.show_value(row.setting.default)
        if self.faults != before:
            self.faults_changed.emit()
        self._refresh()
        self.reset.emit(row.setting.keys)

    def _add_filter(self, shown: bool) -> None:
        self.filter = QLineEdit(placeholderText=self.tr("Find a setting"), clearButtonEnabled=True)
        self.filter.setAccessibleName(self.tr("Find a setting"))
        self.filter.setToolTip(self.tr("Show only the settings whose name or description holds this text"))
        self.filter.textChanged.connect(self._filter)
        self.filter.setVisible(shown)
        self.nothing = QLabel(self.tr("No setting is called so; clear the filter to see all."), wordWrap=True)
        self.nothing.hide()
        self._layout.addWidget(self.filter)
        self._layout.addWidget(self.nothing)

    def _add_members(self, members: list[Setting | Group], basic: Collection[str]) -> None:
        first, more = _divide(members, basic)
        self._layout.addWidget(self._table(first))
        if more:
            self._layout.addWidget(self._section(self.tr("More settings"), more))
        for inner in members:
            if isinstance(inner, Group):
                self._layout.addWidget(self._section(inner.label, list(inner.settings())))

    def _table(self, settings: list[Setting]) -> QWidget:
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 8)
        grid.setColumnStretch(4, 1)
        grid.setVerticalSpacing(4)
        for setting in settings:
            row = Row(setting, table)
            row.place(grid, grid.rowCount())
            row.field.edited.connect(lambda row=row: self._on_edited(row))
            row.back.clicked.connect(lambda _=False, row=row: self._on_reset(row))
            self.rows[setting.keys] = row
        return table

    def _section(self, title: str, settings: list[Setting]) -> Section:
        section = Section(title)
        section.setObjectName(title)
        section.add(self._table(settings))
        self._sections.append(section)
        return section

    def _inside(self, section: Section) -> list[Row]:
        return [row for row in self.rows.values() if section.isAncestorOf(row.field)]

    def _filter(self, text: str) -> None:
        wanted = text.strip().casefold()
        found = [row for row in self.rows.values() if row.match(wanted)]
        self.nothing.setVisible(not found)
        for section in self._sections:
            section.setVisible(any(row in found for row in self._inside(section)))
            if wanted:
                section.set_open(True)

    def _refresh(self) -> None:
        for switch in self.rows.values():
            if switch.setting.kind == "group":
                self._enable_below(switch.setting.keys, switch.is_on)
        self._count_changed()

    def _enable_below(self, keys: Keys, on: bool) -> None:
        """What belongs to an optional group can be set where that is in use."""
        for row in self.rows.values():
            if len(row.setting.keys) > len(keys) and row.setting.keys[: len(keys)] == keys:
                row.field.setEnabled(on)

    def _count_changed(self) -> None:
        """A folded change must not be forgotten: the heading counts them."""
        for section in self._sections:
            inside = self._inside(section)
            changed = sum(row.is_changed for row in inside)
            counts = self.tr("{0}, {1} changed").format(len(inside), changed) if changed else len(inside)
            section.set_title(f"{section.objectName()} ({counts})")


def _kept(group: Group, skip: Collection[str]) -> list[Setting | Group]:
    return [member for member in group.members if isinstance(member, Group) or member.keys[-1] not in skip]


def _settings(member: Setting | Group) -> Iterator[Setting]:
    if isinstance(member, Group):
        yield from member.settings()
    else:
        yield member


def _divide(members: list[Setting | Group], basic: Collection[str]) -> tuple[list[Setting], list[Setting]]:
    """The settings to show first, and those to fold."""
    plain = [member for member in members if isinstance(member, Setting)]
    if not basic:
        return (plain, []) if len(plain) <= FEW else (plain[:FEW], plain[FEW:])
    order = list(basic)
    first = sorted((s for s in plain if s.keys[-1] in basic), key=lambda s: order.index(s.keys[-1]))
    return first, [setting for setting in plain if setting.keys[-1] not in basic]


def _at(values: Mapping[str, Any], keys: Keys, default: Any) -> Any:
    node: Any = values
    for key in keys:
        if not isinstance(node, Mapping) or key not in node:
            return default
        node = node[key]
    return node
