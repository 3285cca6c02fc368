"""Did adapting help? A guarded choice between the adapted and the source-only model, without a label."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from core.judging.signals import Signals

Model = Literal["source-only", "adapted"]

HOLDOUT_DROP = 0.04
"""Most of the source hold-out mIoU that an adapted model may lose: it must still know its classes. One that
gains more than that on the same crops with the target's brightness may lose it: it left the source's look."""
AGREEMENT_DROP = 0.02
"""Most of the agreement between the answers to an image and to it turned that it may lose."""
ENTROPY_RISE = 0.02
"""Most by which its mean entropy may rise: less is no sign of harm. One that clearly knows its classes in the
target's look, or teaches a fresh network more, and has another sign, may rise further."""
OVERCONFIDENCE = 1.64
"""Temperature that its confidence may need at most to be true of held-out source, unless source-only needs
as much: past it a model is sure of what it gets wrong, and its entropy says nothing."""
SHARE_LOSS, SHARE_GAIN = 0.1, 4.0
"""A class's share of the map by which it vanished or flooded, as a factor on what was to be expected: on
the smaller (larger) of its share in source-only's map and in the source's labels. Either alone misleads,
the map because it is what adapting should mend, the labels because places differ."""


ABSENT = 0.005
"""Most of the map that a class which the target lacks may cover: stray pixels. Where source-only paints even
more of it, its map is no better a choice."""


@dataclass(frozen=True)
class Verdict:
    """The model chosen, how surely, and why in words; the figures it rests on."""

    chosen: Model
    sure: Literal["clear", "likely", "cannot tell"]
    reasons: list[str]
    source_only: dict[str, Any]
    adapted: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def text(self) -> str:
        return f"{self.chosen} ({self.sure}): " + "; ".join(self.reasons)


def choose(
    source_only: Signals,
    adapted: Signals,
    prior: list[float],
    names: list[str],
    expected: Mapping[str, float] | None = None,
    reverse: Mapping[str, float] | None = None,
) -> Verdict:
    """The guarded choice: alarms first, then whether anything speaks for the adapted model.

    A model that is clearly less sure of its classes is not taken on the other signs: a collapse into other
    classes can look steady, and rich in classes.
    `prior` are the class shares of the source's labels; where the user knows those of the target,
    `expected` has them by class, and they count instead. `reverse`: what the adapted
    model gained by reverse validation, if that was asked for, `miou` from `low` to `high`: a loss beyond
    doubt is an alarm, and a gain beyond doubt one more sign. So is a clear gain on held-out source with the
    target's brightness; either makes up for being less sure. One sign alone: the adapted model, as nothing
    speaks against it, but whether it helped cannot be told.
    """
    expected = expected or {}
    likely = [expected.get(name, share) for name, share in zip(names, prior, strict=True)]
    moved = _moved_gain(source_only, adapted)
    knows = moved > HOLDOUT_DROP
    alarms = _alarms(source_only, adapted, likely, names, knows)
    alarms += _absent(source_only, adapted, names, expected)
    alarms += _unteaching(reverse)
    gains = [
        source_only.entropy - adapted.entropy,
        adapted.d4_agreement - source_only.d4_agreement,
        adapted.information - source_only.information,
    ]
    taught = bool(reverse and reverse["low"] > 0)
    words = _words(source_only, adapted, gains)
    if knows:
        figure = f"{moved:+.3f} mIoU on held-out source"
        words.append(f"knows its classes better with the target's brightness ({figure})")
    if reverse and taught:
        words.append(f"teaches a fresh network more ({reverse['miou']:+.3f} mIoU on held-out source)")
    votes = sum(gain > 0 for gain in gains)
    signs = votes + taught + knows
    unsure = gains[0] < -ENTROPY_RISE and not ((taught or knows) and signs > 1)
    record = (source_only.to_dict(), adapted.to_dict())
    if alarms:
        return Verdict("source-only", "likely", alarms, *record)
    if votes == len(gains):
        return Verdict("adapted", "clear", words, *record)
    if unsure or not signs:
        return Verdict("source-only", "cannot tell" if signs else "likely", words, *record)
    return Verdict("adapted", "likely" if signs > 1 else "cannot tell", words, *record)


def _words(source_only: Signals, adapted: Signals, gains: list[float]) -> list[str]:
    """What the adapted model is, beside source-only, in an analyst's words: a line for each gain."""
    better = ("surer of its classes", "steadier when the image is turned", "sure of more different classes")
    worse = ("less sure of its classes", "less steady when the image is turned", "sure of fewer classes")
    figures = (
        f"entropy {source_only.entropy:.3f} to {adapted.entropy:.3f}",
        f"{source_only.d4_agreement:.1%} to {adapted.d4_agreement:.1%} of pixels keep their class",
        f"mutual information {source_only.information:.3f} to {adapted.information:.3f}",
    )
    return [
        f"{up if gain > 0 else down if gain < 0 else f'no {up}'} ({figure})"
        for gain, up, down, figure in zip(gains, better, worse, figures, strict=True)
    ]


def _alarms(
    source_only: Signals, adapted: Signals, prior: list[float], names: list[str], knows: bool
) -> list[str]:
    """`knows`: whether the adapted model clearly knows its classes better in the target's look."""
    alarms = []
    drop = source_only.holdout_miou - adapted.holdout_miou
    if drop > HOLDOUT_DROP and not knows:
        alarms.append(f"adapting cost {drop:.2f} mIoU on held-out source blocks")
    unsteadier = source_only.d4_agreement - adapted.d4_agreement
    if unsteadier > AGREEMENT_DROP:
        alarms.append(f"{unsteadier:.1%} fewer pixels keep their class when the image is turned")
    before, after = source_only.temperature, adapted.temperature
    if before is not None and after is not None and after > max(OVERCONFIDENCE, before):
        alarms.append(f"surer than right on held-out source blocks (temperature {before:.2f} to {after:.2f})")
    for name, was, now, labelled in zip(names, source_only.shares, adapted.shares, prior, strict=True):
        if now < SHARE_LOSS * min(was, labelled):
            alarms.append(f"{name} nearly vanished from the map ({was:.1%} to {now:.1%})")
        if now > SHARE_GAIN * max(was, labelled):
            alarms.append(f"{name} flooded the map ({was:.1%} to {now:.1%})")
    return alarms


def _moved_gain(source_only: Signals, adapted: Signals) -> float:
    """Held-out mIoU gained with the target's brightness; 0 where that was not measured."""
    before, after = source_only.holdout_moved_miou, adapted.holdout_moved_miou
    if before is None or after is None:
        return 0.0
    return after - before


def _unteaching(reverse: Mapping[str, float] | None) -> list[str]:
    if not reverse or reverse["high"] >= 0:
        return []
    return [f"a fresh network learns less from its map ({reverse['miou']:+.3f} mIoU on held-out source)"]


def _absent(
    source_only: Signals, adapted: Signals, names: list[str], expected: Mapping[str, float]
) -> list[str]:
    """Classes that the target lacks, as the user knows, and that adapting painted: no less than before."""
    shares = zip(names, source_only.shares, adapted.shares, strict=True)
    return [
        f"{name} is said to be absent and covers {after:.1%} of the map ({before:.1%} without adapting)"
        for name, before, after in shares
        if expected.get(name) == 0 and after > max(ABSENT, before)
    ]
