"""Windows without a screen, settings without a home."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from described import Quiet
from pytestqt.qtbot import QtBot

from app.window import MainWindow

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def _own_settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, caches and swap files go to a folder of the test's own."""
    home = tmp_path_factory.mktemp("home")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))
    return home


@pytest.fixture(scope="package", autouse=True)
def _collected_between_tests() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def _garbage(_collected_between_tests: None) -> Iterator[None]:
    """Between tests alone: widgets among it must go neither while Qt hands out events nor on another thread.

    What a test made is young, since nothing was collected meanwhile, so that the old need not be looked at.
    """
    yield
    gc.collect(1)


@pytest.fixture
def quiet_window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """The main window, without an engine: nothing is checked unless it is asked for."""
    monkeypatch.setattr("app.window.Engine", Quiet)
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda window: window.document.undo.setClean())
    window.checks.checker.automatic = False
    window.show()
    return window
