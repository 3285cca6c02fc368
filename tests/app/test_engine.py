"""Questions to an engine in another process: a small program stands in for it, once the real one."""

import os
import sys
import time
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

import resources
from app.details import details_of
from app.engine import REMEMBERED_S, Engine, cache_path
from core.files import write_json

PROGRAM = """
import json, os, sys, time
name, *rest = sys.argv[1:]
if name == "fail":
    print("warning: chatter", file=sys.stderr)
    sys.exit("error: job.yaml: has no source; add one")
if name == "silent":
    sys.exit(3)
if name == "killed":
    os.kill(os.getpid(), 9)
if name == "wait":
    open(rest[0], "w").write(str(os.getpid()))
    time.sleep(60)
print(json.dumps({"asked": sys.argv[1:], "room": os.environ.get("ROOM"), "long": "x" * 300_000}))
sys.exit(1 if name == "faulty" else 0)
"""


@pytest.fixture
def engine(qtbot: QtBot, tmp_path: Path) -> Engine:  # noqa: ARG001  # a QApplication must be there
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    return Engine(program=[sys.executable, str(program)])


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_answer_carries_the_json_and_sees_the_environment(engine: Engine, qtbot: QtBot) -> None:
    engine.environment["ROOM"] = "attic"
    with qtbot.waitSignal(engine.ask("doctor", "--json").answered) as answered:
        pass
    assert answered.args[0]["asked"] == ["doctor", "--json"]
    assert answered.args[0]["room"] == "attic"
    assert len(answered.args[0]["long"]) == 300_000


def test_an_answer_with_an_exit_code_is_an_answer(engine: Engine, qtbot: QtBot) -> None:
    with qtbot.waitSignal(engine.ask("faulty").answered):
        pass


def test_questions_are_answered_in_turn(engine: Engine, qtbot: QtBot) -> None:
    order: list[str] = []
    for name in ("one", "fail", "three"):
        question = engine.ask(name)
        question.answered.connect(lambda answer: order.append(answer["asked"][0]))
        question.failed.connect(order.append)
    qtbot.waitUntil(lambda: len(order) == 3)
    assert order == ["one", "job.yaml: has no source; add one", "three"]
    assert not engine.busy


def test_all_that_a_failing_engine_wrote_stands_behind_its_sentence(engine: Engine, qtbot: QtBot) -> None:
    with qtbot.waitSignal(engine.ask("fail").failed) as failed:
        pass
    assert details_of(failed.args[0]).splitlines() == [
        "warning: chatter",
        "error: job.yaml: has no source; add one",
    ]


@pytest.mark.parametrize(("name", "words"), [("silent", "no answer (code 3)"), ("killed", "was killed")])
def test_an_engine_without_a_word_fails_in_a_sentence(
    engine: Engine, qtbot: QtBot, name: str, words: str
) -> None:
    with qtbot.waitSignal(engine.ask(name).failed) as failed:
        pass
    assert words in failed.args[0]


def test_an_engine_that_cannot_be_started_fails_in_a_sentence(qtbot: QtBot, tmp_path: Path) -> None:
    engine = Engine(program=[str(tmp_path / "nothing here")])
    question = engine.ask("describe")
    with qtbot.waitSignal(question.failed) as failed:
        pass
    assert "cannot be started" in failed.args[0]
    assert not engine.busy


def test_a_cancelled_question_is_killed_and_the_next_is_asked(
    engine: Engine, qtbot: QtBot, tmp_path: Path
) -> None:
    first, dropped, second = engine.ask("wait", str(tmp_path / "pid")), engine.ask("x"), engine.ask("y")
    heard: list[object] = []
    for question in (first, dropped):
        question.answered.connect(heard.append)
        question.failed.connect(heard.append)
    pid = wait_for_pid(qtbot, tmp_path / "pid")
    engine.cancel(dropped)
    with qtbot.waitSignal(second.answered):
        engine.cancel(first)
    qtbot.waitUntil(lambda: not alive(pid))
    assert heard == []


def test_closing_ends_the_process(engine: Engine, qtbot: QtBot, tmp_path: Path) -> None:
    engine.ask("wait", str(tmp_path / "pid"))
    engine.ask("never asked")
    pid = wait_for_pid(qtbot, tmp_path / "pid")
    engine.close()
    assert not alive(pid)
    assert not engine.busy


def wait_for_pid(qtbot: QtBot, path: Path) -> int:
    qtbot.waitUntil(lambda: path.exists() and path.read_text() != "")
    return int(path.read_text())


def test_a_description_is_remembered(engine: Engine, qtbot: QtBot) -> None:
    with qtbot.waitSignal(engine.described):
        engine.describe()
    again = Engine(program=["nothing that could answer"])
    again.describe()
    assert again.description == engine.description
    assert not again.busy


def test_an_old_description_is_used_and_asked_for_anew(engine: Engine, qtbot: QtBot) -> None:
    write_json(cache_path(), {"old": True})
    old = time.time() - 2 * REMEMBERED_S
    os.utime(cache_path(), (old, old))
    answers: list[object] = []
    engine.described.connect(answers.append)
    engine.describe()
    assert answers == [{"old": True}]
    qtbot.waitUntil(lambda: len(answers) == 2)
    assert list(cache_path().parent.glob("describe-*")) == [cache_path()]


def test_a_damaged_memory_is_asked_anew(engine: Engine, qtbot: QtBot) -> None:
    cache_path().parent.mkdir(parents=True, exist_ok=True)
    cache_path().write_text("{broken")
    with qtbot.waitSignal(engine.described) as described:
        engine.describe()
    assert described.args[0]["asked"] == ["describe"]


def test_the_real_engine_describes_its_methods(qtbot: QtBot) -> None:
    engine = Engine()
    with qtbot.waitSignal(engine.described, timeout=120_000) as described:
        engine.describe()
    assert "combined" in described.args[0]["methods"]


def test_what_is_remembered_is_asked_anew_when_a_recipe_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "__path__", [str(tmp_path)])
    before = cache_path()
    (tmp_path / "jobs" / "paper").mkdir(parents=True)
    (tmp_path / "jobs" / "paper" / "dacs.yaml").write_text("title: DACS")
    assert cache_path() != before
