"""A large button with a line that says what it does: the start page's."""

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QCommandLinkButton, QWidget

from app.theme import icon


class CommandLink(QCommandLinkButton):
    """`text` may mark its shortcut's letter; `description` is also its tip."""

    def __init__(self, text: str, description: str, parent: QWidget | None = None) -> None:
        super().__init__(text, description, parent)
        self.setAccessibleName(text.replace("&", "").rstrip("."))
        self.setAccessibleDescription(description)
        self.setToolTip(description)
        self.setIcon(icon("start"))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:  # Qt takes the style's own icon then, black on dark
            self.setIcon(icon("start"))
