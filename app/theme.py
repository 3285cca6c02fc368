"""How the window looks: light or dark as the system or the user says, and icons in the text's colour."""

from functools import cache
from importlib.resources import files

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

SCHEMES = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}
Role = QPalette.ColorRole
LIGHT = {
    Role.Window: "#efefef",
    Role.WindowText: "#1a1a1a",
    Role.Base: "#ffffff",
    Role.AlternateBase: "#f5f5f5",
    Role.Text: "#1a1a1a",
    Role.Button: "#efefef",
    Role.ButtonText: "#1a1a1a",
    Role.ToolTipBase: "#ffffdc",
    Role.ToolTipText: "#1a1a1a",
    Role.PlaceholderText: "#6a6a6a",
    Role.Highlight: "#1d6fb8",
    Role.HighlightedText: "#ffffff",
    Role.Link: "#1d6fb8",
}
DARK = {
    Role.Window: "#323438",
    Role.WindowText: "#e6e6e6",
    Role.Base: "#414449",
    Role.AlternateBase: "#484b51",
    Role.Text: "#e6e6e6",
    Role.Button: "#4d5056",
    Role.ButtonText: "#e6e6e6",
    Role.ToolTipBase: "#4d5056",
    Role.ToolTipText: "#e6e6e6",
    Role.PlaceholderText: "#a9acb2",
    Role.Highlight: "#2f7fc9",
    Role.HighlightedText: "#ffffff",
    Role.Link: "#6cb2f2",
}


def apply_theme(application: QApplication, scheme: str = "system") -> None:
    """Qt's Fusion style in `scheme` ("system", "light" or "dark"), with our few rules."""
    apply_colours(application, scheme)
    application.setStyleSheet(_text("styles/isthmus.qss"))


def apply_colours(application: QApplication, scheme: str) -> None:
    """The theme without our rules, for a window in the making: rules polish every widget anew at each
    change of its parent, a fifth of a second in all."""
    application.setStyle("Fusion")
    hints = QGuiApplication.styleHints()
    hints.setColorScheme(SCHEMES[scheme])
    system_is_dark = scheme == "system" and hints.colorScheme() == Qt.ColorScheme.Dark
    # Not every platform does as it is asked, and Fusion's own dark hides the boxes of unticked items.
    application.setPalette(_palette(DARK if scheme == "dark" or system_is_dark else LIGHT))


def _palette(colors: dict[QPalette.ColorRole, str]) -> QPalette:
    """Fusion's shades from a few colours; disabled text halfway to its ground."""
    palette = QPalette(QColor(colors[Role.Button]), QColor(colors[Role.Window]))
    for role, color in colors.items():
        palette.setColor(role, QColor(color))
    for role, ground in (
        (Role.WindowText, Role.Window),
        (Role.Text, Role.Base),
        (Role.ButtonText, Role.Button),
    ):
        text, back = QColor(colors[role]), QColor(colors[ground])
        between = QColor.fromRgbF(
            (text.redF() + back.redF()) / 2,
            (text.greenF() + back.greenF()) / 2,
            (text.blueF() + back.blueF()) / 2,
        )
        palette.setColor(QPalette.ColorGroup.Disabled, role, between)
    return palette


def is_dark() -> bool:
    """Whether the palette in use has light text."""
    return QGuiApplication.palette().color(QPalette.ColorRole.WindowText).lightness() > 128


def icon(name: str) -> QIcon:
    """The icon `resources/icons/NAME.svg` in the text colour of the palette it is painted with."""
    return QIcon(_Drawing(name))


class _Drawing(QIconEngine):
    """Draws an icon anew for each palette: the theme may change while the window is open."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def clone(self) -> QIconEngine:
        return _Drawing(self._name)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _state: QIcon.State) -> None:
        disabled = mode == QIcon.Mode.Disabled
        group = QPalette.ColorGroup.Disabled if disabled else QPalette.ColorGroup.Active
        color = QGuiApplication.palette().color(group, Role.ButtonText)
        _renderer(self._name, color.name()).render(painter, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        drawn = QPixmap(size)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        self.paint(painter, drawn.rect(), mode, state)
        painter.end()
        return drawn


@cache
def _renderer(name: str, color: str) -> QSvgRenderer:
    svg = _text(f"icons/{name}.svg").replace("currentColor", color)
    return QSvgRenderer(QByteArray(svg.encode()))


@cache
def _text(path: str) -> str:
    return files("resources").joinpath(path).read_text(encoding="utf-8")
