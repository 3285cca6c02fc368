"""All keyboard shortcuts of a window, read from its actions and buttons, and the keys of maps and lists."""

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)


class ShortcutsDialog(QDialog):
    """A table of commands and their keys."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        rows = shortcuts(window)
        self.table = QTableWidget(len(rows), 2, self)
        self.table.setHorizontalHeaderLabels([self.tr("Command"), self.tr("Keys")])
        self.table.setAccessibleName(self.tr("Keyboard shortcuts"))
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for row, texts in enumerate(rows):
            for column, text in enumerate(texts):
                self.table.setItem(row, column, QTableWidgetItem(text))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.table)
        layout.addWidget(buttons)
        self.resize(460, 560)


def shortcuts(window: QWidget) -> list[tuple[str, str]]:
    """(command, keys) of everything that has a shortcut, by command; then those of maps and lists."""
    found = {(each.text(), key) for each in window.findChildren(QAction) for key in each.shortcuts()}
    for button in window.findChildren(QAbstractButton):
        if button.shortcut() != QKeySequence.mnemonic(button.text()):
            found.add((button.accessibleName() or button.text(), button.shortcut()))
    native = QKeySequence.SequenceFormat.NativeText
    named = {(text.replace("&", "").rstrip("."), keys.toString(native)) for text, keys in found if keys}
    return [*sorted(named), *gestures()]


def gestures() -> list[tuple[str, str]]:
    """What keys do in maps, lists and tables, which have no action for it."""

    def tr(text: str) -> str:
        return QCoreApplication.translate("Shortcuts", text)

    return [
        (tr("Map: move; with Shift a little"), tr("Arrow keys")),
        (tr("Map: closer, farther"), "+, -"),
        (tr("Map: show the whole"), tr("Home")),
        (tr("Map: use the tool in the middle"), tr("Space")),
        (tr("Drawing: finish"), tr("Enter")),
        (tr("Drawing: take back the last corner"), tr("Backspace")),
        (tr("Drawing: give up"), tr("Esc")),
        (tr("Editing an area: next or previous corner"), tr("Page Down, Page Up")),
        (tr("Editing an area: put the corner in the middle"), tr("Space")),
        (tr("Editing an area: remove the corner"), tr("Delete, Backspace")),
        (tr("Swipe: move the divider; with Shift faster"), tr("Left, Right")),
        (tr("Swipe: show all of one side"), tr("Home, End")),
        (tr("List: rename or edit"), "F2"),
        (tr("List: tick or untick"), tr("Space")),
        (tr("List: remove"), tr("Delete")),
        (tr("Table: copy"), QKeySequence(QKeySequence.StandardKey.Copy).toString()),
    ]
