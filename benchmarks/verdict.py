"""Is the verdict right? The label-free signals of finished runs against their true scores.

    python -m benchmarks.verdict        from results/accuracy.jsonl; trains nothing

Every adapted model is compared with the source-only model of its pair and seed; those of another network
(hrda) are left out, since the source-only model that their verdict weighs was not scored. The rule and its
thresholds were chosen on one pair (landslides) and the built-in sample; the other pairs test it, but their
mistakes had been read by then, so what was run after the rule was set stands by itself. Rows made
to fail (collapsed, overwhelmed, taught by noise, wrongly normalised) are among them: run them with
`python -m benchmarks.accuracy --rows "collapsed by entropy" ...`. Here alone are true labels of the target
used beside the signals. Other rules are tried on the first group alone, so that the second stays a test.
Writes benchmarks/verdict.md.
"""

import json
import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from benchmarks import reverse
from benchmarks.accuracy import RESULTS, known
from benchmarks.accuracy_tables import Result, adapts, judged, source_only
from benchmarks.rows import HERE, ROWS, UNADAPTED
from core.judging.signals import Signals, distance

TUNED_ON = ("landslides-hokkaido-sichuan", "landslides-sichuan-hokkaido", "sample")
SEEN = 95
"""Lines of the results that were there when the rule was last set: later ones test it."""
BACKGROUND = ("background", "soil")
EVEN = 0.01
"""True scores this close are as good as each other: either choice is right."""
DRAWS = 2000

SIGNALS: dict[str, Callable[[Signals], float]] = {
    "entropy, lower": lambda s: -s.entropy,
    "mutual information": lambda s: s.information,
    "agreement under rotation": lambda s: s.d4_agreement,
    "confidence": lambda s: s.confidence,
    "source hold-out mIoU": lambda s: s.holdout_miou,
    "the same with the target's brightness": lambda s: _or_nan(s.holdout_moved_miou),
    "temperature on held-out source, lower": lambda s: -math.log(_or_nan(s.temperature)),
}


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


@dataclass(frozen=True)
class Case:
    """One adapted model beside its source-only model: signals of both, true scores of both."""

    result: Result
    before: Signals
    after: Signals
    miou: tuple[float, float]
    foreground: tuple[float, float]

    @property
    def key(self) -> tuple[str, str, int]:
        return self.result["pair"], self.result["row"], self.result["seed"]

    @property
    def adapts(self) -> bool:
        return adapts(self.result)

    @property
    def gain(self) -> float:
        return self.miou[1] - self.miou[0]

    def regret(self, adapt: bool) -> float:
        return max(self.miou) - self.miou[adapt]

    @property
    def changes(self) -> dict[str, float]:
        """By how much each sign got better."""
        prior, (b, a) = self.result["verdict"]["source_shares"], (self.before, self.after)
        return {
            "entropy": b.entropy - a.entropy,
            "mutual information": a.information - b.information,
            "agreement": a.d4_agreement - b.d4_agreement,
            "hold-out": a.holdout_miou - b.holdout_miou,
            "prior shift": distance(b.shares, prior) - distance(a.shares, prior),
            "temperature": math.log((b.temperature or 1.0) / (a.temperature or 1.0)),
        }


Rule = Callable[[Case], bool]
RULES: dict[str, Rule] = {
    "the verdict": lambda c: c.adapts,
    "always adapt": lambda _: True,
    "never adapt": lambda _: False,
    "lower entropy": lambda c: c.after.entropy < c.before.entropy,
    "agreement under rotation": lambda c: c.after.d4_agreement > c.before.d4_agreement,
    "mutual information": lambda c: c.after.information > c.before.information,
}

TRIED: dict[str, Rule] = {
    "the verdict": lambda c: c.adapts,
    "the verdict without the alarm on temperature": (
        lambda c: judged(c.result, replace(c.after, temperature=None)).chosen == "adapted"
    ),
    "agreement falls by less than 0.02": lambda c: c.changes["agreement"] > -0.02,
    "temperature rises by less than a third": lambda c: c.changes["temperature"] > -math.log(4 / 3),
}
FITTED = (
    ("entropy",),
    ("agreement",),
    ("agreement", "hold-out"),
    ("agreement", "temperature"),
    ("entropy", "agreement"),
    ("entropy", "agreement", "prior shift"),
    ("entropy", "mutual information", "agreement", "hold-out", "prior shift", "temperature"),
)


