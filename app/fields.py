"""The editors of a form's fields: each shows one setting's value and tells what was given instead."""

from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QCheckBox, QComboBox, QLineEdit, QVBoxLayout, QWidget

from app.setting import Setting


class Field(QWidget):
    """An editor for one setting. `edited` comes with every change by the user, right or wrong.

    `value` raises ValueError with the reason where what is given cannot be used.
    """

    edited = Signal()

    def __init__(self, setting: Setting, control: QWidget) -> None:
        super().__init__()
        self.setting, self.control = setting, control
        control.setAccessibleName(f"{setting.label} ({setting.unit})" if setting.unit else setting.label)
        control.setAccessibleDescription(setting.description)
        control.setToolTip(setting.tip)
        if isinstance(control, QLineEdit | QAbstractSpinBox | QComboBox):
            control.setMinimumHeight(control.fontMetrics().height() + 10)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(control)
        self.setFocusProxy(control)
        control.installEventFilter(_Unwheeled(control))

    def value(self) -> Any:
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        """Show a value of the job file, even a wrong one, without `edited`."""
        raise NotImplementedError


class TextField(Field):
    """Texts and lists."""

    def __init__(self, setting: Setting) -> None:
        self.line = QLineEdit(placeholderText=setting.nothing if setting.optional else "")
        super().__init__(setting, self.line)
        self.line.textEdited.connect(self.edited)

    def value(self) -> Any:
        return self.setting.parse(self.line.text())

    def show_value(self, value: Any) -> None:
        _show_in(self.line, self.setting, value)


class NumberField(Field):
    """Whole and decimal numbers: typed in any notation, or stepped by arrow keys."""

    def __init__(self, setting: Setting) -> None:
        self.box = _NumberBox(setting)
        super().__init__(setting, self.box)
        self.box.lineEdit().textEdited.connect(self.edited)
        self.box.stepped.connect(self.edited)

    def value(self) -> Any:
        return self.setting.parse(self.box.lineEdit().text())

    def show_value(self, value: Any) -> None:
        _show_in(self.box.lineEdit(), self.setting, value)


class ChoiceField(Field):
    """One of a few values; a wrong value from a file is listed as it is, until another is chosen."""

    def __init__(self, setting: Setting) -> None:
        self.box = QComboBox()
        self._values: list[Any] = [*([None] if setting.optional else []), *setting.choices]
        self.box.addItems([setting.nothing if v is None else setting.write(v) for v in self._values])
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.setMinimumContentsLength(8)
        super().__init__(setting, self.box)
        self.box.activated.connect(lambda _: self.edited.emit())

    def value(self) -> Any:
        index = self.box.currentIndex()
        value = self._values[index] if 0 <= index < len(self._values) else self.box.currentText()
        self.setting.check(value)
        return value

    def show_value(self, value: Any) -> None:
        while self.box.count() > len(self._values):
            self.box.removeItem(self.box.count() - 1)
        known = [i for i, v in enumerate(self._values) if type(v) is type(value) and v == value]
        if not known:
            self.box.addItem(self.setting.write(value))
        self.box.setCurrentIndex(known[0] if known else self.box.count() - 1)


class SwitchField(Field):
    """Yes or no."""

    def __init__(self, setting: Setting) -> None:
        self.box = QCheckBox()
        super().__init__(setting, self.box)
        self.box.clicked.connect(lambda: self._say())
        self._wrong: Any = None

    def value(self) -> Any:
        self.setting.check(self.box.isChecked() if self._wrong is None else self._wrong)
        return self.box.isChecked()

    def show_value(self, value: Any) -> None:
        self._wrong = None if isinstance(value, bool) else value
        self.box.setChecked(value is True)
        self._label()

    def _say(self) -> None:
        self._wrong = None
        self._label()
        self.edited.emit()

    def _label(self) -> None:
        self.box.setText(self.tr("yes") if self.box.isChecked() else self.tr("no"))


class GroupField(Field):
    """Whether a group of settings is in use: its mapping, or nothing."""

    def __init__(self, setting: Setting) -> None:
        self.box = QCheckBox()
        super().__init__(setting, self.box)
        self.box.clicked.connect(lambda: self._say())
        self._value: Any = None

    def value(self) -> Any:
        self.setting.check(self._value)
        return self._value

    def show_value(self, value: Any) -> None:
        self._value = value
        self.box.setChecked(value is not None)
        self.box.setText(self.tr("no") if value is None else self.tr("yes"))

    def _say(self) -> None:
        self.show_value({} if self.box.isChecked() else None)
        self.edited.emit()


def field_for(setting: Setting) -> Field:
    """The editor that suits a setting."""
    match setting.kind:
        case "integer" | "number":
            return NumberField(setting)
        case "choice":
            return ChoiceField(setting)
        case "group":
            return GroupField(setting)
        case "boolean" if not setting.optional:
            return SwitchField(setting)
    return TextField(setting)


def _show_in(line: QLineEdit, setting: Setting, value: Any) -> None:
    """What is typed stays as it is (1e-4) where it means the value."""
    try:
        same = setting.parse(line.text()) == value and line.text().strip() != ""
    except ValueError:
        same = False
    if not same:
        line.setText(setting.write(value))
        line.setCursorPosition(0)


class _NumberBox(QAbstractSpinBox):
    """A number as text with arrows: Qt's own boxes round 1e-4 to 0 and refuse it while it is typed."""

    stepped = Signal()

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self._setting = setting
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if setting.optional:
            self.lineEdit().setPlaceholderText(setting.nothing)

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        flags = QAbstractSpinBox.StepEnabledFlag
        return flags.StepUpEnabled | flags.StepDownEnabled if self._number() is not None else flags.StepNone

    def stepBy(self, steps: int) -> None:
        number = self._number()
        if number is not None:
            self.lineEdit().setText(self._setting.write(self._setting.stepped(number, steps)))
            self.stepped.emit()

    def _number(self) -> float | None:
        try:
            value = self._setting.parse(self.lineEdit().text())
        except ValueError:
            return None
        return value if isinstance(value, (int, float)) else None


class _Unwheeled(QObject):
    """Scrolling over a field scrolls the form and changes nothing, unless the field has the focus."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QWheelEvent) and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)
