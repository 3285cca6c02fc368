"""The accuracy tables: markdown from results, nothing measured here."""

import platform
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks.rows import HERE, ROWS, SAMPLE, UNADAPTED
from core.judging.signals import Signals
from core.judging.verdict import Verdict, choose

Result = dict[str, Any]
COSTS = HERE / "results/costs.jsonl"
"""Results of one pair, run in one sitting by `benchmarks.costs`: only their times and memory are shown."""
MAIN_ROWS = ("source_only", "adabn", "adaptsegnet", "advent", "combined", "combined-haze", "oracle")


def accuracy_table(results: list[Result]) -> str:
    """A section a pair, a line a row of the main job."""
    intro = [
        "# Accuracy on real pairs",
        "",
        f"`python -m benchmarks.accuracy`; {platform.machine()}, two cores, no GPU. Real pairs: MobileNet v1",
        "encoder pretrained on ImageNet, 128-pixel crops, batch 8; the sample: its own job, from scratch.",
        "Equal total steps for every row of a pair. mIoU and IoU in percent on the scored",
        "half of the target, mean ± standard deviation over n seeds, **before** the guarded choice.",
        "*gap*: the gain over source-only of the same seed, as a share of the oracle's in the mean.",
        "*guard*: mIoU of what it chose, and how often that was to adapt. A source-only model that was",
        "trained again, on another machine, stands only beside the runs that began with it.",
    ]
    return "\n".join([*intro, *sections(results, MAIN_ROWS)]) + "\n"


def methods_table(results: list[Result], costs: list[Result]) -> str:
    """A section a pair, a line a method; of pairs on which more than the main job's ran."""
    intro = [
        "# Every method",
        "",
        f"`python -m benchmarks.accuracy`; {platform.machine()}, two cores, one thread a run, no GPU. Rules",
        "and columns as in [accuracy.md](accuracy.md): one pretrained MobileNet encoder for all, equal crops",
        "and equal total steps, warm starts and translators counted. Rows marked * train a translator, a",
        "narrow one, within the same total: they show that it works and are **not ranked**.",
        "These budgets reach no plateau for self-training: the order of the papers is not testable here.",
    ]
    ranked = [row for row, chosen in ROWS.items() if not chosen.fails]
    more = {r["pair"] for r in results if r["row"] in ranked and r["row"] not in MAIN_ROWS}
    lines = [
        *intro,
        *gains(results, ranked),
        *cost_section(costs),
        *sections([r for r in results if r["pair"] in more], ranked),
    ]
    return "\n".join(lines) + "\n"


def gains(results: list[Result], rows: Sequence[str]) -> Iterator[str]:
    """Every method on every real pair in one table: what it is worth beside source-only of the same seed."""
    real = [r for r in results if r["pair"] != SAMPLE]
    pairs = sorted({r["pair"] for r in real})
    before = source_only(results)
    yield from ("", "## mIoU beside source-only", "")
    yield "Mean over seeds ± standard deviation (seeds), **before** the guarded choice; last, their mean."
    yield ""
    yield f"| | {' | '.join(pairs)} | all |"
    yield "|---" * (len(pairs) + 2) + "|"
    for row in [row for row in rows if row not in UNADAPTED]:
        found = [
            [r["miou"] - before(r)["miou"] for r in real if (r["row"], r["pair"]) == (row, pair)]
            for pair in pairs
        ]
        if any(found):
            cells = [f"{spread(each)} ({len(each)})" if each else "" for each in found]
            all_ = spread([statistics.mean(map(statistics.mean, found))]) if all(found) else ""
            yield f"| {row} | {' | '.join([*cells, all_])} |"


def source_only(results: Sequence[Result]) -> Callable[[Result], Result]:
    """Result -> the source-only model of its pair and seed: its run's own, where that was trained again."""
    shared = {(r["pair"], r["seed"]): r for r in results if r["row"] == "source_only"}
    return lambda result: result.get("source_only") or shared[result["pair"], result["seed"]]


