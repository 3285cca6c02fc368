"""The window as a process: its death takes nothing along, its memory stays free of the engine."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from background import nothing_left, strike, worker_of
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot
from small_job import draw

from app.main import application
from app.window import MainWindow
from core.journal import read
from core.runs.run import create
from core.runs.supervise import launch
from core.variants import plan

ROOT = Path(__file__).parents[2]
LONG = 180_000
SETTINGS = {"schedule.steps": 200, "schedule.checkpoint_every": 5, "schedule.threads": 1}
DRIVEN = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from app.main import application, main
{act}
def look():
    windows = [each for each in QApplication.topLevelWidgets() if type(each).__name__ == "MainWindow"]
    if windows and act(windows[0]):
        print("ready", flush=True)
        timer.stop()
application()
timer = QTimer(interval=20)
timer.timeout.connect(look)
timer.start()
sys.exit(main(sys.argv[1:]))
"""
WATCH = """
def act(window):
    return window.runs.follower and window.runs.follower.live and window.runs.follower.progress.step
"""
START = """
def act(window):
    follower = window.runs.follower
    if follower and follower.state and follower.state.status == "new" and not follower.wanted:
        window.runs.watch.controls.start.trigger()
    return follower and follower.progress.step
"""
EDIT = """
def act(window):
    if window.document.project.path and window.document.undo.isClean():
        window.document.change("Edit", {("schedule", "steps"): 77})
    return window.document.project.path and window.document.swap_path.exists()
"""
EDIT_NEW = """
def act(window):
    if window.document.undo.isClean():
        window.files.new()
        window.document.change("Edit", {("schedule", "steps"): 77})
    return window.document.swap_path.exists()
"""
LOADED = """
import sys
from pathlib import Path
from app.main import application
from app.window import MainWindow
slow = {"torch", "geopandas", "pandas"}
loaded = (slow | {"pyqtgraph", "scipy"}) & set(sys.modules)
app = application()
window = MainWindow()
window.show()
window.open_path(Path(sys.argv[1]))
imagery, view = window.places.imagery.values(), window.maps.target.view
while not all(panel.facts and all(panel.facts) for panel in imagery) or view.busy:
    app.processEvents()
window.grab()
print(sorted(loaded | slow & set(sys.modules)))
window.close()
"""


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A queue of the test's own; no process stays."""
    monkeypatch.setenv("ISTHMUS_QUEUE", str(tmp_path / "queue"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with nothing_left(tmp_path):
        yield


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return create(plan(draw(tmp_path / "place"), SETTINGS).job, tmp_path / "runs" / "small").folder


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication) -> Iterator[MainWindow]:
    """One that keeps its files where those of other processes do."""
    name = qapp.applicationName()
    application()
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda window: window.document.undo.setClean())
    window.show()
    yield window
    qapp.setApplicationName(name)