def cases(results: Sequence[Result]) -> list[Case]:
    source_only_of, found = source_only(results), []
    for r in results:
        if r["row"] in UNADAPTED or ROWS[r["row"]].network:
            continue
        seen, before = r["verdict"], source_only_of(r)
        signals = Signals(**seen["source_only"]), Signals(**seen["adapted"])
        found.append(Case(r, *signals, (before["miou"], r["miou"]), (foreground(before), foreground(r))))
    return found


def foreground(result: Result) -> float:
    """Mean IoU of the classes that are not the ground everything lies on."""
    ious = [iou for name, iou in result["iou"].items() if name not in BACKGROUND and iou is not None]
    return statistics.mean(ious)


def correlation(chosen: Sequence[Case], signal: Callable[[Signals], float], which: str) -> float:
    """Spearman's rho between the change of a signal and the change of the true score."""
    truth = [getattr(c, which)[1] - getattr(c, which)[0] for c in chosen]
    change = [signal(c.after) - signal(c.before) for c in chosen]
    return float(spearmanr(change, truth, nan_policy="omit").statistic)


def interval(chosen: list[Case], measure: Callable[[list[Case]], float]) -> str:
    """A measure and its 90 % interval, bootstrapped over runs."""
    generator, drawn = np.random.default_rng(0), []
    for _ in range(DRAWS):
        value = measure([chosen[i] for i in generator.integers(len(chosen), size=len(chosen))])
        drawn.append(value)
    low, high = np.nanpercentile(drawn, [5, 95])
    return f"{measure(chosen):.2f} ({low:.2f} to {high:.2f})"


def hits(chosen: Sequence[Case], rule: Rule) -> float:
    """Share of the runs whose choice is right, or as good as the other."""
    return statistics.mean(abs(c.gain) < EVEN or rule(c) == (c.gain > 0) for c in chosen)


def regret(chosen: Sequence[Case], rule: Rule) -> float:
    """Points of mIoU lost on average by the choice."""
    return 100 * statistics.mean(c.regret(rule(c)) for c in chosen)


def section(title: str, chosen: list[Case]) -> Iterator[str]:
    helped = sum(c.gain > EVEN for c in chosen)
    hurt = sum(c.gain < -EVEN for c in chosen)
    yield f"## {title}"
    yield ""
    yield f"{len(chosen)} adapted models: {helped} better than source-only by over a point, {hurt} worse."
    yield ""
    yield "| signal, its change against source-only | rho with mIoU | rho with foreground IoU |"
    yield "|---|---|---|"
    for name, signal in SIGNALS.items():
        rho = [interval(chosen, lambda cs, w=which, s=signal: correlation(cs, s, w)) for which in SCORES]
        yield f"| {name} | {rho[0]} | {rho[1]} |"
    yield ""
    yield "| rule | right | regret in points |"
    yield "|---|---|---|"
    for name, rule in RULES.items():
        right = interval(chosen, lambda cs, r=rule: hits(cs, r))
        lost = interval(chosen, lambda cs, r=rule: regret(cs, r))
        yield f"| {name} | {right} | {lost} |"
    yield ""


SCORES = ("miou", "foreground")


def left_out(chosen: Sequence[Case], signs: Sequence[str]) -> Rule:
    """Adapt where a ridge regression of the gain on `signs` says more than 0, fitted on the other pairs."""
    adapts: dict[int, bool] = {}
    for pair in {c.result["pair"] for c in chosen}:
        others = [c for c in chosen if c.result["pair"] != pair]
        rows = np.array([[c.changes[sign] for sign in signs] for c in others])
        scale = np.sqrt((rows**2).mean(0))
        a, penalty = np.c_[np.ones(len(rows)), rows / scale], np.diag([0.0] + [1.0] * len(signs))
        weights = np.linalg.solve(a.T @ a + penalty, a.T @ [c.gain for c in others])
        for c in chosen:
            if c.result["pair"] == pair:
                own = np.array([c.changes[sign] for sign in signs]) / scale
                adapts[id(c)] = bool(weights[0] + own @ weights[1:] > 0)
    return lambda c: adapts[id(c)]


