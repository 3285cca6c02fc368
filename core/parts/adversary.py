"""The output-space adversary: a discriminator, its optimiser, and its two losses (Tsai et al. 2018)."""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from core.bench import Bench
from core.networks.discriminator import Discriminator, cells_valid

SOURCE, TARGET = 0.0, 1.0
"""Domain labels as in the authors' code; the paper has them the other way round, which is the same."""

Gan = Literal["bce", "lsgan"]


class Adversary:
    """Tells source maps from target maps; the segmentor learns to fool it.

    Its input is a map (b, k, h, w) such as the softmax of logits at image size. Cells with less than
    half of their pixels valid count in neither loss, and invalid pixels are 0 in both domains, so
    that nodata never tells the domains apart.
    """

    def __init__(self, bench: Bench, channels: int, lr: float = 1e-4, gan: Gan = "bce", width: int = 64) -> None:
        self.bench, self.gan = bench, gan
        with bench.seeded("discriminator"):
            self.network = bench.place(Discriminator(channels, width))
        adam = torch.optim.Adam(self.network.parameters(), lr=lr, betas=(0.9, 0.99))
        self.optimizer = bench.scheduled(adam)

    def fool(self, target_map: Tensor, valid: Tensor) -> Tensor:
        """The loss that makes target maps look like source ones: gradients flow to the maps alone."""
        self.network.requires_grad_(False)
        loss = self._loss(target_map, valid, SOURCE)
        self.network.requires_grad_(True)
        return loss

    def learn(self, source_map: Tensor, source_valid: Tensor, target_map: Tensor, target_valid: Tensor) -> Tensor:
        """One step of the discriminator on detached maps; returns its loss (BCE: 0.693 is a coin toss)."""
        self.optimizer.zero_grad()
        source = self.bench.backward(0.5 * self._loss(source_map.detach(), source_valid, SOURCE))
        target = self.bench.backward(0.5 * self._loss(target_map.detach(), target_valid, TARGET))
        self.bench.step(self.optimizer)
        return source + target

    def _loss(self, map_: Tensor, valid: Tensor, domain: float) -> Tensor:
        verdict = self.network(map_ * valid.unsqueeze(1))
        counted = cells_valid(valid, verdict)
        truth = torch.full_like(verdict, domain)
        if self.gan == "bce":
            each = F.binary_cross_entropy_with_logits(verdict, truth, reduction="none")
        else:
            each = F.mse_loss(verdict, truth, reduction="none")
        return (each * counted).sum() / counted.sum().clamp(min=1)

    def state_dict(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
