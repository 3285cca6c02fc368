"""Functions on other threads: results come back on the window's thread, stale ones do not."""

import threading
from pathlib import Path

import pyproj
import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from app.background import Background
from app.details import details_of
from core.errors import BadInput


class Gated:
    """Work that begins, and then waits until it is let go."""

    def __init__(self) -> None:
        self.begun, self.gate, self.ended = threading.Event(), threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        self.gate.wait(10)
        self.ended.set()
        return "result"


def _never(value: object) -> None:
    pytest.fail(f"must not be heard: {value}")


def test_the_work_is_done_elsewhere_and_the_result_arrives_here(qtbot: QtBot) -> None:
    background, heard = Background(), list[tuple[int, int]]()
    background.run(threading.get_ident, lambda there: heard.append((there, threading.get_ident())), _never)
    qtbot.waitUntil(lambda: bool(heard))
    there, here = heard[0]
    assert here == threading.get_ident()
    assert there != here
    assert not background.waiting


def test_bad_input_arrives_as_its_sentence(qtbot: QtBot) -> None:
    background, heard = Background(), list[str]()

    def read() -> None:
        raise BadInput(Path("a.tif"), "is no raster", "export it again")

    background.run(read, _never, heard.append)
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == ["a.tif: is no raster; export it again"]


def test_a_surprise_is_a_sentence_too_and_is_logged(qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    background, heard = Background(), list[str]()
    background.run(lambda: 1 / 0, _never, heard.append)
    qtbot.waitUntil(lambda: bool(heard))
    assert heard[0].startswith("unexpected ZeroDivisionError")
    assert "Traceback" in caplog.text
    assert "1 / 0" in details_of(heard[0])


def test_what_bad_input_came_from_stands_behind_its_sentence(qtbot: QtBot) -> None:
    background, heard = Background(), list[str]()

    def read() -> None:
        try:
            raise OSError("the disk is gone")
        except OSError as fault:
            raise BadInput(Path("b.tif"), "cannot be read", "mount the disk") from fault

    background.run(read, _never, heard.append)
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == ["b.tif: cannot be read; mount the disk"]
    assert "the disk is gone" in details_of(heard[0])


def test_of_two_calls_with_one_key_only_the_later_is_heard(qtbot: QtBot) -> None:
    background, heard, gate = Background(), list[str](), threading.Event()

    def first() -> str:
        gate.wait(10)
        return "first"

    background.run(first, heard.append, _never, key="facts")
    background.run(lambda: "second", heard.append, _never, key="facts")
    background.run(lambda: "other", heard.append, _never, key="labels")
    gate.set()
    qtbot.waitUntil(lambda: len(heard) == 2)
    ended = list[str]()
    background.run(lambda: "end", ended.append, _never, key="end")
    qtbot.waitUntil(lambda: bool(ended))
    qtbot.wait(50)
    assert sorted(heard) == ["other", "second"]


def test_map_projections_survive_many_short_tasks(qtbot: QtBot) -> None:
    """pyproj's context is a thread-local: threads that lose theirs after every task crash the process."""
    background, heard = Background(), list[str]()

    def name() -> str:
        crs = pyproj.CRS.from_epsg(32633)
        pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(5e5, 5e6)
        return crs.name

    for i in range(100):
        background.run(name, heard.append, _never, key=i)
    qtbot.waitUntil(lambda: len(heard) == 100, timeout=30_000)
    assert set(heard) == {"WGS 84 / UTM zone 33N"}


def test_calls_of_another_room_do_not_wait(qtbot: QtBot) -> None:
    slow, quick, works, heard = Background(room="areas"), Background(), [Gated() for _ in range(8)], []
    for number, work in enumerate(works):
        slow.run(work, lambda _: None, _never, key=number)
    quick.run(lambda: "paused", heard.append, _never)
    qtbot.waitUntil(lambda: heard == ["paused"])
    assert not any(work.ended.is_set() for work in works)
    for work in works:
        work.gate.set()
    qtbot.waitUntil(lambda: not slow.waiting)


def test_a_dropped_call_is_not_heard(qtbot: QtBot) -> None:
    background, work = Background(), Gated()
    background.run(work, _never, _never, key="facts")
    qtbot.waitUntil(work.begun.is_set)
    background.drop("facts")
    assert not background.waiting
    work.gate.set()
    qtbot.waitUntil(work.ended.is_set)
    qtbot.wait(50)


def test_a_result_for_a_closed_window_is_not_heard(qtbot: QtBot) -> None:
    background, work = Background(), Gated()
    background.run(work, _never, _never)
    qtbot.waitUntil(work.begun.is_set)
    shiboken6.delete(background)
    work.gate.set()
    qtbot.waitUntil(work.ended.is_set)
    qtbot.wait(50)


def test_work_that_outlives_its_owner_harms_nobody(qtbot: QtBot) -> None:
    background, work = Background(), Gated()
    background.run(work, _never, _never)
    qtbot.waitUntil(work.begun.is_set)
    del background
    work.gate.set()
    qtbot.waitUntil(work.ended.is_set)
    qtbot.wait(50)