def tried(chosen: list[Case]) -> Iterator[str]:
    """Rules beside the one in use; what is fitted is fitted on the pairs that it does not judge."""
    fitted = {f"fitted: {', '.join(signs)}": left_out(chosen, signs) for signs in FITTED}
    yield "## Other rules, tried on the first group alone"
    yield ""
    yield "*worst*: points of mIoU that the worst model it would have picked loses. *fitted*: a ridge"
    yield "regression of the gain on these signs, each pair judged by a fit on the others."
    yield ""
    yield "| rule | right | regret in points | worst |"
    yield "|---|---|---|---|"
    for name, rule in (TRIED | fitted).items():
        worst = 100 * max(max(-c.gain if rule(c) else 0.0 for c in chosen), 0.0)
        right = interval(chosen, lambda cs, r=rule: hits(cs, r))
        lost = interval(chosen, lambda cs, r=rule: regret(cs, r))
        yield f"| {name} | {right} | {lost} | {worst:.1f} |"
    yield ""


def wrong(chosen: Sequence[Case]) -> Iterator[str]:
    yield "## Where it was wrong"
    yield ""
    yield "| pair | method | seed | source-only | adapted | it chose | because |"
    yield "|---|---|---|---|---|---|---|"
    for c in chosen:
        if abs(c.gain) >= EVEN and c.adapts != (c.gain > 0):
            r: dict[str, Any] = c.result
            verdict = judged(r)
            points = f"{100 * c.miou[0]:.1f} | {100 * c.miou[1]:.1f}"
            why = "; ".join(verdict.reasons)
            yield f"| {r['pair']} | {r['row']} | {r['seed']} | {points} | {verdict.chosen} | {why} |"
    yield ""


def reversed_validation(chosen: Sequence[Case]) -> Iterator[str]:
    """What `isthmus verify` adds, on the runs that were put to it."""
    tested = reverse.known()
    both = [(c, tested[key]) for c in chosen if (key := c.key) in tested]
    if not both:
        return
    sided = [c.gain > 0 for c, t in both if (t["gain"]["miou"] > 0) == (c.gain > 0)]
    rho = spearmanr([c.gain for c, _ in both], [t["gain"]["miou"] for _, t in both]).statistic
    yield "## Reverse validation"
    yield ""
    yield f"`python -m benchmarks.reverse`: {len(both)} runs, {both[0][1]['steps']} steps for each of two"
    yield f"networks. The sign of its gain is the true one in {len(sided)} of {len(both)}; rho of the two"
    yield f"gains {rho:.2f}."
    yield ""
    yield "| pair | method | true gain | its gain (90 %) | the verdict | with it |"
    yield "|---|---|---|---|---|---|"
    for c, t in both:
        gain = t["gain"]
        its = f"{100 * gain['miou']:+.1f} ({100 * gain['low']:+.1f} to {100 * gain['high']:+.1f})"
        choices = f"{'adapted' if c.adapts else 'source-only'} | {t['would_choose']['chosen']}"
        yield f"| {c.key[0]} | {c.key[1]} | {100 * c.gain:+.1f} | {its} | {choices} |"
    yield ""


def main() -> None:
    found = cases(known())
    lines_seen = RESULTS.read_text().splitlines()[:SEEN]
    seen = {(r["pair"], r["row"], r["seed"]) for r in map(json.loads, lines_seen)}
    later = [c for c in found if c.key not in seen]
    tuned = [c for c in found if c.result["pair"] in TUNED_ON and c.key in seen]
    other = [c for c in found if c.result["pair"] not in TUNED_ON and c.key in seen]
    models = len(found) + len({(c.result["pair"], c.result["seed"]) for c in found})
    lines = [
        "# Is the verdict right?",
        "",
        f"`python -m benchmarks.verdict`: {models} models of {len(found)} adapted runs, true scores from",
        "their maps on disk. Intervals (90 %) are bootstrapped over runs. *right*: the choice was the",
        f"better model, or the two were within {100 * EVEN:.0f} point of mIoU. The thresholds were set",
        "on the first group. What the records of some runs lack counts for the others alone (`python -m",
        "benchmarks.accuracy --judge` measures it where the run is there).",
        "",
        *section(f"Set on: {', '.join(TUNED_ON)}", tuned),
        *section("Tested on the other pairs", other),
        *section("Tested on what was run after the rule was set, on any pair", later),
        *tried(tuned),
        *reversed_validation(found),
        *wrong(found),
    ]
    (HERE / "verdict.md").write_text("\n".join(lines))
    print(f"wrote {HERE / 'verdict.md'}")


if __name__ == "__main__":
    main()