def cost_section(costs: list[Result]) -> Iterator[str]:
    """A line a row: what it takes beside source-only, all of one pair and one sitting."""
    if not costs:
        return
    first, pace = costs[0], next(r for r in costs if r["row"] == "source_only")["step_s"]["source"]
    yield from ("", "## What they cost", "")
    yield f"`python -m benchmarks.costs`: {first['pair']}, {first['steps']} steps, seed 0, all rows in one"
    yield f"sitting, two at a time on two otherwise idle cores ({first['machine']}). *step*: seconds by"
    yield "phase and, in brackets, of source-only's. *wall*: all of a run, its choice, maps and scores too,"
    yield "but the shared source-only model. *memory*: peak of the process."
    yield ""
    yield "| | step | wall | memory |"
    yield "|---|---|---|---|"
    for r in costs:
        steps = ", ".join(f"{phase} {s:.2f} ({s / pace:.1f})" for phase, s in r["step_s"].items())
        wall, memory = f"{r['seconds'] / 60:.1f} min", f"{r['peak_mib'] / 1024:.1f} GB"
        yield f"| {labelled(r['row'])} | {steps} | {wall} | {memory} |"


def sections(results: list[Result], rows: Sequence[str]) -> Iterator[str]:
    for pair in sorted({r["pair"] for r in results}):
        yield ""
        yield from section([r for r in results if r["pair"] == pair and r["row"] in rows], rows)


def section(results: list[Result], rows: Sequence[str]) -> Iterator[str]:
    names = list(results[0]["iou"])
    by_row = {row: [r for r in results if r["row"] == row] for row in rows}
    mean = {row: statistics.mean(r["miou"] for r in rs) for row, rs in by_row.items() if rs}
    yield f"## {results[0]['pair']} ({results[0]['steps']} steps)"
    yield ""
    headings = ["", "mIoU", *names, "gap", "guard", "n"]
    yield "| " + " | ".join(headings) + " |"
    yield "|---" * len(headings) + "|"
    truth = results[0]["truth"]
    floor = max(truth) / sum(truth) / sum(1 for pixels in truth if pixels)
    yield f"| floor (one class everywhere) | {100 * floor:.1f} |" + " |" * (len(headings) - 2)
    before = source_only(results)
    for row in [row for row in rows if by_row[row]]:
        rs = by_row[row]
        cells = [spread([r["miou"] for r in rs]), *(spread([r["iou"][name] for r in rs]) for name in names)]
        adapted = row not in UNADAPTED
        cells.append(gap(mean, statistics.mean(r["miou"] - before(r)["miou"] for r in rs)) if adapted else "")
        cells.append(guarded(rs, before) if adapted else "")
        yield f"| {labelled(row)} | " + " | ".join(cells) + f" | {len(rs)} |"


def labelled(row: str) -> str:
    return f"{row} *" if ROWS[row].trains_translator else row


def spread(values: list[float]) -> str:
    text = f"{round(100 * statistics.mean(values), 1) + 0.0:.1f}"  # no -0.0
    return f"{text} ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else text


def gap(mean: dict[str, float], gain: float) -> str:
    if "oracle" not in mean:
        return "no oracle yet"
    if mean["oracle"] <= mean["source_only"]:
        return "none to close"
    share = gain / (mean["oracle"] - mean["source_only"])
    return "above the oracle" if share > 1 else f"{round(share, 2) + 0.0:.0%}"


def judged(result: Result, after: Signals | None = None) -> Verdict:
    """What today's rule says of the recorded signals, or were `after` those of the adapted model."""
    seen = result["verdict"]
    before, after = Signals(**seen["source_only"]), after or Signals(**seen["adapted"])
    return choose(before, after, seen["source_shares"], list(result["iou"]))


def adapts(result: Result) -> bool:
    """Whether today's rule would map with the adapted model."""
    return judged(result).chosen == "adapted"


def guarded(results: list[Result], before: Callable[[Result], Result]) -> str:
    choices = [(adapts(r), r) for r in results]
    kept = [(r if adapt else before(r))["miou"] for adapt, r in choices]
    return f"{spread(kept)} ({sum(adapt for adapt, _ in choices)}/{len(choices)})"
