"""How far to trust a teacher's label, pixel by pixel."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from geo_io.legend import IGNORE

BINS = 4096
TrustScope = Literal["image", "batch"]


class Pseudo(NamedTuple):
    """label (b, h, w) int64, 255 where there is none; weight (b, h, w) in [0, 1]."""

    label: Tensor
    weight: Tensor


def image_trust(
    probabilities: Tensor, valid: Tensor, threshold: float = 0.968, scope: TrustScope = "image"
) -> Pseudo:
    """One weight an image, or one for all of them: the share of valid pixels at or above `threshold`.

    Per image as in the papers (DACS, DAFormer), per batch as in their code.
    """
    confidence, label = probabilities.max(1)
    sure, seen = ((confidence >= threshold) & valid).flatten(1).sum(1), valid.flatten(1).sum(1)
    if scope == "batch":
        sure, seen = sure.sum().expand_as(sure), seen.sum().expand_as(seen)
    weight = (sure / seen.clamp(min=1)).view(-1, 1, 1).expand_as(confidence)
    return Pseudo(torch.where(valid, label, IGNORE), weight * valid)


class ClassTrust:
    """Class-wise thresholds min(median confidence of the class, cap), followed online (BDL, Li et al. 2019).

    Every class keeps its surer half, so rare ones are not silenced by one threshold for all. The
    confidences of each predicted class are kept as a histogram of 4096 bins whose past fades by
    `fade` an update. It lies on the CPU: Apple's devices have no float64.
    """

    def __init__(self, classes: int, cap: float = 0.9, quantile: float = 0.5, fade: float = 0.98) -> None:
        self.histogram = torch.zeros(classes, BINS, dtype=torch.float64)
        self.cap, self.quantile, self.fade = cap, quantile, fade

    @torch.no_grad()
    def learn(self, probabilities: Tensor, valid: Tensor) -> None:
        """Count the confidences of a batch, (b, k, h, w) and (b, h, w)."""
        confidence, label = probabilities.max(1)
        self.histogram *= self.fade
        cell = label[valid] * BINS + (confidence[valid] * BINS).long().clamp(max=BINS - 1)
        counts = torch.bincount(cell, minlength=self.histogram.numel())
        self.histogram += counts.cpu().view_as(self.histogram)

    @property
    def thresholds(self) -> Tensor:
        """(k,): min(quantile of the class's confidences, cap); 0 for a class never predicted."""
        share = self.histogram.cumsum(1) / self.histogram.sum(1, keepdim=True).clamp(min=1e-12)
        middle = (share < self.quantile).sum(1).clamp(max=BINS - 1) / BINS
        return torch.where(self.histogram.sum(1) > 0, middle.clamp(max=self.cap), 0.0)

    @torch.no_grad()
    def label(self, probabilities: Tensor, valid: Tensor) -> Pseudo:
        """Labels where the class's threshold is reached, 255 elsewhere; weight 1 on every labelled pixel."""
        confidence, label = probabilities.max(1)
        trusted = valid & (confidence >= self.thresholds.float().to(label.device)[label])
        return Pseudo(torch.where(trusted, label, IGNORE), trusted.float())

    def state_dict(self) -> dict[str, Tensor]:
        return {"histogram": self.histogram}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.histogram.copy_(state["histogram"])
