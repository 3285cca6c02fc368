"""Gradual class weights: what is rare in the source counts more (UDA_for_RS, Li et al. 2022)."""

import math

import torch
from torch import Tensor

from core.networks.outputs import Batch
from geo_io.legend import IGNORE


class GradualClassWeights:
    """(k,) weights with mean 1 that follow k x softmax((1 - f) / temperature), f the class shares of a crop.

    A running mean that keeps `momentum` of its past, since one crop knows little of the whole. Where a
    class would weigh more than `most_ratio` times another, the crop's temperature is raised: the paper's
    0.1 is for shares of six classes, and silences the larger of two.
    """

    def __init__(
        self,
        classes: int,
        device: torch.device,
        temperature: float = 0.1,
        momentum: float = 0.9,
        most_ratio: float | None = None,
    ) -> None:
        self.weights = torch.ones(classes, device=device)
        self.temperature, self.momentum, self.most_ratio = temperature, momentum, most_ratio

    @torch.no_grad()
    def weigh(self, batch: Batch) -> Batch:
        """The batch with its pixels weighed by class, for each crop by the running mean with that crop taken
        in. The running mean then goes on from those of all crops."""
        known = batch.label != IGNORE
        each = self._follow(batch.label, known)
        weight = each.gather(1, torch.where(known, batch.label, 0).flatten(1)).view_as(batch.weight)
        self.weights = each.mean(0)
        return batch._replace(weight=batch.weight * weight)

    def _follow(self, label: Tensor, known: Tensor) -> Tensor:
        """(b, h, w) -> (b, k): the running mean after each crop; as it was where nothing is labelled."""
        classes = len(self.weights)
        counts = torch.stack([
            torch.bincount(one[there], minlength=classes) for one, there in zip(label, known, strict=True)
        ])  # fmt: skip
        labelled = counts.sum(1, keepdim=True)
        rarity = 1 - counts / labelled.clamp(min=1)
        now = classes * torch.softmax(rarity / self._temperatures(rarity), 1)
        now = torch.where(labelled > 0, now, self.weights)
        return self.momentum * self.weights + (1 - self.momentum) * now

    def _temperatures(self, rarity: Tensor) -> Tensor:
        """(b, k) -> (b, 1): `temperature`, or what keeps the weights within `most_ratio`."""
        spread = (rarity.amax(1) - rarity.amin(1)).unsqueeze(1)
        least = spread / math.log(self.most_ratio) if self.most_ratio else torch.zeros_like(spread)
        return least.clamp(min=self.temperature)

    def state_dict(self) -> dict[str, Tensor]:
        return {"weights": self.weights}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.weights = state["weights"].to(self.weights)
