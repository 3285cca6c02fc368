"""Why what a control holds cannot be used: one sentence below it, which a screen reader hears of it too."""

from PySide6.QtWidgets import QLabel, QWidget


class FaultLine(QLabel):
    """Hidden while there is nothing to say of `control`."""

    def __init__(self, control: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent, wordWrap=True)
        self._control, self._description = control, control.accessibleDescription()
        self.fault = ""
        self.setProperty("role", "fault")
        self.setAccessibleName(self.tr("What is wrong"))
        self.hide()

    def say(self, sentence: str) -> None:
        """What is wrong, "" for nothing."""
        self.fault = sentence
        self.setText(f"⚠ {sentence}" if sentence else "")
        self.setVisible(bool(sentence))
        self._control.setAccessibleDescription(sentence or self._description)
