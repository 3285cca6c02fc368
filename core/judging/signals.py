"""What can be known of a model on the target without a label (and on the source's held-out part with one)."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from core.bench import SOURCE, TARGET, Bench
from core.draws import rng
from core.events import Progressed
from core.imagery import orientations
from core.imagery.data import Sample
from core.imagery.fourier import swap_amplitude
from core.judging.calibration import Answers
from core.judging.metrics import Confusion, Scores
from core.mapping.predictor import evaluating

CROPS = 48
"""Fixed crops of each domain: enough for shares to about a percent, quick on a CPU."""
TURNED = 5
"""The orientation that answers are compared in: a quarter turn, mirrored."""


@dataclass(frozen=True)
class Signals:
    """Label-free measures of one model on fixed target crops.

    entropy: mean entropy in [0, 1]. information: mutual information H(mean p) - mean H(p), in [0, 1].
    d4_agreement: share of pixels whose class survives a quarter turn and a flip of the image.
    shares: predicted class shares. prior_shift: how far they are from those to be expected (0 to 1).
    holdout: source scores on held-out blocks; there too how far confidence is from accuracy, as it is and
    with the temperature that suits best, and the reliability diagram's bins (confidence, accuracy, share).
    holdout_moved_miou: on the same crops with the means of target crops in each band, as the target's haze
    and light would show them (Yang & Soatto 2020). None: nothing to measure.
    """

    entropy: float
    information: float
    d4_agreement: float
    shares: list[float]
    confidence: float
    holdout_miou: float
    holdout_iou: dict[str, float | None]
    holdout_moved_miou: float | None = None
    prior_shift: float | None = None
    calibration_error: float | None = None
    calibration_error_tempered: float | None = None
    temperature: float | None = None
    reliability: list[list[float]] | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Measured:
    """A model's signals, and its target classes (n, h, w) uint8, 255 under nodata, to compare models by."""

    signals: Signals
    classes: Tensor


class Crops(NamedTuple):
    """What models are measured on: target crops, and crops of the source's held-out blocks."""

    target: list[Sample]
    held: list[Sample]


def fixed_crops(bench: Bench, limit: int) -> Crops:
    """Up to `limit` crops of each domain, the same for every model of a job and seed."""
    target, source = bench.domains[TARGET], bench.domains[SOURCE]
    return Crops(
        target.fixed_crops(rng(bench.job.seed, "signals"), limit),
        source.held_out_crops(rng(bench.job.seed, "held-out"), limit),
    )


def measure_signals(
    bench: Bench, model: nn.Module, crops: Crops | None = None, *, both_looks: bool = True
) -> Measured:
    """What `measuring` finds."""
    *_, found = measuring(bench, model, crops, both_looks=both_looks)
    assert isinstance(found, Measured)
    return found


def measuring(
    bench: Bench, model: nn.Module, crops: Crops | None = None, what: str = "", *, both_looks: bool = True
) -> Iterator[Progressed | Measured]:
    """Run a model over `crops`, by default as many fixed ones as a verdict asks for; over those held out in
    the target's look too, if in `both_looks`. Yields progress after each batch, and last what was found."""
    crops, size = crops or fixed_crops(bench, CROPS), bench.job.sampling.batch
    tally, answers = _Tally(bench.classes), Answers()
    as_is, moved = Confusion(bench.classes), Confusion(bench.classes)
    looks = itertools.cycle(crops.target)
    seen, held = parts(crops.target, size), parts(crops.held, size)
    classes: list[Tensor] = []
    with evaluating(model):
        for part in seen:
            classes.append(tally.add(*_both_views(bench, model, part)))
            yield Progressed(what=what, done=len(classes), total=len(seen) + len(held))
        for n, part in enumerate(held, len(seen) + 1):
            batch = bench.batch(SOURCE, part)
            found = probabilities(model, batch.image)
            as_is.add(batch.label.cpu().numpy(), found.argmax(1).cpu().numpy())
            answers.add(found, batch.label)
            if both_looks:
                like = bench.batch(TARGET, list(itertools.islice(looks, len(part))))
                found = probabilities(model, swap_amplitude(batch, like, beta=0.0).image)
                moved.add(batch.label.cpu().numpy(), found.argmax(1).cpu().numpy())
            yield Progressed(what=what, done=n, total=len(seen) + len(held))
    names = bench.job.legend.names
    signals = tally.signals(as_is.scores(names))
    more = {"holdout_moved_miou": moved.scores(names)["miou"], **_calibration(answers)}
    shift = distance(signals.shares, likely_shares(bench))
    yield Measured(replace(signals, prior_shift=shift, **more), torch.cat(classes))


