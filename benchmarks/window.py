"""How soon the window is there, how long its thread is blocked beside a run, what it takes, how it answers.

    python -m benchmarks.window                 # 10 minutes of a run; prints, and writes window.md
    python -m benchmarks.window --minutes 3

The window of this process opens the built-in sample, starts a run of it in a worker, and shows it with a
live preview while the target's map is panned and rests in turn, and watch and curves are shown in turn. A
block is how late a timer is that is due every millisecond: painting, Python's own work on any thread of the
process, and waiting for a core all count; `own work` is what the window's thread itself computed meanwhile.
Then Pause is pressed ten times.
"""

import argparse
import math
import os
import platform
import subprocess
import sys
import threading
import time
import traceback
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QToolButton

from app.following import Follower
from app.main import application
from app.window import MainWindow
from benchmarks.window_start import openings
from core.events import AnyEvent, Asked
from core.runs.run import create
from core.runs.run_state import kill
from core.variants import plan

HERE = Path(__file__).parent
FRAME_MS, MOVING_S, RESTING_S, TAB_S = 16, 3.0, 2.0, 15.0
EVERY_STEPS, PAUSES, LONG_MS = 20, 10, 50.0
SETTINGS = {
    "schedule.steps": 100_000,
    "schedule.checkpoint_every": 200,
    "schedule.threads": 1,
    "schedule.device": "cpu",
    "sampling.batch": 2,
}
SAMPLE = """
import sys
from pathlib import Path
from core.sample.sample import draw_sample
draw_sample(Path(sys.argv[1]))
"""


