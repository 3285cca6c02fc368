"""What the user knows of the target's class shares: a share, absent, or nothing (automatic)."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from app.fields import NumberField
from app.form_row import LABEL_WIDTH_PX
from app.setting import Setting

AUTOMATIC, ABSENT, SHARE = range(3)
SWATCH_PX = 14


class SharesTable(QWidget):
    """`changed` carries class -> share (0: absent in the target), without the classes left to the engine."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[ShareRow] = []
        self._shares: dict[str, float] = {}
        self._empty = QLabel(
            self.tr("The legend has no classes yet; add them in the Legend panel."), wordWrap=True
        )
        self.total = QLabel(wordWrap=True)
        self._table = QWidget()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self._empty, self._table, self.total):
            self._layout.addWidget(widget)
        self._classes: list[tuple[str, str]] | None = None
        self.set_values([], {})

    def set_values(self, classes: Sequence[Mapping[str, Any]], shares: Any) -> None:
        """Show the legend's classes with their shares; shares of classes that are gone come last."""
        self._shares = dict(shares) if isinstance(shares, Mapping) else {}
        named = [(str(each.get("name", "")), str(each.get("color", ""))) for each in classes]
        known = {name for name, _ in named}
        named += [(name, "") for name in self._shares if name not in known]
        if named != self._classes:
            self._classes = named
            self._rebuild(known)
        for row in self.rows:
            row.show_share(self._shares.get(row.name))
        self._show_total()

    @property
    def faults(self) -> list[str]:
        """What cannot be used, in sentences."""
        gone = [row.name for row in self.rows if row.gone]
        found = [row.fault for row in self.rows if row.fault]
        if gone:
            text = self.tr("Expected shares: {0} is not in the legend any more; set it to automatic")
            found.append(text.format(gone[0]))
        if self._total > 1 + 1e-9:
            text = self.tr("Expected shares: they add up to {0:.3g} %; lower one")
            found.append(text.format(100 * self._total))
        return found

    @property
    def _total(self) -> float:
        return sum(share for share in self._shares.values() if isinstance(share, int | float))

    def _rebuild(self, known: set[str]) -> None:
        fresh = QWidget()
        grid = QGridLayout(fresh)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnMinimumWidth(1, LABEL_WIDTH_PX)
        grid.setColumnStretch(4, 1)
        self.rows = [ShareRow(self, name, color, name not in known) for name, color in self._classes or []]
        for number, row in enumerate(self.rows):
            for column, widget in enumerate((row.swatch, row.label, row.mode, row.percent)):
                grid.addWidget(widget, number, column)
            row.mode.activated.connect(lambda _, row=row: self._on_mode(row))
            row.percent.edited.connect(self._on_edited)
        self._layout.replaceWidget(self._table, fresh)
        self._table.deleteLater()
        self._table = fresh
        self._empty.setVisible(not self.rows)

    def _on_mode(self, row: "ShareRow") -> None:
        row.enable()
        if row.mode.currentIndex() == SHARE:
            row.percent.setFocus()
        self._on_edited()

    def _on_edited(self) -> None:
        given = {row.name: row.share for row in self.rows}
        self._shares = {name: share for name, share in given.items() if share is not None}
        self._show_total()
        self.changed.emit(dict(self._shares))

    def _show_total(self) -> None:
        faults = self.faults
        given = self.tr("Given: {0:.3g} % of the land; the rest is shared by the automatic classes.")
        self.total.setText(f"⚠ {faults[0]}" if faults else given.format(100 * self._total))
        self.total.setVisible(bool(self._shares) or bool(faults))


class ShareRow:
    """One class: its colour, name, what is known, and the share in percent."""

    def __init__(self, table: SharesTable, name: str, color: str, gone: bool) -> None:
        self.name, self.gone, self.fault = name, gone, ""
        self.swatch = QLabel()
        if color:
            pixmap = QPixmap(SWATCH_PX, SWATCH_PX)
            pixmap.fill(QColor(color))
            self.swatch.setPixmap(pixmap)
        words = table.tr("{0} (not in the legend)").format(name) if gone else name
        self.label = QLabel(words, wordWrap=True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.mode = QComboBox()
        self.mode.addItems(
            [
                table.tr("automatic"),
                table.tr("absent in the target"),
                table.tr("share of the land"),
            ]
        )
        self.mode.setAccessibleName(table.tr("What is known of {0}").format(name))
        self.mode.setToolTip(table.tr("Automatic: judged by the source's labels and source-only's map"))
        setting = Setting(
            ("expected_shares", name), "number", name, "%", "Share of the target's land", least=0, most=100
        )
        self.percent = NumberField(setting)
        self.percent.control.setAccessibleName(table.tr("Share of {0} in percent").format(name))

    @property
    def share(self) -> float | None:
        """The share (0 to 1), None for automatic; a wrong text is a fault, and no share."""
        self.fault = ""
        if self.mode.currentIndex() != SHARE:
            return 0.0 if self.mode.currentIndex() == ABSENT else None
        try:
            return round(float(self.percent.value()) / 100, 9)
        except ValueError as reason:
            self.fault = f"{self.name} {reason}"
            return None

    def show_share(self, share: Any) -> None:
        waiting = self.mode.currentIndex() == SHARE and self.percent.control.hasFocus()
        if not share and waiting:
            return  # a share is being typed, and is not one yet: nothing, or the 0 of 0.5
        self.fault = ""
        known = isinstance(share, int | float)
        self.mode.setCurrentIndex(AUTOMATIC if share is None else ABSENT if share == 0 else SHARE)
        self.percent.show_value(round(100 * share, 7) if known and share else None)
        self.enable()

    def enable(self) -> None:
        self.percent.setVisible(self.mode.currentIndex() == SHARE)
