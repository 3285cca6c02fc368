"""A command in a process: its events, how it ended and why, and that it ends when it is told to."""

import sys
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app import command as module
from app.command import Command
from core.events import Progressed

ENGINE_MS = 60_000
SPEAKS = """
import sys, time
half = len(line := '{"kind": "progressed", "what": "é", "done": 1, "total": 2}\\n'.encode()) // 2
for piece in (b"no event\\n" + line[:half], line[half:] + sys.argv[-1].encode()):
    sys.stdout.buffer.write(piece)
    sys.stdout.flush()
    time.sleep(0.5)  # so that they are read apart
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('{"kind": "noted", "text": ""}', flush=True)
time.sleep(60)
"""


@pytest.fixture
def command(qtbot: QtBot) -> Iterator[Command]:
    made = Command()
    yield made
    made.stop()
    qtbot.waitUntil(lambda: not made.working)


def speak(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Put a program in the engine's place."""
    monkeypatch.setattr(module, "PROGRAM", (sys.executable, "-c", code))


def test_events_are_heard_whole_and_in_order(
    command: Command, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    speak(monkeypatch, SPEAKS)
    heard: list[object] = []
    command.heard.connect(heard.append)
    with qtbot.waitSignal(command.ended, timeout=ENGINE_MS) as said:
        command.start("export")
        assert command.working
    assert said.args == ["done", ""]
    assert heard == [Progressed(what="é", done=1, total=2)]
    assert not command.working


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import sys; sys.exit('UserWarning: old\\nerror: no such run; look\\nmore')", "no such run; look"),
        ("import os; os.kill(os.getpid(), 9)", "the engine was killed"),
        ("import sys; sys.exit(3)", "gave no answer (code 3)"),
    ],
)
def test_a_failure_has_a_sentence(
    code: str, sentence: str, command: Command, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    speak(monkeypatch, code)
    with qtbot.waitSignal(command.ended, timeout=ENGINE_MS) as said:
        command.start("export")
    assert said.args is not None
    assert said.args[0] == "failed"
    assert sentence in said.args[1]


def test_an_engine_that_is_not_there_is_said(
    command: Command, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PROGRAM", ("no such program",))
    with qtbot.waitSignal(command.ended, timeout=ENGINE_MS) as said:
        command.start("export")
    assert said.args == ["failed", "the engine cannot be started; install Isthmus again"]


def test_one_that_does_not_listen_is_killed(
    command: Command, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_MS", 100)
    speak(monkeypatch, DEAF)
    with qtbot.waitSignal(command.heard, timeout=ENGINE_MS):
        command.start("export")
    with qtbot.waitSignal(command.ended, timeout=ENGINE_MS) as said:
        command.stop()
    assert said.args == ["stopped", ""]
