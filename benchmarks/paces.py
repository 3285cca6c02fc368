"""What a step of each method costs, phase by phase, beside source-only's: on one machine, in one run.

    python -m benchmarks.paces                   # some minutes; writes paces.md

Each row of the accuracy tables has a process of its own, in which steps of the shared source-only model and
of each phase of the method are tried one after the other, as `isthmus estimate` does it, but in the
process's own processor seconds: so that a busy machine lengthens the run and not the result.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from benchmarks.rows import HERE, JOBS, ROWS, UNADAPTED, job_of
from benchmarks.steps import machine
from core.execution.estimate import estimate

TABLE = HERE / "paces.md"
BESIDE = "source"
"""The phase of the source-only model."""


def paces(path: Path, row: str) -> dict[str, float]:
    """Phase -> CPU seconds a step; on one thread in float32, as the accuracy tables are made."""
    own_seconds = mock.patch.object(time, "perf_counter", time.process_time)
    with tempfile.TemporaryDirectory() as folder, own_seconds:
        job = job_of(path, row, seed=0, candidate=Path(folder))
        cost = estimate(job.model_copy(update={"candidate": None}), Path(folder))
    return {phase.name: phase.seconds_per_step for phase in cost.phases}


def in_a_process(path: Path, row: str) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.paces", "--job", str(path), "--row", row]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def line(row: str, found: dict[str, float]) -> str:
    beside = found[BESIDE]
    phases = [f"{name} {seconds / beside:.1f}" for name, seconds in found.items() if name != BESIDE]
    return f"| {row} | {beside:.2f} | {', '.join(phases)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--job", type=Path, default=JOBS / "landslides-hokkaido-sichuan.yaml")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.row:
        print(json.dumps(paces(asked.job, asked.row)))
        return
    lines = [
        "# What a step costs\n",
        f"`python -m benchmarks.paces` on {machine()}; `{asked.job.stem}`, crops of 128 px, batch 8, one "
        "thread, float32. Times source-only's step in the same process; narrow generators, as in the tables "
        "of accuracy. A phase of the same name as another stands once.\n",
        "| | source-only, CPU s a step | each phase, times that |",
        "|---|---|---|",
    ]
    for row in [row for row in ROWS if row not in UNADAPTED and not ROWS[row].fails]:
        lines.append(line(row, in_a_process(asked.job, row)))
        print(lines[-1], flush=True)
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
