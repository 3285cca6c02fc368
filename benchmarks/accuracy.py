"""Accuracy on real pairs: every method, the same total of steps, beside the floor and the oracle.

    python -m benchmarks.accuracy                    run what is missing, two at a time
    python -m benchmarks.accuracy --rows daformer    these rows only
    python -m benchmarks.accuracy --table            only write the tables from the results
    python -m benchmarks.accuracy --judge            measure what today's verdict asks for of finished runs

Writes benchmarks/accuracy.md (the main job's rows) and benchmarks/methods.md (every method, with its
cost). Scores come from the maps on disk, of the adapted weights before the guarded choice; the signals
of the guard are recorded beside them, and the tables ask today's rule of them. Results are appended to
benchmarks/results/accuracy.jsonl, and what is there is skipped. The built-in sample is one of the
pairs: it is drawn when needed, and its oracle learns from the target of a second drawing, the same
sensor and season over other land.
"""

import argparse
import json
import resource
import time
import zlib
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import fields
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import torch

from benchmarks.accuracy_tables import COSTS, Result, accuracy_table, methods_table
from benchmarks.rows import (
    HERE,
    JOBS,
    ROWS,
    UNADAPTED,
    WORK,
    begins_alone,
    is_recipe_of,
    job_of,
    made,
    pair_of,
    recipe_of,
    sample,
)
from core import checkpoint
from core.events import Stepped
from core.execution.execute import execute
from core.files import read_json
from core.job import load_job
from core.journal import read
from core.judging.signals import Signals
from core.runs.run import create, open_run

RESULTS = HERE / "results/accuracy.jsonl"
MOST_GAP = 20
"""Steps between two events whose times still tell the pace of training."""


class Task(NamedTuple):
    path: Path
    seed: int
    row: str


def folder_of(task: Task) -> Path:
    """Where a row's run lies: another recipe is another folder."""
    base = WORK / f"{pair_of(task.path)}-s{task.seed}"
    if task.row == "source_only":
        return base / task.row
    return base / f"{task.row}-{zlib.crc32(json.dumps(recipe_of(task.row), sort_keys=True).encode()):08x}"


def run_task(task: Task) -> Result:
    """In a process of its own, so that its peak memory is its own."""
    folder, began = folder_of(task), time.monotonic()
    candidate = folder.parent / "source_only"
    run = (
        open_run(folder)
        if folder.exists()
        else create(job_of(task.path, task.row, task.seed, candidate), folder)
    )
    for _ in execute(run):
        pass
    return result_of(task, folder, time.monotonic() - began)


def result_of(task: Task, folder: Path, seconds: float) -> Result:
    """One line of the results, from the files of a finished run."""
    model = "source-only" if task.row in UNADAPTED else "adapted"
    scores, verdict = read_json(folder / "scores.json")[model], read_json(folder / "verdict.json")
    job = load_job(folder / "job.yaml")
    began_at = scored(read_json(job.candidate / "scores.json")["source-only"]) if job.candidate else None
    return {
        "pair": pair_of(task.path),
        "row": task.row,
        "seed": task.seed,
        "steps": job.schedule.steps,
        **scored(scores),
        "source_only": began_at,
        "truth": [sum(line) for line in scores["confusion"]],
        "options": recipe_of(task.row),
        "verdict": verdict,
        "seconds": round(seconds),
        "step_s": paces(folder),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "torch": torch.__version__,
    }


def scored(scores: dict[str, Any]) -> Result:
    """What the tables show of a model's scores."""
    return {
        "miou": scores["miou"],
        "iou": {name: found["iou"] for name, found in scores["classes"].items()},
    }


def paces(folder: Path) -> dict[str, float]:
    """Phase -> seconds a step, the median over the journal."""
    taken: dict[str, list[float]] = {}
    last: Stepped | None = None
    for event in read(folder):
        if isinstance(event, Stepped):
            if last and last.phase == event.phase and 0 < event.step - last.step <= MOST_GAP:
                pace = (event.time - last.time) / (event.step - last.step)
                taken.setdefault(event.phase, []).append(pace)
            last = event
    return {phase: round(median(each), 4) for phase, each in taken.items()}


