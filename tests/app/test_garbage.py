"""Garbage that holds Qt's objects is destroyed on the window's thread."""

import gc
import threading

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.background import Background


class _Knot:
    """A cycle: only the collector can take it."""

    gone: list[int] = []  # noqa: RUF012  # the threads that took one

    def __init__(self) -> None:
        self.itself, self.held = self, QObject()

    def __del__(self) -> None:
        self.gone.append(threading.get_ident())


def test_garbage_is_collected_on_the_windows_thread_alone(qtbot: QtBot) -> None:
    _Knot.gone.clear()
    background, answers = Background(), list[int]()

    def allocate() -> int:
        return len([[i] for i in range(200_000)])

    _Knot()
    background.run(allocate, answers.append, lambda _: None)
    qtbot.waitUntil(lambda: answers == [200_000])
    assert threading.get_ident() not in _Knot.gone or len(_Knot.gone) == 1
    for _ in range(5 * gc.get_threshold()[0]):
        answers.append([answers])  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: _Knot.gone == [threading.get_ident()])
