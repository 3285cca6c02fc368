"""How much of a training step is spent waiting for data, on a job's own imagery.

    python -m benchmarks.loading [JOB ...] [--steps 60]

The caches are empty at first, as in a new run; the first ten steps warm the machine up and are left
out. `wait` is the time in which a step's crops were not there yet.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import core.bench
from benchmarks.accuracy import JOBS, sample
from core.ahead import ahead
from core.bench import Bench
from core.devices import autocast_type, launch
from core.job import load_job
from core.networks.segmentor import build_segmentor
from core.prepare import Prepared, prepare
from core.registry import choose

WARM = 10
TABLE = Path(__file__).parent / "loading.md"
METHODS = ("source_only", "combined")


class Waits(list[float]):
    """Seconds waited for each step's crops."""

    def ahead(
        self, work: Callable[[Any], Any], items: Iterable[Any], threads: int
    ) -> Generator[Any, None, None]:
        """As `core.ahead.ahead`, with a stop-watch."""
        coming = ahead(work, items, threads)
        try:
            while True:
                began = time.perf_counter()
                found = next(coming, None)
                if found is None:
                    return
                self.append(time.perf_counter() - began)
                yield found
        finally:
            coming.close()


def measure(path: Path, method: str, steps: int) -> tuple[float, float]:
    """Seconds a step, and the share of them spent waiting for crops."""
    job = load_job(path)
    job = job.model_copy(
        update={"schedule": job.schedule.model_copy(update={"steps": steps + WARM, "threads": 1})}
    )
    data: Prepared | None = None
    with tempfile.TemporaryDirectory() as cache:
        for found in prepare(job, Path(cache)):
            data = found if isinstance(found, Prepared) else data
        assert data is not None
        chosen = choose(job, method, {"warm_share": 0.0} if method == "combined" else {})
        network, report = build_segmentor(job.network, data.bands, len(job.legend.classes), seed=0)
        fabric = launch(job.schedule)
        network.precision = autocast_type(job.schedule, fabric.device)
        waits, began = Waits(), 0.0
        core.bench.ahead = waits.ahead
        bench = Bench(job, fabric, network, data.domains, chosen.phases, report.text, None)
        for step, _ in enumerate(chosen.module.train(bench, chosen.options), 1):
            if step == WARM:
                waits.clear()
                began = time.perf_counter()
        took = time.perf_counter() - began
    return took / steps, sum(waits) / took


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("jobs", nargs="*", type=Path)
    parser.add_argument("--steps", type=int, default=60)
    args = parser.parse_args()
    lines = [
        "# Waiting for data",
        "",
        f"`python -m benchmarks.loading --steps {args.steps}`; one thread each to load and to compute.",
        "",
        "| job | method | s a step | waiting for crops |",
        "|---|---|---|---|",
    ]
    for path in args.jobs or [sample(0), *sorted(JOBS.glob("*.yaml"))]:
        for method in METHODS:
            seconds, share = measure(path, method, args.steps)
            lines.append(f"| {load_job(path).name} | {method} | {seconds:.2f} | {share:.1%} |")
            print(lines[-1], flush=True)
    TABLE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
