"""What goes wrong is found in the log, and of the details kept only the last ones."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.details import MOST, details_of, keep
from app.log import log_path, start_log
from app.main import Faults


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The log, by handlers of this test's own."""
    handlers: list[logging.Handler] = []
    monkeypatch.setattr(logging.getLogger(), "handlers", handlers)
    start_log()
    yield log_path()
    for handler in handlers:
        handler.close()


def test_a_sentence_and_its_details_are_logged(log: Path) -> None:
    keep("the engine was killed", "Traceback: the cause")
    text = log.read_text()
    assert "the engine was killed\nTraceback: the cause" in text


def test_an_error_that_nobody_caught_is_logged(log: Path) -> None:
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        Faults()._on_fault(*sys.exc_info())  # type: ignore[arg-type]  # there is one
    assert "1 / 0" in log.read_text()


def test_without_more_to_say_there_are_no_details() -> None:
    keep("a.tif: has no CRS", "error: a.tif: has no CRS\n")
    assert details_of("a.tif: has no CRS") == ""


def test_the_last_details_are_kept() -> None:
    for number in range(MOST + 1):
        keep(f"sentence {number}", "details")
    assert details_of("sentence 0") == ""
    assert details_of(f"sentence {MOST}") == "details"
