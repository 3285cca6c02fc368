"""What else a run has shown of its two models, in words: it informs whoever looks, and decides nothing."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.events import Evaluated
from core.journal import read

SETTLED = 0.01
"""Training has settled where fewer pixels than this change class from probe to probe, `CHECKS` times."""
CHECKS = 3
NEARLY = 0.005
"""Distances of class shares that differ by less are as good as equal."""


def changes(folder: Path, stage: str) -> list[float]:
    """The last shares of target pixels that changed class from probe to probe, as the journal has them."""
    found = {
        (event.phase, event.step): event.scores["changed"]
        for event in read(folder)
        if isinstance(event, Evaluated) and event.what == f"{stage} so far" and "changed" in event.scores
    }
    return list(found.values())[-CHECKS:]


def evidence(verdict: Mapping[str, Any]) -> list[str]:
    """The sentences that the figures of a verdict allow; what was not measured is passed over."""
    if "adapted" not in verdict:
        return list(_calibrated(verdict.get("source_only", {})))
    before, after = verdict["source_only"], verdict["adapted"]
    return [
        *_disagreement(verdict.get("disagreement")),
        *_shares(before, after, bool(verdict.get("expected_shares"))),
        *_settled(verdict.get("changes", [])),
        *_calibrated(after),
        *_reverse(verdict.get("reverse")),
    ]


def _disagreement(share: float | None) -> Iterator[str]:
    if share is not None:
        yield f"the two models disagree on {share:.1%} of the target"


def _shares(before: Mapping[str, Any], after: Mapping[str, Any], expected: bool) -> Iterator[str]:
    was, now = before.get("prior_shift"), after.get("prior_shift")
    if was is None or now is None:
        return
    than = "those expected" if expected else "the source's"
    how = "as near to" if abs(now - was) < NEARLY else "nearer to" if now < was else "further from"
    yield f"adapting brought the class shares {how} {than} (distance {was:.3f} to {now:.3f})"


def _settled(shares: Sequence[float]) -> Iterator[str]:
    if not shares:
        return
    listed = ", ".join(f"{share:.1%}" for share in shares)
    if len(shares) == CHECKS and max(shares) < SETTLED:
        yield f"training had settled: of the target only {listed} changed class between the last probes"
    else:
        yield f"training had not settled: {listed} of the target changed class between the last probes"


def _calibrated(signals: Mapping[str, Any]) -> Iterator[str]:
    error, mended = signals.get("calibration_error"), signals.get("calibration_error_tempered")
    if error is None or mended is None:
        return
    yield (
        f"on held-out source its confidence is off by {error:.1%} on average, by {mended:.1%} "
        f"at temperature {signals['temperature']:.2f}; on the target it can be worse"
    )


def _reverse(found: Mapping[str, Any] | None) -> Iterator[str]:
    if not found:
        return
    gain, would = found["gain"], found["would_choose"]
    yield (
        f"reverse validation: a fresh network learns {found['adapted']['miou']:.1%} mean IoU of the source "
        f"from the adapted map and {found['source_only']['miou']:.1%} from source-only's "
        f"(difference {gain['low']:+.1%} to {gain['high']:+.1%}); with it the choice would be "
        f"{would['chosen']} ({would['sure']})"
    )
