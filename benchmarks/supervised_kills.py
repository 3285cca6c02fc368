"""Runs in the background, struck at random moments: the worker, or the window that launched it.

    python -m benchmarks.supervised_kills                         # 20 of each; writes supervised_kills.md
    python -m benchmarks.supervised_kills --workers 2 --windows 2 --out /tmp/kills.md

Worker: it is killed again and again, each time at a moment drawn uniformly between its start and thrice its
share of the work after it has begun to work; so that it dies as it starts and as it works. Its supervisor
must say in exit.json what killed it, and the run must resume; what comes out in the end is compared, byte
for byte, with a run that nobody disturbed. Window: a process that launches the run and watches it, as a
window does, is killed with its whole process group; the run must go on and end as if nothing had happened.
"""

import argparse
import os
import platform
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from benchmarks.kills import SETTINGS, differing, last_phase
from core.files import read_json
from core.journal import read
from core.runs.charge import is_alive, read_status
from core.runs.run import create
from core.runs.run_state import RunState, state_of
from core.runs.supervise import launch
from core.sample.sample import draw_sample
from core.variants import plan

HERE = Path(__file__).parent
MADE = ("weights.safetensors", "*.tif", "verdict.json", "scores.json")
ENDED = ("done", "stopped", "failed", "died", "lost")
LIMIT_S = 900.0
WINDOW = """
import sys, time
from pathlib import Path
from core.runs.run_state import state_of
from core.runs.supervise import launch
launch(Path(sys.argv[1]))
while True:
    print(state_of(Path(sys.argv[1])).status, flush=True)
    time.sleep(0.25)
"""


class Straight(NamedTuple):
    """A run that nobody disturbed, and its seconds until it began to work, and from then on."""

    folder: Path
    start_s: float
    work_s: float


def begin(job: Path, folder: Path) -> Path:
    create(plan(job, SETTINGS).job, folder)
    return folder


def ended(folder: Path, within_s: float = LIMIT_S) -> RunState:
    """The run's state once it and its supervisor have ended. Raises TimeoutError where they do not."""
    deadline = time.monotonic() + within_s
    while (state := state_of(folder)).status not in ENDED or is_alive(folder):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{folder.name} is {state.status} after {within_s:.0f} s")
        time.sleep(0.02)
    return state


def worker_of(folder: Path) -> int | None:
    """The worker's process once there is one; None where the run ended before."""
    while (state := state_of(folder)).status not in ENDED:
        status = read_status(folder)
        if status and status.worker_pid and state.alive:
            return status.worker_pid
        time.sleep(0.01)
    return None


def strike_worker(folder: Path, moment_s: float) -> str:
    """What a run did as its worker was killed, some seconds into its life; empty where it ended first."""
    launch(folder)
    pid = worker_of(folder)
    deadline = time.monotonic() + moment_s
    while time.monotonic() < deadline and state_of(folder).status not in ENDED:
        time.sleep(0.01)
    if pid is None or state_of(folder).status in ENDED:
        return ""
    os.kill(pid, signal.SIGKILL)
    state = ended(folder, 30)
    exit_ = read_json(folder / "exit.json")
    told = state.status == "died" and exit_.get("signal") == "SIGKILL" and state.can_start
    return last_phase(folder) if told and (folder / "events.jsonl").exists() else f"UNTOLD ({state.status})"


def undisturbed(job: Path, folder: Path) -> Straight:
    """Raises ChildProcessError where the run does not end well."""
    begin(job, folder)
    launched = time.time()
    launch(folder)
    if ended(folder).status != "done":
        raise ChildProcessError(state_of(folder).sentence)
    times = [event.time for event in read(folder)]
    return Straight(folder, times[0] - launched, times[-1] - times[0])


def workers(job: Path, folder: Path, kills: int, rng: np.random.Generator) -> str:
    """One row of the table: the worker killed again and again, and the run ended at last."""
    straight = undisturbed(job, folder / "straight")
    killed, struck, told = folder / "killed", Counter[str](), 0
    begin(job, killed)
    for moment_s in rng.uniform(0, straight.start_s + 3 * straight.work_s / kills, kills):
        where = strike_worker(killed, float(moment_s))
        if not where:
            break
        struck[where] += 1
        told += not where.startswith("UNTOLD")
    if state_of(killed).can_start:
        launch(killed)
    how = ended(killed).status
    count, different = differing(straight.folder, killed, MADE)
    places = ", ".join(f"{what} {times}" for what, times in sorted(struck.items()))
    return (
        f"| worker | {struck.total()} of {kills} | {places} | {told} told, then {how} "
        f"| {count - len(different)} of {count} |"
    )


def windows(job: Path, folder: Path, kills: int, rng: np.random.Generator) -> str:
    """One row of the table: as many runs, each of which loses its window."""
    straight = undisturbed(job, folder / "straight")
    done, same, total = 0, 0, 0
    struck: Counter[str] = Counter()
    for i, moment_s in enumerate(rng.uniform(0, 0.9 * (straight.start_s + straight.work_s), kills)):
        run = begin(job, folder / f"window-{i}")
        command = [sys.executable, "-P", "-c", WINDOW, str(run)]
        window = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True, cwd=HERE.parent)
        with window:
            assert window.stdout is not None
            window.stdout.readline()
            time.sleep(float(moment_s))
            os.killpg(window.pid, signal.SIGKILL)
        struck[state_of(run).status] += 1
        done += ended(run).status == "done"
        count, different = differing(straight.folder, run, MADE)
        same, total = same + count - len(different), total + count
    places = ", ".join(f"{what} {times}" for what, times in sorted(struck.items()))
    return f"| window | {kills} of {kills} | {places} | {done} done | {same} of {total} |"


def measure(folder: Path, asked: argparse.Namespace) -> list[str]:
    job = draw_sample(folder / "sample", asked.seed)
    rng = np.random.default_rng(asked.seed)
    rows = []
    for strike, name in ((workers, "workers"), (windows, "windows")):
        SETTINGS["schedule.steps"] = getattr(asked, f"{name[:-1]}_steps")
        if kills := getattr(asked, name):
            rows.append(strike(job, folder / name, kills, rng))
            print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--workers", type=int, default=20, help="kills of one run's worker")
    parser.add_argument("--windows", type=int, default=20, help="runs that lose their window")
    parser.add_argument("--seed", type=int, default=0, help="draws the sample and the moments")
    parser.add_argument("--worker-steps", type=int, default=SETTINGS["schedule.steps"], help="of that run")
    parser.add_argument("--window-steps", type=int, default=40, help="of each of those runs")
    parser.add_argument("--out", type=Path, default=HERE / "supervised_kills.md", help="the table")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        os.environ["ISTHMUS_QUEUE"] = str(Path(folder) / "queue")
        rows = measure(Path(folder), asked)
    names = ("workers", "windows", "worker_steps", "window_steps", "seed")
    options = " ".join(f"--{name.replace('_', '-')} {getattr(asked, name)}" for name in names)
    settings = ", ".join(f"`{key}={value}`" for key, value in SETTINGS.items() if key != "schedule.steps")
    text = [
        "# Struck in the background\n",
        f"`python -m benchmarks.supervised_kills {options}`: {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}. The built-in sample, {settings}. "
        "Each kill is a SIGKILL at a random moment: to the worker, whose supervisor must then tell "
        "it, or to the process group of what launched the run. Compared byte for byte with a run that nobody "
        "disturbed: weights, class and confidence rasters, verdict and scores.\n",
        "| struck | kills | what it was doing | what became of it | files equal |",
        "|---|---|---|---|---|",
        *rows,
    ]
    asked.out.write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
