"""A line that tells what came of something, with a button to the details that stand behind it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from app.details import details_of
from app.panels.problem import show_problem


class SaidLine(QWidget):
    """`say` a sentence; where a trace or an engine's last words were kept for it, they can be unfolded."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sentence = ""
        self.label = QLabel(wordWrap=True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.label.setAccessibleName(name)
        self.unfold = QToolButton()
        self.unfold.setText(self.tr("Details"))
        self.unfold.setAccessibleName(self.tr("Details"))
        self.unfold.setToolTip(self.tr("What the program wrote about it"))
        self.unfold.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.unfold.clicked.connect(lambda _: self._show())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.unfold, alignment=Qt.AlignmentFlag.AlignTop)
        self.say("")

    def text(self) -> str:
        return self.label.text()

    def say(self, text: str, about: str = "") -> None:
        """Show `text`; `about` is the sentence whose details are meant, where `text` is more than that."""
        self._sentence = about or text
        self.label.setText(text)
        self.setVisible(bool(text))
        self.unfold.setVisible(bool(details_of(self._sentence)))

    def _show(self) -> None:
        show_problem(self, self._sentence, details_of(self._sentence))