def _calibration(answers: Answers) -> dict[str, Any]:
    if not len(answers):
        return {}
    temperature = answers.temperature()
    return {
        "calibration_error": answers.error(),
        "calibration_error_tempered": answers.error(temperature),
        "temperature": temperature,
        "reliability": [list(each) for each in answers.bins()],
    }


def source_shares(bench: Bench) -> list[float]:
    """Class shares of the source's trainable labels."""
    pixels = bench.domains[SOURCE].class_pixels
    return [float(share) for share in pixels / pixels.sum()]


def likely_shares(bench: Bench) -> list[float]:
    """The class shares to be expected of the target: the user's where there are any, else the source's."""
    expected = bench.job.expected_shares or {}
    return [
        expected.get(name, share)
        for name, share in zip(bench.job.legend.names, source_shares(bench), strict=True)
    ]


def distance(a: Sequence[float], b: Sequence[float]) -> float:
    """The Jensen-Shannon distance of two sets of shares, which need not add up to 1: 0 equal, 1 disjoint."""
    p, q = (torch.tensor(each, dtype=torch.float64) for each in (a, b))
    p, q = p / p.sum().clamp_min(1e-12), q / q.sum().clamp_min(1e-12)
    mean = (p + q) / 2
    divergence = (torch.xlogy(p, p) + torch.xlogy(q, q)).sum() / 2 - torch.xlogy(mean, mean).sum()
    return math.sqrt(max(float(divergence) / math.log(2), 0.0))


def disagreement(a: Tensor, b: Tensor) -> float:
    """Share of pixels on which two models' classes (n, h, w) of the same crops differ."""
    both = (a < 255) & (b < 255)
    return float(((a != b) & both).sum() / both.sum().clamp(min=1))


@torch.no_grad()
def probabilities(model: nn.Module, image: Tensor) -> Tensor:
    probabilities: Tensor = torch.softmax(model(image).logits.float(), 1)
    return probabilities


def _both_views(bench: Bench, model: nn.Module, samples: Sequence[Sample]) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilities of the crops, of the crops turned and flipped (turned back), and validity."""
    batch = bench.batch(TARGET, samples)
    straight = probabilities(model, batch.image)
    turned = probabilities(model, orientations.turn(batch.image, TURNED))
    return straight, orientations.turn_back(turned, TURNED), batch.valid


def parts(samples: Sequence[Sample], size: int) -> list[Sequence[Sample]]:
    return [samples[i : i + size] for i in range(0, len(samples), size)]


class _Tally:
    """Sums over valid pixels, batch by batch."""

    def __init__(self, classes: int) -> None:
        self.k = classes
        self.mean = torch.zeros(classes, dtype=torch.float64)
        self.counts = torch.zeros(classes, dtype=torch.float64)
        self.entropy = self.agree = self.confidence = self.pixels = 0.0

    def add(self, p: Tensor, turned: Tensor, valid: Tensor) -> Tensor:
        """Count one batch; returns its classes (b, h, w) uint8, 255 where invalid."""
        chosen, other = (each.permute(0, 2, 3, 1)[valid].cpu() for each in (p, turned))
        chosen = chosen.double()  # on the CPU: not every device has it
        self.pixels += len(chosen)
        self.mean += chosen.sum(0)
        self.entropy += float(-(chosen * torch.log(chosen + 1e-30)).sum())
        self.confidence += float(chosen.amax(1).sum())
        self.agree += float((chosen.argmax(1) == other.argmax(1)).sum())
        self.counts += torch.bincount(chosen.argmax(1), minlength=self.k)
        return torch.where(valid, p.argmax(1), 255).to(torch.uint8).cpu()

    def signals(self, holdout: Scores) -> Signals:
        n = max(self.pixels, 1.0)
        mean = self.mean / n
        entropy = self.entropy / n / math.log(self.k)
        marginal = float(-(mean * torch.log(mean + 1e-30)).sum()) / math.log(self.k)
        return Signals(
            entropy=entropy,
            information=marginal - entropy,
            d4_agreement=self.agree / n,
            shares=[float(c) / n for c in self.counts],
            confidence=self.confidence / n,
            holdout_miou=holdout["miou"] or 0.0,
            holdout_iou={name: found["iou"] for name, found in holdout["classes"].items()},
        )
