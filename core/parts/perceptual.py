"""What a segmentor at rest sees in an image must survive its translation (BDL: Li et al. 2019, eq. 3)."""

import copy
from typing import Literal

import torch
from torch import Tensor, nn

from core.networks.instance_norm import instance_norm
from core.networks.outputs import Batch
from core.parts.cyclegan import Translated

Measure = Literal["probabilities", "normalised"]


class Perceptual:
    """Distance between a frozen network's answers to crops and to their translations, both ways.

    `translated` weighs a crop against the same in the other domain's look, `again` against the same
    translated there and back. `measure`: `probabilities`, the absolute difference of class probabilities,
    summed over the classes, as in the paper; `normalised`, the squared difference of logits of which each
    class has mean 0 and variance 1 over an image, as in the authors' code. Nodata counts in neither.
    """

    def __init__(
        self,
        network: nn.Module,
        translated: float = 0.1,
        again: float = 10.0,
        measure: Measure = "probabilities",
    ) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.translated, self.again, self.measure = translated, again, measure

    def __call__(self, source: Batch, target: Batch, made: Translated) -> Tensor:
        """The weighted loss; it has gradients for the images made, and none for the network."""
        total = torch.zeros((), device=source.image.device)
        for batch, there, back in (
            (source, made.as_target, made.source_again),
            (target, made.as_source, made.target_again),
        ):
            with torch.no_grad():
                seen = self._seen(batch.image, batch.valid)
            for weight, image in ((self.translated, there), (self.again, back)):
                if weight:
                    total = total + weight * self._distance(seen, self._seen(image, batch.valid), batch.valid)
        return total

    def _seen(self, image: Tensor, valid: Tensor) -> Tensor:
        logits: Tensor = self.network(image).logits
        if self.measure == "normalised":
            return instance_norm(logits, valid.unsqueeze(1).float())
        return torch.softmax(logits, 1)

    def _distance(self, a: Tensor, b: Tensor, valid: Tensor) -> Tensor:
        each = (a - b).square().mean(1) if self.measure == "normalised" else (a - b).abs().sum(1)
        return (each * valid).sum() / valid.sum().clamp(min=1)
