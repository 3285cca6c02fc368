"""Reverse validation of runs that `benchmarks.accuracy` has made, for the study of the verdict.

    python -m benchmarks.reverse                 combined and adabn of every pair, seed 0, 150 steps
    python -m benchmarks.verdict                 then has its table

Needs the runs themselves in benchmarks/work. Results are appended to benchmarks/results/reverse.jsonl, and
what is there is skipped. Target labels have no part in it; the true scores stand in accuracy.jsonl.
"""

import argparse
import json
from typing import Any

from benchmarks.rows import HERE, JOBS, ROWS, made, pair_of, sample
from core.execution.reverse import verify
from core.files import read_json

RESULTS = HERE / "results/reverse.jsonl"


def known() -> dict[tuple[str, str, int], dict[str, Any]]:
    """What was found, by pair, row and seed."""
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    return {(r["pair"], r["row"], r["seed"]): r for r in map(json.loads, lines)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=["combined", "adabn"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--steps", type=int, default=150)
    args = parser.parse_args()
    for path in (*sorted(JOBS.glob("*.yaml")), sample(0)):
        for row in args.rows:
            for seed in args.seeds:
                key = pair_of(path), row, seed
                folder = made(*key)
                if key in known() or folder is None:
                    continue
                for _ in verify(folder, args.steps):
                    pass
                found = read_json(folder / "verdict.json")["reverse"]
                line = dict(zip(("pair", "row", "seed"), key, strict=True)) | found
                with RESULTS.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                print(*key, f"{100 * found['gain']['miou']:+.1f}", flush=True)


if __name__ == "__main__":
    main()
