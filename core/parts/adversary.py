"""The adversary: discriminators, their optimisers, and the two losses (Tsai et al. 2018).

Of predictions (output space) by default, of the encoder's features where a method asks for that.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.bench import Bench
from core.card import Healthy
from core.errors import BadInput
from core.networks.discriminator import Discriminator, cells_valid
from core.networks.outputs import Outputs

SOURCE, TARGET = 0.0, 1.0
"""Domain labels as in the authors' code; the paper has them the other way round, which is the same."""

Gan = Literal["bce", "lsgan"]
FAIR = Healthy(
    0.2, 0.72, "0.69 is a coin toss, 0.2 to 0.5 what long trainings have, and near 0 the adversary wins"
)
FAIR_LSGAN = Healthy(0.12, 0.27, "an even match: 0.25 is a coin toss, and near 0 the adversary wins")
View = Callable[[Tensor], Tensor]
Maps = Callable[[Outputs], list[Tensor]]


def predictions(outputs: Outputs) -> list[Tensor]:
    """The logits of the main prediction and of each auxiliary head: output-space alignment."""
    return [outputs.logits, *outputs.heads]


def encoded(outputs: Outputs) -> list[Tensor]:
    """The encoder's last features: feature-space alignment."""
    assert outputs.features is not None
    return [outputs.features]


def in_use(levels: list[Tensor], count: int) -> list[Tensor]:
    """The first `count` levels. Raises BadInput where the network has not as many heads."""
    if len(levels) < count:
        raise BadInput(
            "method.options.levels", "multi needs an auxiliary head", "use network.decoder: deeplabv2"
        )
    return levels[:count]


def softmax(logits: Tensor) -> Tensor:
    """(b, k, h, w) -> same: AdaptSegNet's view of a prediction."""
    return torch.softmax(logits, 1)


class Adversary:
    """Tells source predictions from target predictions; the segmentor learns to fool it.

    `weights` are those of the fooling loss: the main prediction's, then one for each auxiliary head
    in use; every level has a discriminator of its own, made by `make`. `maps` picks a tensor a level
    from the segmentor's outputs, and `view` turns it into what the discriminator sees. Cells with less
    than half of their pixels valid count in neither loss, and invalid pixels are 0 in both domains, so
    that nodata never tells the domains apart. `steady`: its learning rate is not the schedule's, but stays.
    """

    def __init__(
        self,
        bench: Bench,
        weights: Sequence[float],
        view: View = softmax,
        lr: float = 1e-4,
        gan: Gan = "bce",
        width: int = 64,
        maps: Maps = predictions,
        make: Callable[[], nn.Module] | None = None,
        steady: bool = False,
    ) -> None:
        self.bench, self.weights, self.view, self.gan, self.maps = bench, weights, view, gan, maps
        made = make or partial(Discriminator, bench.classes, width)
        with bench.seeded("discriminator"):
            self.networks = bench.place(nn.ModuleList(made() for _ in weights))
        adam = torch.optim.Adam(self.networks.parameters(), lr=lr, betas=(0.9, 0.99))
        self.optimizer = bench.scheduled(adam)
        self.factor = 1.0 if steady else None

    @property
    def name(self) -> str:
        """Of its loss: the two kinds are not on one scale."""
        return "discriminator" if self.gan == "bce" else f"discriminator_{self.gan}"

    def fool(self, target: Outputs, valid: Tensor) -> Tensor:
        """The weighted loss that makes target maps look like source ones; discriminators get no gradient."""
        self.networks.requires_grad_(False)
        each = zip(self.weights, self.networks, self._levels(target), strict=True)
        loss = sum((w * self._loss(d, level, valid, SOURCE) for w, d, level in each), torch.zeros(()))
        self.networks.requires_grad_(True)
        return loss

    def learn(self, source: Outputs, source_valid: Tensor, target: Outputs, target_valid: Tensor) -> Tensor:
        """One step on detached maps; returns the main level's loss (BCE: 0.693 is a coin toss)."""
        self.optimizer.zero_grad()
        caught = [
            self.bench.backward(0.5 * self._loss(d, seen.detach(), source_valid, SOURCE))
            + self.bench.backward(0.5 * self._loss(d, unseen.detach(), target_valid, TARGET))
            for d, seen, unseen in zip(self.networks, self._levels(source), self._levels(target), strict=True)
        ]
        self.bench.step(self.optimizer, self.factor)
        return caught[0]

    def _levels(self, outputs: Outputs) -> list[Tensor]:
        return in_use(self.maps(outputs), len(self.weights))

    @torch.no_grad()
    def told(self, source: Outputs, source_valid: Tensor, target: Outputs, target_valid: Tensor) -> Tensor:
        """Share of the cells whose domain the main level's discriminator tells, over all devices; 0.5 is a
        coin toss."""
        right = torch.zeros((), device=source_valid.device)
        for outputs, valid, domain in ((source, source_valid, SOURCE), (target, target_valid, TARGET)):
            verdict, counted = self._verdict(self.networks[0], self._levels(outputs)[0], valid)
            correct = (verdict > self._middle) == (domain > 0.5)
            right = right + 0.5 * (correct * counted).sum() / counted.sum().clamp(min=1)
        mean = self.bench.fabric.all_reduce(right, reduce_op="mean")
        assert isinstance(mean, Tensor)
        return mean

    @property
    def _middle(self) -> float:
        """The score that says neither domain: a logit, or halfway between the two labels."""
        return 0.0 if self.gan == "bce" else 0.5

    def _verdict(self, discriminator: nn.Module, level: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """The score of every cell, and which cells count."""
        map_ = self.view(level)
        map_ = map_ * cells_valid(valid, map_)
        with self.bench.autocast():
            verdict = discriminator(map_)
        verdict = verdict.float()
        return verdict, cells_valid(valid, verdict)

    def _loss(self, discriminator: nn.Module, level: Tensor, valid: Tensor, domain: float) -> Tensor:
        verdict, counted = self._verdict(discriminator, level, valid)
        truth = torch.full_like(verdict, domain)
        if self.gan == "bce":
            each = F.binary_cross_entropy_with_logits(verdict, truth, reduction="none")
        else:
            each = F.mse_loss(verdict, truth, reduction="none")
        return (each * counted).sum() / counted.sum().clamp(min=1)

    def state_dict(self) -> dict[str, Any]:
        return {"networks": self.networks.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.networks.load_state_dict(state["networks"])
        self.optimizer.load_state_dict(state["optimizer"])
