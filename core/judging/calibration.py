"""Is a model right as often as it says it is? Reliability, and the temperature that mends it.

Guo et al. 2017, "On calibration of modern neural networks" (ICML). A temperature T divides the logits: it
changes how sure a model says it is, never the class. Fitted on held-out source it need not hold on the
target (Ovadia et al. 2019, "Can you trust your model's uncertainty?"): check labels, if any, measure that.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from geo_io.legend import IGNORE

BINS = 15
PIXELS = 2000
"""Labelled pixels of a crop that are looked at, evenly spread: its neighbours say the same."""
LIMIT = 20.0
"""Temperatures are between a 20th and 20: beyond, a model is always right or never sure."""


class Bin(NamedTuple):
    """Pixels of about the same confidence: its mean, the share of them that is right, and of all pixels."""

    confidence: float
    accuracy: float
    share: float


@dataclass
class Answers:
    """A model's log probabilities (n, k) of labelled pixels and their labels (n,), gathered by `add`."""

    _answers: list[Tensor] = field(default_factory=list)
    _labels: list[Tensor] = field(default_factory=list)

    def add(self, probabilities: Tensor, label: Tensor) -> None:
        """(b, k, h, w), (b, h, w) with 255 where nothing is known."""
        for p, true in zip(probabilities, label, strict=True):
            known = true != IGNORE
            every = max(-(-int(known.sum()) // PIXELS), 1)
            answers = p.permute(1, 2, 0)[known][::every].cpu()  # before it: not every device has float64
            self._answers.append(answers.double().clamp_min(1e-12).log())
            self._labels.append(true[known][::every].cpu())

    def __len__(self) -> int:
        return sum(map(len, self._labels))

    @property
    def log_p(self) -> Tensor:
        return torch.cat(self._answers)

    @property
    def label(self) -> Tensor:
        return torch.cat(self._labels)

    def bins(self, temperature: float = 1.0) -> list[Bin]:
        """The reliability diagram: bins of equal width that hold any pixel, the least sure first."""
        sure, chosen = torch.softmax(self.log_p / temperature, 1).max(1)
        right, at = (chosen == self.label).double(), (sure * BINS).long().clamp(max=BINS - 1)
        found = [(sure[at == b], right[at == b]) for b in range(BINS)]
        n = len(self)
        return [Bin(float(s.mean()), float(r.mean()), len(s) / n) for s, r in found if len(s)]

    def error(self, temperature: float = 1.0) -> float:
        """The expected calibration error: how far accuracy is from confidence, over all pixels."""
        return sum(share * abs(sure - right) for sure, right, share in self.bins(temperature))

    def temperature(self) -> float:
        """The temperature of the least cross-entropy, which is convex in 1 / T: found by bisection."""
        log_p, picked = self.log_p, self.label[:, None]
        low, high = -1.0, 1.0
        for _ in range(30):
            middle = (low + high) / 2
            mean = (torch.softmax(log_p * LIMIT**middle, 1) * log_p).sum(1)
            slope = float((mean - log_p.gather(1, picked)[:, 0]).mean())
            low, high = (middle, high) if slope < 0 else (low, middle)
        return float(LIMIT ** -((low + high) / 2))
