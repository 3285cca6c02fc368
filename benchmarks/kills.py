"""`kill -9` at random moments of a training and of a map: is what comes out the same to the last bit?

    python -m benchmarks.kills                               # 20 and 10 kills; writes kills.md
    python -m benchmarks.kills --training 3 --prediction 2 --out /tmp/kills.md

Each worker is a process of its own on the built-in sample, shortened. It is killed at a moment drawn
uniformly from what follows its first event (a map's first event is its first finished band), then
another resumes; after the last kill one ends the work, which is compared with work that nobody disturbed.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch

from core.events import Phased, Progressed, Resumed
from core.journal import read
from core.sample.sample import draw_sample
from geo_io.grid import Box
from geo_io.patch_file import write_bands
from geo_io.scene import Scene

HERE = Path(__file__).parent
SETTINGS = {
    "schedule.steps": 200,
    "schedule.checkpoint_every": 5,
    "schedule.threads": 1,
    "schedule.device": "cpu",
    "sampling.batch": 2,
    "predict.tile_px": 128,
    "predict.overlap_px": 32,
}
REPEATED = 8
"""Copies of the sample's target below each other in the image to map: more bands than kills."""
SHARE = 0.7
"""Of the undisturbed time, what the moments add up to on average: work must not end before the last."""


class Worked(NamedTuple):
    """An ended worker: seconds after its first event, and whether it was killed."""

    seconds: float
    killed: bool


def work(words: list[str], log: Path, kill_after_s: float | None = None) -> Worked:
    """`isthmus WORDS` in a process. Raises ChildProcessError where it fails of itself."""
    command = [sys.executable, "-m", "core.cli", *words]
    with log.open("wb") as out:
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        worker = subprocess.Popen(command, stdout=out, stderr=out, cwd=HERE.parent, env=environment)
        while worker.poll() is None and not log.stat().st_size:
            time.sleep(0.01)
        begun = time.monotonic()
        try:
            worker.wait(kill_after_s)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
            return Worked(time.monotonic() - begun, True)
    if worker.returncode:
        raise ChildProcessError(log.read_text(encoding="utf-8").strip().splitlines()[-1])
    return Worked(time.monotonic() - begun, False)


def harass(
    words: list[str], log: Path, moments_s: list[float], where: Callable[[], str]
) -> tuple[Counter[str], float]:
    """Kill a worker at each moment, then let one end: where each kill struck, and all seconds of work."""
    struck: Counter[str] = Counter()
    total_s = 0.0
    for moment_s in moments_s:
        worked = work(words, log, moment_s)
        total_s += worked.seconds
        if not worked.killed:
            return struck, total_s
        struck[where()] += 1
    return struck, total_s + work(words, log).seconds


def last_phase(run: Path) -> str:
    """What the journal says that the worker did last."""
    doing = "starting"
    for event in read(run):
        if isinstance(event, Phased | Resumed):
            doing = f"training ({event.phase})"
        elif isinstance(event, Progressed):
            doing = "mapping" if event.what.startswith("map ") else event.what
        elif event.kind == "evaluated":
            doing = "judging"
        elif event.kind == "started":
            doing = "starting"
    return doing


def differing(one: Path, other: Path, patterns: tuple[str, ...]) -> tuple[int, list[str]]:
    """How many files fit, and those that are not byte for byte the same in both folders."""
    names = {
        str(path.relative_to(folder)) for folder in (one, other) for p in patterns for path in folder.rglob(p)
    }
    different = [
        name
        for name in sorted(names)
        if not all((folder / name).exists() for folder in (one, other))
        or (one / name).read_bytes() != (other / name).read_bytes()
    ]
    return len(names), different


