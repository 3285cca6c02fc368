"""One row of a form: label, field, unit, the way back to the default, and what is wrong."""

from typing import Any

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QToolButton, QWidget

from app.fault_line import FaultLine
from app.fields import field_for
from app.setting import MISSING, Setting

LABEL_WIDTH_PX, FIELD_WIDTH_PX = 150, 380


class Row:
    """A setting's field and what stands around it. `fault` says why its value cannot be used."""

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        self.setting = setting
        self.field = field_for(setting)
        self.label = QLabel(setting.label, parent, wordWrap=True)
        self.label.setBuddy(self.field.control)
        self.label.setToolTip(setting.tip)
        self.label.setMinimumWidth(LABEL_WIDTH_PX)
        self.field.setMaximumWidth(FIELD_WIDTH_PX)
        self.unit = QLabel(setting.unit, parent)
        self.back = _back(setting, parent)
        self.reason = FaultLine(self.field.control, parent)
        self.fault = ""
        self._value: Any = MISSING
        self._found = True

    def place(self, grid: QGridLayout, number: int) -> None:
        for column, widget in enumerate((self.label, self.field, self.unit, self.back)):
            grid.addWidget(widget, 2 * number, column)
        grid.addWidget(self.reason, 2 * number + 1, 1, 1, 3)

    @property
    def is_changed(self) -> bool:
        """Whether the field shows anything but its default."""
        return bool(self.fault) or (self._has_default and self._value != self.setting.default)

    @property
    def is_on(self) -> bool:
        """Whether there is a value at all."""
        return self._value is not None

    def read(self) -> Any:
        """The value given, or the last good one where `fault` says why this one cannot be used."""
        try:
            self._value, self.fault = self.field.value(), ""
        except ValueError as reason:
            self.fault = str(reason)
        self._show()
        return self._value

    def show_value(self, value: Any) -> None:
        """Show a value of the job file, even a wrong one."""
        self.field.show_value(value)
        self._value = value
        self.read()

    def match(self, wanted: str) -> bool:
        """Whether the row has to do with `wanted`, folded; it hides where not."""
        words = f"{self.setting.label} {' '.join(self.setting.keys)} {self.setting.description}".casefold()
        self._found = all(word in words for word in wanted.split())
        self._show()
        return self._found

    @property
    def _has_default(self) -> bool:
        return self.setting.default is not MISSING

    def _show(self) -> None:
        """A changed value is told by a dot, by weight and by its button, never by colour alone."""
        changed = self.is_changed
        font = self.label.font()
        font.setBold(changed)
        self.label.setFont(font)
        self.label.setText(f"• {self.setting.label}" if changed else self.setting.label)
        self.reason.say(f"{self.setting.label} {self.fault}" if self.fault else "")
        for widget in (self.label, self.field, self.unit):
            widget.setVisible(self._found)
        self.back.setVisible(self._found and changed and self._has_default)
        self.reason.setVisible(self._found and bool(self.fault))


def _back(setting: Setting, parent: QWidget) -> QToolButton:
    default = setting.nothing if setting.default is None else setting.write(setting.default)
    tip = QCoreApplication.translate("SchemaForm", "Back to the default: {0}").format(default)
    button = QToolButton(parent)
    button.setText(QCoreApplication.translate("SchemaForm", "Reset"))
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setToolTip(f"{tip} {setting.unit}".strip())
    button.setAccessibleName(QCoreApplication.translate("SchemaForm", "Reset {0}").format(setting.label))
    # The fields keep their width when the button comes and goes.
    policy = button.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    button.setSizePolicy(policy)
    return button
