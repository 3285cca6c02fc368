"""How the window looks: light or dark as the system or the user says, and icons in the text's colour."""

from functools import cache
from importlib.resources import files

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

SCHEMES = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}
ICON_PX = (16, 24, 32, 48, 64, 128, 256)


def apply_theme(application: QApplication, scheme: str = "system") -> None:
    """Qt's Fusion style in `scheme` ("system", "light" or "dark"), with our few rules."""
    application.setStyle("Fusion")
    QGuiApplication.styleHints().setColorScheme(SCHEMES[scheme])
    application.setStyleSheet(_text("styles/isthmus.qss"))


def is_dark() -> bool:
    """Whether the palette in use has light text."""
    return QGuiApplication.palette().color(QPalette.ColorRole.WindowText).lightness() > 128


def icon(name: str) -> QIcon:
    """The icon `resources/icons/NAME.svg`, drawn in the palette's text colour; greyed where disabled."""
    palette = QGuiApplication.palette()
    modes = {
        QIcon.Mode.Normal: palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.ButtonText),
        QIcon.Mode.Disabled: palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText),
    }
    found = QIcon()
    for mode, color in modes.items():
        svg = _text(f"icons/{name}.svg").replace("currentColor", color.name())
        for size_px in ICON_PX:
            found.addPixmap(_drawn(svg, size_px), mode)
    return found


@cache
def _text(path: str) -> str:
    return files("resources").joinpath(path).read_text(encoding="utf-8")


def _drawn(svg: str, size_px: int) -> QPixmap:
    pixmap = QPixmap(QSize(size_px, size_px))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size_px, size_px))
    painter.end()
    return pixmap
