"""Word for a user who looks elsewhere: a message of the system, else a window that asks for attention."""

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from app.theme import icon

SHOWN_MS = 10_000


class Notifier(QObject):
    """Says nothing while `window` is in front: there it is read anyway."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._tray: QSystemTrayIcon | None = None
        self._over = QTimer(self, singleShot=True, interval=SHOWN_MS)

    def tell(self, text: str) -> None:
        """Show a sentence; a click on it brings the window to the front."""
        if self._window.isActiveWindow():
            return
        if not (QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()):
            QApplication.alert(self._window)
            return
        tray = self._tray = self._tray or self._made()
        tray.show()
        tray.showMessage(QApplication.applicationDisplayName(), text, icon("isthmus"), SHOWN_MS)
        self._over.start()

    def _made(self) -> QSystemTrayIcon:
        """An icon that is there as long as its message: we have no other use for one."""
        tray = QSystemTrayIcon(icon("isthmus"), self)
        tray.setToolTip(QApplication.applicationDisplayName())
        self._over.timeout.connect(tray.hide)
        for said in (tray.messageClicked, tray.activated):
            said.connect(self._come)
        return tray

    def _come(self) -> None:
        self._window.setWindowState(self._window.windowState() & ~Qt.WindowState.WindowMinimized)
        self._window.raise_()
        self._window.activateWindow()