@contextmanager
def killed_window(act: str, *paths: Path) -> Iterator[None]:
    """A window in a process of its own that has done `act`; it and its group are killed at the end."""
    command = [sys.executable, "-P", "-c", DRIVEN.format(act=act), *map(str, paths)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("launched_by", ["the window", "somebody else"])
def test_a_run_goes_on_without_its_window_and_a_new_one_finds_it(
    launched_by: str, run: Path, window: MainWindow, qtbot: QtBot
) -> None:
    by_window = launched_by == "the window"
    if not by_window:
        launch(run)
    with killed_window(START if by_window else WATCH, run):
        worker = worker_of(run)
    window.open_path(run)
    follower = window.runs.follower
    assert follower is not None
    qtbot.waitUntil(lambda: follower.live and bool(follower.state and follower.state.alive), timeout=LONG)
    assert worker_of(run) == worker
    step = follower.progress.step
    qtbot.waitUntil(lambda: follower.progress.step > step, timeout=LONG)
    assert "running" in window.runs.watch.status.text()
    assert window.runs.watch.bar.value() > 0
    qtbot.waitUntil(lambda: bool(follower.state and follower.state.status == "done"), timeout=LONG)
    assert "finished" in window.runs.watch.status.text()
    qtbot.waitUntil(lambda: window.runs.results.outcome is not None, timeout=LONG)
    kinds = [event.kind for event in read(run)]
    assert kinds.count("started") == 1
    assert not {"asked", "resumed", "failed"} & {*kinds}
    assert (run / "maps/target.class.tif").exists()


@pytest.mark.parametrize("wanted", [True, False])
def test_edits_of_a_killed_window_are_offered(
    wanted: bool, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = draw(tmp_path / "place")
    before = project.read_bytes()
    with killed_window(EDIT, project):
        pass
    asked: list[str] = []

    def question(_parent: object, _title: str, text: str) -> QMessageBox.StandardButton:
        asked.append(text)
        return QMessageBox.StandardButton.Yes if wanted else QMessageBox.StandardButton.No

    monkeypatch.setattr(QMessageBox, "question", question)
    window.open_path(project)
    assert len(asked) == 1
    assert "not saved" in asked[0]
    assert window.document.value("schedule", "steps") == (77 if wanted else 2)
    assert window.isWindowModified() == wanted
    assert project.read_bytes() == before, "only saving writes the project"
    window.document.undo.undo()
    assert window.document.value("schedule", "steps") == 2


def test_a_project_without_a_file_of_a_killed_window_is_offered(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    with killed_window(EDIT_NEW):
        assert not window.files.offer_lost(), "it is still at work on it"
    assert window.files.offer_lost()
    assert window.document.value("schedule", "steps") == 77
    assert window.isWindowModified()


def test_a_worker_that_dies_twice_is_told_of_and_resumed_twice(
    run: Path, window: MainWindow, qtbot: QtBot
) -> None:
    launch(run)
    window.open_path(run)
    follower, watch = window.runs.follower, window.runs.watch
    assert follower is not None

    def until(true: Callable[[], object]) -> None:
        qtbot.waitUntil(lambda: bool(true()), timeout=LONG)

    known = set[Path]()
    for _ in range(2):
        until(lambda known=known: set(run.glob("checkpoints/*.pt")) - known)  # type: ignore[misc]
        known = set(run.glob("checkpoints/*.pt"))
        strike(worker_of(run))
        until(lambda: follower.state and follower.state.status == "died")
        assert "died" in watch.status.text()
        assert "killed from outside (SIGKILL)" in watch.sentence.text()
        assert window.notice.notice is not None
        assert "died" in window.notice.notice.text
        assert watch.controls.start.isEnabled()
        began = follower.progress.steps_done
        watch.controls.start.trigger()
        until(lambda: follower.state and follower.state.status == "running")
        until(lambda began=began: follower.progress.steps_done > began)  # type: ignore[misc]
    watch.controls.stop.trigger()
    until(lambda: follower.state and follower.state.status == "stopped")
    assert [event.kind for event in read(run)].count("resumed") == 2
    assert window.isVisible()


def test_a_window_with_a_project_loads_no_engine(tmp_path: Path) -> None:
    """Nor, until it is there, what draws charts and resamples: it would open later."""
    command = [sys.executable, "-P", "-c", LOADED, str(draw(tmp_path / "place"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout == "[]\n", done.stderr


class _Teller(QObject):
    told = Signal(bool)


def test_emitting_a_bool_costs_no_reference_to_it(qtbot: QtBot) -> None:
    """A PySide6 that drops one each time aborts the interpreter after some hundred curves."""
    teller, heard = _Teller(), 0

    def hear(_: bool) -> None:
        nonlocal heard
        heard += 1

    teller.told.connect(hear)
    widget = pg.PlotWidget()
    qtbot.addWidget(widget)
    widget.show()
    curve = widget.plot()
    before = sys.getrefcount(True)
    for i in range(500):
        teller.told.emit(True)
        curve.setData(np.arange(i + 2.0), np.arange(i + 2.0) ** 2)
        qtbot.wait(0)
    assert heard == 500
    assert abs(sys.getrefcount(True) - before) < 100
