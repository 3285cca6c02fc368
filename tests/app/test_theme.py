from collections.abc import Iterator

import pytest
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from app.panels.command_link import CommandLink
from app.theme import apply_colours, apply_theme, icon, is_dark


@pytest.fixture(autouse=True)
def _as_before(qapp: QApplication) -> Iterator[None]:
    palette, sheet = QPalette(qapp.palette()), qapp.styleSheet()
    yield
    qapp.setPalette(palette)
    qapp.setStyleSheet(sheet)


def darkest(shown: QIcon, mode: QIcon.Mode = QIcon.Mode.Normal) -> int:
    """Lightness of the darkest opaque pixel."""
    image = shown.pixmap(32, 32, mode).toImage()
    colors = [image.pixelColor(x, y) for x in range(32) for y in range(32)]
    return min(color.lightness() for color in colors if color.alpha() > 200)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_scheme_is_had_even_where_the_platform_ignores_it(qapp: QApplication, scheme: str) -> None:
    apply_theme(qapp, scheme)
    assert is_dark() == (scheme == "dark")
    apply_theme(qapp, scheme)
    assert is_dark() == (scheme == "dark")


def test_icons_are_drawn_in_the_texts_colour(qapp: QApplication) -> None:
    apply_theme(qapp, "light")
    assert darkest(icon("pan")) < 60
    assert darkest(icon("pan"), QIcon.Mode.Disabled) > 90
    before = icon("pan")
    apply_theme(qapp, "dark")
    assert darkest(icon("pan")) > 200
    assert darkest(before) > 200, "icons that are there already follow the theme"


def test_a_command_link_keeps_our_icon_when_the_rules_come_after_it(qapp: QApplication) -> None:
    qapp.setStyleSheet("")
    apply_colours(qapp, "dark")
    link = CommandLink("Open", "a project")
    apply_theme(qapp, "dark")
    assert darkest(link.icon()) > 200


def test_disabled_text_can_still_be_read(qapp: QApplication) -> None:
    for scheme in ("dark", "light"):
        apply_theme(qapp, scheme)
        palette = qapp.palette()
        text = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text)
        ground: QColor = palette.color(QPalette.ColorRole.Base)
        assert abs(text.lightness() - ground.lightness()) > 60
