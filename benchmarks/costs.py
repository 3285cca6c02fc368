"""What each method costs: seconds a step by phase, wall time and peak memory, of one pair in one sitting.

    python -m benchmarks.costs          run every row anew, two at a time; an hour that wants two idle cores

The rows are those of `benchmarks.accuracy`, run as there, seed 0; scores are of no account. Replaces
benchmarks/results/costs.jsonl and writes the tables.
"""

import argparse
import json
import multiprocessing
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.accuracy import Task, result_of, write_tables
from benchmarks.accuracy_tables import COSTS, Result
from benchmarks.rows import JOBS, ROWS, WORK, begins_alone, job_of
from benchmarks.steps import machine
from core.execution.execute import execute
from core.runs.run import create

FOLDER = WORK / "costs"
SOURCE_ONLY = "source_only"


def run_row(path: Path, row: str) -> Result:
    """In a process of its own, so that its peak memory is its own."""
    folder, began = FOLDER / row, time.monotonic()
    for _ in execute(create(job_of(path, row, seed=0, candidate=FOLDER / SOURCE_ONLY), folder)):
        pass
    return result_of(Task(path, 0, row), folder, time.monotonic() - began) | {"machine": machine()}


def every_row(path: Path) -> Iterator[Result]:
    """The model that the others start from first, which has company too, so that all run alike."""
    rows = [row for row in ROWS if row != SOURCE_ONLY and not ROWS[row].fails]
    alone = [row for row in rows if begins_alone(row)]
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawned, max_tasks_per_child=1) as pool:
        beside = [pool.submit(run_row, path, row) for row in [SOURCE_ONLY, *alone]]
        yield beside[0].result()
        yield from pool.map(partial(run_row, path), [row for row in rows if row not in alone])
        yield from (each.result() for each in beside[1:])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--job", type=Path, default=JOBS / "landslides-hokkaido-sichuan.yaml")
    path = parser.parse_args().job
    shutil.rmtree(FOLDER, ignore_errors=True)
    lines = []
    for result in every_row(path):
        lines.append(json.dumps(result) + "\n")
        print(result["row"], result["seconds"], result["step_s"], result["peak_mib"], flush=True)
    COSTS.write_text("".join(lines))
    write_tables()


if __name__ == "__main__":
    main()