@dataclass
class Beat:
    """A timer due every millisecond on the window's thread, and another thread that looks where it hangs."""

    delays_ms: "array[float]" = field(init=False)
    work_ms: "array[float]" = field(init=False)
    causes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._thread = threading.get_ident()
        self._timer = QTimer(interval=1, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._count)
        self._seen = 0.0
        self.restart()
        self._timer.start()
        threading.Thread(target=self._look, daemon=True).start()

    def restart(self) -> None:
        """Forget what was counted."""
        self.delays_ms, self.work_ms = array("d"), array("d")  # lists would take more than the window does
        self.causes.clear()
        self._last, self._worked = time.perf_counter(), time.thread_time()

    def told(self) -> str:
        delays, work = np.array(self.delays_ms), np.array(self.work_ms)
        over = [str(int((times > LONG_MS).sum())) for times in (delays, work)]
        figures = [np.percentile(delays, 99.9), delays.max(), work.max()]
        return " | ".join([*(f"{figure:.0f} ms" for figure in figures), *over])

    def _count(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self.delays_ms.append(max(1000 * (now - self._last) - 1, 0))
        self.work_ms.append(1000 * (worked - self._worked))
        self._last, self._worked = now, worked

    def _look(self) -> None:
        while True:
            time.sleep(LONG_MS / 4000)
            last = self._last
            if last != self._seen and time.perf_counter() - last > 0.8 * LONG_MS / 1000:
                self._seen = last
                self.causes[_place(self._thread)] += 1


def _place(thread: int) -> str:
    """Where a thread is: its innermost lines, ours and the one that we call."""
    stack = traceback.extract_stack(sys._current_frames()[thread])
    shown = [f"{Path(frame.filename).stem}.{frame.name}:{frame.lineno}" for frame in stack[-5:]]
    return " > ".join(shown)


class Hand(QObject):
    """Moves the map for some seconds and lets it rest for some, and turns the pages of the run."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._steps = window, 0
        self._timer = QTimer(self, interval=FRAME_MS)
        self._timer.timeout.connect(self._move)
        self._pages = QTimer(self, interval=int(1000 * TAB_S))
        self._pages.timeout.connect(self._turn)

    def start(self) -> None:
        self._window.maps.target.view.zoom(2.0)
        self._timer.start()
        self._pages.start()

    def stop(self) -> None:
        self._timer.stop()
        self._pages.stop()

    def _move(self) -> None:
        if time.monotonic() % (MOVING_S + RESTING_S) > MOVING_S:
            return
        self._steps += 1
        angle = self._steps / 40
        self._window.maps.target.view.pan_px(round(5 * math.cos(angle)), round(5 * math.sin(angle)))
        if self._steps % 100 < 20:
            self._window.maps.target.view.zoom(1.03 if self._steps % 200 < 100 else 1 / 1.03)

    def _turn(self) -> None:
        pages = self._window.runs.watching
        pages.setCurrentIndex(1 - pages.currentIndex())


class Shown(QObject):
    """When a widget was first painted since `at` was 0, by `time.time()`."""

    at = 0.0

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and not self.at:
            self.at = time.time()
        return False


class Answer(NamedTuple):
    """Seconds from the click on Pause: to the word on the screen, to the worker's, to that being heard."""

    shown: float
    asked: float
    heard: float


class Session:
    """The window on the sample and a run of it."""

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-P", "-c", SAMPLE, str(folder)], check=True, cwd=HERE.parent)
        self.run = create(plan(folder / "job.yaml", SETTINGS).job, folder / "run").folder
        self.window = MainWindow()
        self.window.show()
        spend(0.5)
        self.beat = Beat()
        self.window.open_path(folder / "job.yaml")
        self.window.open_path(self.run)
        follower = self.window.runs.follower
        assert follower is not None
        self.follower: Follower = follower
        self.controls = self.window.runs.watch.controls
        self._rest = np.random.default_rng(0)

    def start(self) -> None:
        """Until the run makes steps and its preview is on the map."""
        preview = self.window.runs.watch.preview
        until(lambda: self.controls.start.isEnabled())
        self.controls.start.trigger()
        until(lambda: self.follower.progress.step >= 1)
        preview.every.setValue(EVERY_STEPS)
        preview.on.setChecked(True)
        until(lambda: self.window.maps.target.result("preview"))

    def watch(self, seconds: float) -> None:
        hand = Hand(self.window)
        hand.start()
        spend(seconds)
        hand.stop()

    def pause(self) -> Answer:
        """Press Pause, wait for it, and resume."""
        asked: list[tuple[float, float]] = []

        def hear(event: AnyEvent) -> None:
            if isinstance(event, Asked) and event.request == "pause":
                asked.append((event.time, time.time()))

        watch, shown = self.window.runs.watch, Shown()
        (button,) = (b for b in watch.findChildren(QToolButton) if b.defaultAction() is self.controls.pause)
        watch.status.installEventFilter(shown)
        self.follower.happened.connect(hear)
        until(button.isEnabled)
        spend(float(self._rest.uniform(0.5, 2)))
        shown.at, click = 0.0, time.time()
        button.click()
        assert "requested" in watch.status.text()
        until(lambda: shown.at and asked and self.follower.state and self.follower.state.status == "paused")
        self.follower.happened.disconnect(hear)
        watch.status.removeEventFilter(shown)
        self.controls.start.trigger()
        until(lambda: self.follower.state and self.follower.state.status == "running")
        return Answer(shown.at - click, asked[0][0] - click, asked[0][1] - click)

    def close(self) -> None:
        kill(self.run)
        self.window.close()


def until(true: Callable[[], object], within_s: float = 300) -> None:
    """Let the window live until something is so."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        spend(0.02)


def spend(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def memory_mb() -> float:
    """What the process holds in memory now; on Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def session(folder: Path, minutes: float) -> tuple[list[str], list[str], list[str]]:
    """Rows of blocks, rows of the other figures, and where the longest blocks were."""
    here = Session(folder)
    here.start()
    blocks, causes = [f"| opening project and run, until the first preview | {here.beat.told()} |"], []
    causes += [f"- opening, {times} times: `{place}`" for place, times in here.beat.causes.most_common(8)]
    memory = [memory_mb()]
    here.beat.restart()
    for _ in range(max(round(minutes), 1)):
        here.watch(60 * minutes / max(round(minutes), 1))
        memory.append(memory_mb())
    blocks.append(f"| {minutes:g} minutes of watching | {here.beat.told()} |")
    causes += [f"- watching, {times} times: `{place}`" for place, times in here.beat.causes.most_common(8)]
    steps = here.follower.progress.step
    here.window.runs.watching.setCurrentIndex(0)
    answers = [here.pause() for _ in range(PAUSES)]
    here.close()
    figures = [
        f"| memory as the watching begins, and after each minute "
        f"| {', '.join(f'{each:.0f}' for each in memory)} MB |",
        f"| steps that the run made meanwhile | {steps} |",
        *(
            f"| click on Pause until {what}, median of {PAUSES} (longest) "
            f"| {1000 * median(times):.0f} ms ({1000 * max(times):.0f} ms) |"
            for what, times in (
                ("its request is painted", [each.shown for each in answers]),
                ("the worker has written that it heard", [each.asked for each in answers]),
                ("the window has read that", [each.heard for each in answers]),
            )
        ),
    ]
    return blocks, figures, causes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="how long the run is watched")
    parser.add_argument("--note", default="", help="what else the machine did meanwhile, for the table")
    parser.add_argument("--causes", action="store_true", help="print where the longest blocks were")
    parser.add_argument("--out", type=Path, default=HERE / "window.md", help="the table")
    asked = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with TemporaryDirectory() as folder:
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "ISTHMUS_QUEUE"):
            os.environ[name] = str(Path(folder) / name.lower())
        figures = openings(Path(folder) / "compiled")
        app = application()
        blocks, more, causes = session(Path(folder) / "sample", asked.minutes)
        del app
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    text = [
        "# The window\n",
        f"`python -m benchmarks.window --minutes {asked.minutes:g}`: {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, Qt offscreen. "
        "The run's worker works beside the window on the same cores, and so does all else that the machine "
        f"does: load averages at the end {busy}. {asked.note}".rstrip()
        + "\n",
        "| what | figure |",
        "|---|---|",
        *figures,
        *more,
        "",
        "| blocks of the window's thread | 99.9 % | longest | most own work | over 50 ms "
        "| own work over 50 ms |",
        "|---|---|---|---|---|---|",
        *blocks,
    ]
    asked.out.write_text("\n".join(text) + "\n", encoding="utf-8")
    print("\n".join([*text, *(causes if asked.causes else [])]))


if __name__ == "__main__":
    main()
