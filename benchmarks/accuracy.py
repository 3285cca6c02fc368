"""Accuracy on real pairs: every method, three seeds, the same steps, beside the floor and the oracle.

    python -m benchmarks.accuracy                 run what is missing, two at a time
    python -m benchmarks.accuracy --table         write benchmarks/accuracy.md from the results

Scores come from the maps on disk, of the adapted weights before the guarded choice; the signals of
the guard are recorded beside them, and the table asks today's rule of them. Results are appended to
benchmarks/results/accuracy.jsonl, and what is there is skipped. The built-in sample is one of the
pairs: it is drawn when needed, and its oracle learns from the target of a second drawing, the same
sensor and season over other land.
"""

import argparse
import json
import platform
import statistics
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import torch

from core.execute import execute
from core.files import read_json
from core.job import Job, LabelFile, Method, load_job
from core.registry import load
from core.run import create, open_run
from core.sample import draw_sample
from core.signals import Signals
from core.verdict import choose

HERE = Path(__file__).parent
JOBS, RESULTS, WORK, TABLE = (
    HERE / "jobs",
    HERE / "results/accuracy.jsonl",
    HERE / "work",
    HERE / "accuracy.md",
)
ROWS = ("source_only", "adabn", "adaptsegnet", "advent", "combined", "oracle")
SAMPLE = "sample"
Result = dict[str, Any]


def job_of(path: Path, row: str, seed: int, candidate: Path) -> Job:
    """The pair's job as one row of the table: only the scored half is mapped."""
    job = load_job(path)
    pair_schedule = job.schedule.model_copy(update={"threads": 1})
    scenes = [s.model_copy(update={"map": s.labels is not None}) for s in job.target.scenes]
    changes: dict[str, Any] = {
        "seed": seed,
        "schedule": pair_schedule,
        "target": job.target.model_copy(update={"scenes": scenes}),
        "predict": job.predict.model_copy(update={"models": "method", "confidence": False}),
        "method": Method(name="source_only" if row == "oracle" else row),
    }
    if row == "oracle":
        return oracle(job.model_copy(update=changes))
    return job.model_copy(update=changes | ({} if row == "source_only" else {"candidate": candidate}))


def oracle(job: Job) -> Job:
    """Trained on the labels of the target's other half, which no other row ever opens."""
    if job.name == SAMPLE:
        other = load_job(sample(1)).target.scenes
        other = [s.model_copy(update={"labels": as_training(s.labels)}) for s in other]
    else:
        unscored = [s for s in job.target.scenes if s.labels is None]
        other = [s.model_copy(update={"labels": label_of(job, s.path)}) for s in unscored]
    source = job.target.model_copy(update={"name": f"{job.target.name}-labelled", "scenes": other})
    return job.model_copy(update={"source": source, "oracle": True})


def label_of(job: Job, image: Path) -> LabelFile:
    """The label file beside an image, used for training: the packs keep both under the same name."""
    like = next(s.labels for s in job.target.scenes if s.labels)
    return as_training(like).model_copy(update={"path": image.parents[1] / "labels" / image.name})


def as_training(labels: LabelFile | None) -> LabelFile:
    assert labels
    return labels.model_copy(update={"use": "train"})


def sample(seed: int) -> Path:
    """The job of the built-in sample, drawn where it is not there yet, on one thread like the others."""
    folder = WORK / f"{SAMPLE}-drawn-{seed}"
    if not folder.exists():
        draw_sample(folder, seed)
    return folder / "job.yaml"


def run_rows(path: Path, seed: int, rows: list[str]) -> Iterator[Result]:
    """Run the rows of one pair and seed in order; the source-only model serves the others as candidate."""
    base = WORK / f"{pair_of(path)}-s{seed}"
    for row in rows:
        recipe = json.dumps(options_of(row), sort_keys=True)
        folder = base / (row if row == "source_only" else f"{row}-{zlib.crc32(recipe.encode()):08x}")
        job = job_of(path, row, seed, base / "source_only")
        run = open_run(folder) if folder.exists() else create(job, folder)
        began = time.monotonic()
        for _ in execute(run):
            pass
        yield result_of(pair_of(path), row, seed, folder, time.monotonic() - began)


def result_of(pair: str, row: str, seed: int, folder: Path, seconds: float) -> Result:
    """One line of the results, from the files of a finished run."""
    model = "adapted" if row not in ("source_only", "oracle") else "source-only"
    scores, verdict = read_json(folder / "scores.json")[model], read_json(folder / "verdict.json")
    return {
        "pair": pair,
        "row": row,
        "seed": seed,
        "steps": load_job(folder / "job.yaml").schedule.steps,
        "miou": scores["miou"],
        "iou": {name: found["iou"] for name, found in scores["classes"].items()},
        "truth": [sum(line) for line in scores["confusion"]],
        "options": options_of(row),
        "verdict": verdict,
        "seconds": round(seconds),
        "torch": torch.__version__,
    }


def pair_of(path: Path) -> str:
    return load_job(path).name


def options_of(row: str) -> dict[str, Any]:
    """A row's recipe: the method's default options as they are today."""
    name = "source_only" if row == "oracle" else row
    return load(name).Options().model_dump(mode="json")