def known() -> list[Result]:
    """The results of today's recipes; those of earlier ones stay in the file as history."""
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    results = map(json.loads, lines)
    return [r for r in results if r["row"] in ROWS and is_recipe_of(r["row"], r["options"])]


def missing(args: argparse.Namespace) -> list[Task]:
    done = {(r["pair"], r["row"], r["seed"]) for r in known()}
    return [
        Task(path, seed, row)
        for seed in args.seeds
        for path in args.jobs
        for row in args.rows
        if (pair_of(path), row, seed) not in done
    ]


def work(args: argparse.Namespace) -> None:
    """Run every missing row. Those that start from a source-only model wait for it; where only its result
    is there and not its run, it is trained again and not recorded twice."""
    for seed in (0, 1):  # here, so that no two workers draw at once
        sample(seed)
    RESULTS.parent.mkdir(exist_ok=True)
    recorded = missing(args)
    waiting = list(recorded)
    for task in recorded:
        base = Task(task.path, task.seed, "source_only")
        trained = checkpoint.weights_path(folder_of(base) / "phases" / "source-only").exists()
        if not begins_alone(task.row) and not trained and base not in waiting:
            waiting.insert(0, base)
    running: dict[Future[Result], Task] = {}
    with ProcessPoolExecutor(args.workers, max_tasks_per_child=1) as pool:
        while waiting or running:
            for task in [t for t in waiting if ready(t, [*waiting, *running.values()])]:
                waiting.remove(task)
                running[pool.submit(run_task, task)] = task
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                tell(task, future, record=task in recorded)


def judge(rows: Sequence[str]) -> None:
    """Measure the signals that a record of these rows lacks; weights, maps and scores stay as they are."""
    results = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    for result in results:
        row, adapted = result["row"], result["verdict"].get("adapted", {})
        if row in UNADAPTED or row not in rows or not is_recipe_of(row, result["options"]):
            continue
        folder = made(result["pair"], row, result["seed"])
        if folder is None or {field.name for field in fields(Signals)} <= adapted.keys():
            continue
        (folder / "verdict.json").unlink()
        for _ in execute(open_run(folder)):
            pass
        result["verdict"] = read_json(folder / "verdict.json")
        print(result["pair"], row, result["seed"], result["verdict"]["chosen"], flush=True)
        RESULTS.write_text("".join(json.dumps(each) + "\n" for each in results))


def write_tables() -> None:
    costs = [json.loads(line) for line in COSTS.read_text().splitlines()] if COSTS.exists() else []
    for name, text in (("accuracy", accuracy_table(known())), ("methods", methods_table(known(), costs))):
        (HERE / f"{name}.md").write_text(text)
        print(f"wrote {HERE / name}.md")


def ready(task: Task, unfinished: list[Task]) -> bool:
    """Whether the source-only model that a row starts from is there."""
    return task.row == "source_only" or task._replace(row="source_only") not in unfinished


def tell(task: Task, future: Future[Result], record: bool) -> None:
    """Append a result; one that failed is told, and the others go on."""
    what = f"{pair_of(task.path)} {task.row} s{task.seed}"
    if fault := future.exception():
        print(f"{what}: FAILED: {fault}", flush=True)
        return
    result = future.result()
    if record:
        with RESULTS.open("a") as file:
            file.write(json.dumps(result) + "\n")
    print(f"{what}: {100 * result['miou']:.1f} in {result['seconds']} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", nargs="+", type=Path, default=[])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--rows", nargs="+", choices=ROWS, default=[row for row in ROWS if not ROWS[row].fails]
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--table", action="store_true", help="only write the tables")
    parser.add_argument(
        "--judge", action="store_true", help="measure signals that records lack; write the tables"
    )
    args: Any = parser.parse_args()
    args.jobs = args.jobs or [sample(0), *sorted(JOBS.glob("*.yaml"))]
    if args.judge:
        judge(args.rows)
    elif not args.table:
        work(args)
    write_tables()


if __name__ == "__main__":
    main()
