"""How a user who looks elsewhere hears of an end."""

from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget
from pytestqt.qtbot import QtBot

from app.notifying import Notifier


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the system was asked to show, and which window to ask for attention with."""
    said: list[Any] = []
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", lambda: True)
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda _, _title, text, *__: said.append(text))
    monkeypatch.setattr(QApplication, "alert", said.append)
    return said


@pytest.fixture
def notifier(qtbot: QtBot) -> Notifier:
    window = QWidget()
    qtbot.addWidget(window)
    return Notifier(window)


def test_the_system_shows_it_where_it_can(
    notifier: Notifier, said: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    notifier.tell("first: finished")
    notifier.tell("second: died")
    assert said == ["first: finished", "second: died"]
    (tray,) = notifier.findChildren(QSystemTrayIcon)
    assert tray.isVisible()
    notifier._window.showMinimized()
    tray.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    assert not notifier._window.isMinimized()
    notifier._over.timeout.emit()
    assert not tray.isVisible()


def test_without_a_tray_the_window_asks_for_attention(
    notifier: Notifier, said: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: False)
    notifier.tell("first: finished")
    assert said == [notifier._window]


def test_a_window_in_front_is_enough(
    notifier: Notifier, said: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier._window, "isActiveWindow", lambda: True)
    notifier.tell("first: finished")
    assert said == []