def kill(
    name: str,
    words: Callable[[Path], list[str]],
    folder: Path,
    kills: int,
    rng: np.random.Generator,
    where: Callable[[Path], str],
    patterns: tuple[str, ...],
) -> tuple[str, bool]:
    """One row of the table, and whether all came out the same."""
    straight, killed, log = folder / f"{name}-straight", folder / f"{name}-killed", folder / f"{name}.log"
    alone_s = work(words(straight), log).seconds
    moments_s = rng.uniform(0, 2 * SHARE * alone_s / kills, kills).tolist()
    struck, total_s = harass(words(killed), log, moments_s, lambda: where(killed))
    count, different = differing(straight, killed, patterns)
    left = len(list(killed.rglob("*.partial*")))
    places = ", ".join(f"{what} {times}" for what, times in sorted(struck.items()))
    same = f"{count - len(different)} of {count}" + (f" (not: {', '.join(different)})" if different else "")
    cells = [
        name,
        f"{struck.total()} of {kills}",
        places,
        f"{alone_s:.1f}",
        f"{total_s:.1f}",
        same,
        str(left),
    ]
    return f"| {' | '.join(cells)} |", not different and count > 0 and not left


def tall_image(sample: Path, path: Path) -> None:
    """The sample's target, `REPEATED` times below each other."""
    with Scene.open(sample / "target" / "north.tif") as scene:
        patch = scene.read(scene.grid.box)
        grid = scene.grid.crop(Box(0, 0, scene.grid.width, scene.grid.height * REPEATED))
        write_bands(path, np.tile(patch.values, (1, REPEATED, 1)), grid, nodata=0, names=scene.bands)


def measure(folder: Path, asked: argparse.Namespace) -> tuple[list[str], bool]:
    """The rows of the table."""
    job = draw_sample(folder / "sample", asked.seed)
    tall_image(job.parent, folder / "tall.tif")
    rng = np.random.default_rng(asked.seed)
    settings = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]

    def training(run: Path) -> list[str]:
        return ["run", str(job), "--to", str(run), *settings, "--json"]

    def mapping(maps: Path) -> list[str]:
        return ["predict", str(folder / "training-straight"), str(folder / "tall.tif"), "--to", str(maps)]

    def bands(maps: Path) -> str:
        return "mapping" if (maps / "tall.spool.index").exists() else "ending, maps written"

    made = ("weights.safetensors", "*.tif", "verdict.json", "scores.json")
    rows = [
        kill("training", training, folder, asked.training, rng, last_phase, made),
        kill("prediction", mapping, folder, asked.prediction, rng, bands, ("*.tif",)),
    ]
    return [row for row, _ in rows], all(same for _, same in rows)


def head(asked: argparse.Namespace) -> list[str]:
    """What was done where, and the head of the table."""
    options = f"--training {asked.training} --prediction {asked.prediction} --seed {asked.seed}"
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    settings = ", ".join(f"`{key}={value}`" for key, value in SETTINGS.items())
    return [
        "# Killed at random moments\n",
        f"`python -m benchmarks.kills {options}`: {machine}, one thread on the CPU, {versions}. The built-in "
        f"sample, seed {asked.seed}, method `combined`, {settings}; the image to map is {REPEATED} copies of "
        "a target scene. Each kill is a SIGKILL to a process of its own, at a moment drawn uniformly with "
        "the same seed. Compared byte for byte with work that nobody disturbed: weights, class and "
        "confidence rasters, verdict and scores of the training; rasters of the prediction. Seconds are "
        "those after a worker's first event.\n",
        "| work | kills | last thing done before "
        "| undisturbed s | with kills s | files equal | half-written left |",
        "|---|---|---|---|---|---|---|",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--training", type=int, default=20, help="kills of a training run")
    parser.add_argument("--prediction", type=int, default=10, help="kills of a prediction")
    parser.add_argument("--seed", type=int, default=0, help="draws the sample and the moments")
    parser.add_argument("--out", type=Path, default=HERE / "kills.md", help="the table")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        rows, same = measure(Path(folder), asked)
    asked.out.write_text("\n".join([*head(asked), *rows]) + "\n", encoding="utf-8")
    print("\n".join(rows))
    sys.exit(not same)


if __name__ == "__main__":
    main()
