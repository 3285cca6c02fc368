"""FDA: give source crops the look of target crops by swapping low frequencies (Yang & Soatto, CVPR 2020).

The amplitude of the lowest frequencies makes the look of an image, the phases its shapes. A source
crop with a target crop's low-frequency amplitude keeps its labels, and the segmentor learns it, while a
penalty on uncertain target pixels, a Charbonnier function of their entropy, draws the boundary between
classes away from the target's pixels.

Several `betas`, the sizes of the swapped window, are the paper's multi-band transfer: a network is
trained for each, all from the initial weights, and the mean of their softmax labels the target for the
networks of the next of `rounds`. The last round trains one network, the one that makes the map.

Departures: crops are standardised by their own domain first, and their means are swapped, not the
means' amplitudes; by default nothing else is, as low frequencies of small crops are layout. Nodata
counts in no spectrum and no loss. Target labels are made as crops are drawn, with thresholds that
settle within a round. The paper's map is the mean of its last networks.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from core.bench import Bench, Losses
from core.card import Card
from core.imagery.fourier import swap_amplitude
from core.networks.segmentor import Segmentor
from core.options import Options as Base
from core.parts.losses import cross_entropy, self_information
from core.parts.pseudo_labels import ClassTrust
from core.phases import Phase

CARD = Card(
    cost="one and a half to two times source-only's time a step; rounds divide the steps among networks",
    use="when the places differ in light, haze or sensor rather than in what is there",
    kind="Translation",
)


class Options(Base):
    """Fourier domain adaptation."""

    betas: list[Annotated[float, Field(ge=0, le=0.5)]] = Field(
        [0.0],
        min_length=1,
        description="Reach of the swapped frequencies over a crop's side, 0 for the mean alone; of several, "
        "each has a network (paper: 0.01, 0.05, 0.09)",
    )
    rounds: int = Field(
        0, ge=0, le=5, description="Rounds of self-training on the mean prediction of a network for each beta"
    )
    entropy: float = Field(0.005, ge=0, description="Weight of the penalty on uncertain target pixels")
    exponent: float = Field(
        2.0, ge=0.5, le=4, description="Of that penalty: the higher, the more the most uncertain pixels count"
    )
    self_training: float = Field(1.0, ge=0, description="Weight of the loss on target labels")
    confidence_cap: float = Field(0.9, gt=0, le=1, description="No class needs more confidence than this")
    confidence_quantile: float = Field(
        0.66, ge=0, le=1, description="Share of each class's pixels that are given no label"
    )

    @model_validator(mode="after")
    def _all_in_use(self) -> "Options":
        if not self.rounds and len(self.betas) > 1:
            raise ValueError("several betas need rounds of 1 or more, in which their mean is learnt")
        if len(set(self.betas)) < len(self.betas):
            raise ValueError("each of the betas is needed once")
        return self


def plan(o: Options) -> list[list[float]]:
    """The betas of each round: all of them, and in the last round the first, since one makes the map."""
    return [o.betas] * o.rounds + [o.betas[:1]]


def named(turn: int, beta: float) -> str:
    return f"round {turn} beta {beta:g}"


def phases(options: Options, steps: int) -> list[Phase]:
    names = [named(turn, beta) for turn, betas in enumerate(plan(options)) for beta in betas]
    each, left = divmod(steps, len(names))
    return [*(Phase(name, each) for name in names[:-1]), Phase(names[-1], each + left)]


def train(bench: Bench, o: Options) -> Iterator[Losses]:
    students: list[Segmentor] = []
    for turn, betas in enumerate(plan(o)):
        teachers, students = [student.requires_grad_(False).eval() for student in students], []
        for beta in betas:
            student = bench.restart()
            students.append(student)
            optimizer = bench.optimizer(student)
            trust = ClassTrust(bench.classes, o.confidence_cap, o.confidence_quantile, fade=1)
            networks = nn.ModuleList([*teachers, *students])
            bench.keep(named(turn, beta), networks=networks, optimizer=optimizer, trust=trust)

            for source, target in bench.steps(named(turn, beta)):
                translated = swap_amplitude(source, target, beta)
                supervised = bench.backward(cross_entropy(student(translated.image), translated))

                unseen = student(target.image)
                unsure = robust_entropy(unseen.logits, target.valid, o.exponent)
                losses = {"supervised": supervised, "entropy": unsure.detach()}
                loss = o.entropy * unsure
                if teachers:
                    probabilities = mean_prediction(teachers, target.image)
                    trust.learn(probabilities, target.valid)
                    pseudo = trust.label(probabilities, target.valid)
                    taught = cross_entropy(unseen, target._replace(label=pseudo.label, weight=pseudo.weight))
                    losses |= {"self_taught": taught.detach(), "trusted": pseudo.weight.mean()}
                    loss = loss + o.self_training * taught
                bench.backward(loss)

                bench.step(optimizer)
                yield losses


def robust_entropy(logits: Tensor, valid: Tensor, exponent: float) -> Tensor:
    """Mean over the valid pixels of (e^2 + 1e-8)^exponent, e the entropy in [0, 1]."""
    entropy = self_information(torch.softmax(logits, 1)).sum(1)
    return ((entropy**2 + 1e-8) ** exponent * valid).sum() / valid.sum().clamp(min=1)


@torch.no_grad()
def mean_prediction(networks: Sequence[Segmentor], image: Tensor) -> Tensor:
    """(b, c, h, w) -> (b, k, h, w): the mean of the networks' softmax: multi-band transfer."""
    return torch.stack([torch.softmax(network(image).logits, 1) for network in networks]).mean(0)
