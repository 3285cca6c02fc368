"""How the window says that something went wrong: one sentence, what to try, details to unfold and copy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QStyle,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.details import details_of
from core.errors import BadInput

Kind = Literal["note", "warning", "problem"]
ICONS = {
    "note": QStyle.StandardPixmap.SP_MessageBoxInformation,
    "warning": QStyle.StandardPixmap.SP_MessageBoxWarning,
    "problem": QStyle.StandardPixmap.SP_MessageBoxCritical,
}
TEXT_WIDTH_PX = 440


def split(text: str | BadInput) -> tuple[str, str]:
    """What is wrong, and what to try, which stands behind the last `; ` of a text ("" where nothing does)."""
    if isinstance(text, BadInput):
        return f"{text.culprit}: {text.problem}", text.remedy
    wrong, _, remedy = text.rpartition("; ")
    return (wrong, remedy) if wrong else (text, "")


def show_problem(parent: QWidget | None, text: str | BadInput, details: str = "") -> "ProblemDialog":
    """Show a problem above `parent` and return at once; the dialog deletes itself when it is closed.

    One that is shown already is not shown again: what fails once may fail fifty times a second.
    """
    for shown in parent.findChildren(ProblemDialog) if parent else ():
        if shown.isVisible() and shown.text == str(text):
            return shown
    dialog = ProblemDialog(text, details, parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
    return dialog


class ProblemDialog(QDialog):
    """One sentence, its remedy, and details (a log, a trace) that are folded until asked for."""

    def __init__(self, text: str | BadInput, details: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Something went wrong"))
        self.text = str(text)
        wrong, remedy = split(text)
        self.sentence = _words(wrong, self.tr("What went wrong"))
        self.remedy = _words(self.tr("What to try: {0}").format(remedy), self.tr("What to try"))
        self.remedy.setVisible(bool(remedy))
        self.details = QPlainTextEdit(details, readOnly=True)
        self.details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.details.setAccessibleName(self.tr("Details"))
        self.details.setMinimumHeight(160)
        self.details.hide()
        self._copied = "\n\n".join(part for part in (wrong, remedy, details) if part)
        layout = QVBoxLayout(self)
        layout.addLayout(self._head())
        layout.addWidget(self.details)
        layout.addWidget(self._buttons(bool(details)))
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetMinimumSize)

    def _head(self) -> QHBoxLayout:
        texts = QVBoxLayout()
        texts.addWidget(self.sentence)
        texts.addWidget(self.remedy)
        texts.addStretch()
        head = QHBoxLayout()
        head.addWidget(_icon(self, "problem"), alignment=Qt.AlignmentFlag.AlignTop)
        head.addLayout(texts, 1)
        return head

    def _buttons(self, has_details: bool) -> QDialogButtonBox:
        self.unfold = QPushButton(self.tr("Show &details"), self)
        self.unfold.setCheckable(True)
        self.unfold.setToolTip(self.tr("What the program wrote about it, for whoever is to help"))
        self.unfold.toggled.connect(self._unfold)
        self.unfold.setVisible(has_details)
        self.copy = QPushButton(self.tr("&Copy"), self)
        self.copy.setToolTip(self.tr("Copy the sentence, the remedy and the details"))
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._copied))
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        for button in (self.unfold, self.copy) if has_details else (self.copy,):
            button.setAccessibleName(button.text().replace("&", ""))
            box.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        box.rejected.connect(self.reject)
        return box

    def _unfold(self, shown: bool) -> None:
        self.details.setVisible(shown)
        self.unfold.setText(self.tr("Hide &details") if shown else self.tr("Show &details"))
        self.adjustSize()


@dataclass(frozen=True)
class Notice:
    """Something to tell without interrupting; `action` is the text of a button that helps, "" for none."""

    text: str
    kind: Kind = "warning"
    details: str = ""
    action: str = ""


class NoticeBar(QFrame):
    """A line above the content that interrupts nothing; notices wait in turn until each is dismissed.

    `acted` carries the notice whose action button was pressed, `dismissed` the one that was closed.
    """

    acted = Signal(object)
    dismissed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setAccessibleName(self.tr("Notice"))
        self._waiting: list[Notice] = []
        self._icon = QLabel()
        self.text = _words("", self.tr("Notice"))
        self.text.setMinimumWidth(0)
        self.action = self._button("", self.tr("Do what the notice offers"), self._act)
        self.unfold = self._button(
            self.tr("Details"), self.tr("What the program wrote about it"), self._show_details
        )
        self.close_button = self._button(
            self.tr("Dismiss"), self.tr("Close this notice; the next one follows"), self.dismiss
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.addWidget(self._icon)
        layout.addWidget(self.text, 1)
        for button in (self.action, self.unfold, self.close_button):
            layout.addWidget(button)
        self.hide()

    @property
    def notice(self) -> Notice | None:
        """The notice on show."""
        return self._waiting[0] if self._waiting else None

    def show_notice(self, text: str, kind: Kind = "warning", details: str = "", action: str = "") -> Notice:
        """Show a notice, or let it wait for those before it; one that waits already is not repeated."""
        notice = Notice(text, kind, details or details_of(text), action)
        if notice not in self._waiting:
            self._waiting.append(notice)
        self._refresh()
        return notice

    def dismiss(self, notice: Notice | None = None) -> None:
        """Take away a notice: the one on show unless another is named."""
        gone = notice if isinstance(notice, Notice) else self.notice
        if gone in self._waiting:
            self._waiting.remove(gone)
            self._refresh()
            self.dismissed.emit(gone)

    def _refresh(self) -> None:
        self.setVisible(bool(self._waiting))
        if not self._waiting:
            return
        first, more = self._waiting[0], len(self._waiting) - 1
        self._icon.setPixmap(_icon(self, first.kind, small=True).pixmap())
        kinds = {"note": self.tr("Note"), "warning": self.tr("Warning"), "problem": self.tr("Problem")}
        self._icon.setAccessibleName(kinds[first.kind])
        count = self.tr(" ({0} more)").format(more) if more else ""
        self.text.setText(f"{kinds[first.kind]}: {first.text}{count}")
        self.action.setText(first.action)
        self.action.setAccessibleName(first.action or self.action.toolTip())
        self.action.setVisible(bool(first.action))
        self.unfold.setVisible(bool(first.details))

    def _act(self) -> None:
        notice = self.notice
        self.dismiss()
        self.acted.emit(notice)

    def _show_details(self) -> None:
        if self.notice:
            show_problem(self, self.notice.text, self.notice.details)

    def _button(self, text: str, tip: str, slot: Callable[[], None]) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(text or tip)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(lambda _: slot())
        return button


def _words(text: str, name: str) -> QLabel:
    """A text that wraps, can be marked and copied, and is never taken for markup."""
    label = QLabel(text, wordWrap=True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    label.setAccessibleName(name)
    label.setMinimumWidth(TEXT_WIDTH_PX)
    return label


def _icon(widget: QWidget, kind: Kind, small: bool = False) -> QLabel:
    style = widget.style()
    metric = QStyle.PixelMetric.PM_SmallIconSize if small else QStyle.PixelMetric.PM_MessageBoxIconSize
    size = style.pixelMetric(metric, None, widget)
    label = QLabel()
    label.setPixmap(style.standardIcon(ICONS[kind], None, widget).pixmap(size))
    return label