def known() -> list[Result]:
    """The results of today's recipes; those of earlier ones stay in the file as history."""
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    return [r for r in map(json.loads, lines) if r["options"] == options_of(r["row"])]


def work(args: argparse.Namespace) -> None:
    """Run every missing row; a pair and seed is one process, so that its candidate is trained once."""
    for seed in (0, 1):  # here, so that no two workers draw at once
        sample(seed)
    done = {(r["pair"], r["row"], r["seed"]) for r in known()}
    RESULTS.parent.mkdir(exist_ok=True)
    with ProcessPoolExecutor(args.workers) as pool:
        waiting = [
            pool.submit(list_rows, path, seed, rows)
            for seed in args.seeds
            for path in args.jobs
            if (rows := [row for row in args.rows if (pair_of(path), row, seed) not in done])
        ]
        for finished in as_completed(waiting):
            print(f"finished {finished.result()}", flush=True)


def list_rows(path: Path, seed: int, rows: list[str]) -> str:
    """In the worker: run, and append each result as it comes."""
    for result in run_rows(path, seed, rows):
        with RESULTS.open("a") as file:
            file.write(json.dumps(result) + "\n")
        print(f"{result['pair']} {result['row']} s{seed}: {100 * result['miou']:.1f}", flush=True)
    return f"{pair_of(path)} s{seed}"


def table(results: list[Result]) -> str:
    """Markdown: a section a pair, a line a row, mean ± spread over seeds."""
    lines = [
        "# Accuracy on real pairs",
        "",
        f"`python -m benchmarks.accuracy`; {platform.machine()}, two cores, no GPU. Real pairs: MobileNet v1",
        "encoder pretrained on ImageNet, 128-pixel crops, batch 8; the sample: its own job, from scratch.",
        "Equal total steps for every row of a pair. mIoU and IoU in percent on the scored",
        "half of the target, mean ± standard deviation over n seeds, **before** the guarded choice.",
        "*gap*: share of the source-only to oracle gap closed. *guard*: mIoU of what it chose, and how",
        "often that was to adapt.",
    ]
    for pair in sorted({r["pair"] for r in results}):
        lines += ["", *section([r for r in results if r["pair"] == pair])]
    return "\n".join(lines) + "\n"


def section(results: list[Result]) -> Iterator[str]:
    names = list(results[0]["iou"])
    by_row = {row: [r for r in results if r["row"] == row] for row in ROWS}
    mean = {row: statistics.mean(r["miou"] for r in rs) for row, rs in by_row.items() if rs}
    yield f"## {results[0]['pair']} ({results[0]['steps']} steps)"
    yield ""
    yield "| | mIoU | " + " | ".join(names) + " | gap | guard | n |"
    yield "|---" * (len(names) + 5) + "|"
    truth = results[0]["truth"]
    floor = max(truth) / sum(truth) / sum(1 for pixels in truth if pixels)
    yield f"| floor (one class everywhere) | {100 * floor:.1f} |" + " |" * (len(names) + 3)
    base = {r["seed"]: r["miou"] for r in by_row["source_only"]}
    for row in [row for row in ROWS if by_row[row]]:
        rs = by_row[row]
        cells = [spread([r["miou"] for r in rs]), *(spread([r["iou"][name] for r in rs]) for name in names)]
        adapted = row not in ("source_only", "oracle")
        cells.append(gap(mean, row) if adapted else "")
        cells.append(guarded(rs, base) if adapted and base else "")
        yield f"| {row} | " + " | ".join(cells) + f" | {len(rs)} |"


def spread(values: list[float]) -> str:
    text = f"{100 * statistics.mean(values):.1f}"
    return f"{text} ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else text


def gap(mean: dict[str, float], row: str) -> str:
    if not {"oracle", "source_only"} <= mean.keys():
        return "no oracle yet"
    if mean["oracle"] <= mean["source_only"]:
        return "none to close"
    share = (mean[row] - mean["source_only"]) / (mean["oracle"] - mean["source_only"])
    return "above the oracle" if share > 1 else f"{share:.0%}"


def adapts(result: Result) -> bool:
    """Whether today's rule, on the signals recorded with the result, would map with the adapted model."""
    seen = result["verdict"]
    before, after = Signals(**seen["source_only"]), Signals(**seen["adapted"])
    return choose(before, after, seen["source_shares"], list(result["iou"])).chosen == "adapted"


def guarded(results: list[Result], base: dict[int, float]) -> str:
    judged = [(adapts(r), r) for r in results if r["seed"] in base]
    kept = [r["miou"] if adapt else base[r["seed"]] for adapt, r in judged]
    return f"{spread(kept)} ({sum(adapt for adapt, _ in judged)}/{len(judged)})" if kept else ""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", nargs="+", type=Path, default=[])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--table", action="store_true", help="only write the table")
    args = parser.parse_args()
    args.jobs = args.jobs or [sample(0), *sorted(JOBS.glob("*.yaml"))]
    if not args.table:
        work(args)
    TABLE.write_text(table(known()))
    print(f"wrote {TABLE}")


if __name__ == "__main__":
    main()
