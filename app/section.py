"""A heading that folds what stands below it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget


class Section(QWidget):
    """A foldable part of a panel. `add` puts widgets below the heading."""

    unfolded = Signal(bool)

    def __init__(self, title: str, open: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = QToolButton()
        self.heading.setCheckable(True)
        self.heading.setChecked(open)
        self.heading.setAutoRaise(True)
        self.heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.heading.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.heading.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.heading.toggled.connect(self._unfold)
        self.content = QWidget()
        self._content = QVBoxLayout(self.content)
        self._content.setContentsMargins(12, 2, 0, 6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.heading)
        layout.addWidget(self.content)
        self.set_title(title)
        self._unfold(open)

    def add(self, widget: QWidget) -> None:
        self._content.addWidget(widget)

    def set_title(self, title: str) -> None:
        self.heading.setText(title)
        self.heading.setAccessibleName(title)
        self.heading.setToolTip(self.tr("Show or hide: {0}").format(title))

    def set_open(self, open: bool) -> None:
        self.heading.setChecked(open)

    @property
    def open(self) -> bool:
        return self.heading.isChecked()

    def _unfold(self, open: bool) -> None:
        self.content.setVisible(open)
        self.heading.setArrowType(Qt.ArrowType.DownArrow if open else Qt.ArrowType.RightArrow)
        self.unfolded.emit(open)
