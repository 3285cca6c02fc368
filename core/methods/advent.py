"""ADVENT: make the target predictions as certain as the source's (Vu et al., CVPR 2019).

`minent` minimises the target's entropy directly (eq. 3); `advent` has a discriminator tell source
from target maps of weighted self-information, -p log p in every class channel (eq. 4-7), in
AdaptSegNet's update order.

Departures: nodata counts in no loss and no discriminator cell; the optimiser and its schedule are
the job's; no snapshot is chosen by target labels, as the authors' `best` mode does.
"""

from collections.abc import Iterator
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from core.bench import Bench, Keepable, Losses
from core.card import Card
from core.options import Options as Base
from core.parts.adversary import FAIR, Adversary, in_use, predictions
from core.parts.losses import cross_entropy, entropy, self_information
from core.phases import Phase

CARD = Card(
    cost="two to three times source-only's time a step; `minent` twice, without a second network",
    use="when target predictions are blurred or unsure rather than plainly wrong",
    kind="Adversarial",
)
HEALTHY = {"discriminator": FAIR}


class Options(Base):
    """Entropy-based adaptation."""

    variant: Literal["advent", "minent"] = Field(
        "advent", description="Adversarial on entropy maps, or direct"
    )
    levels: Literal["single", "multi"] = Field(
        "single", description="multi: also on the auxiliary head (deeplabv2)"
    )
    weight: float = Field(0.001, ge=0, description="Weight of the adversarial or entropy loss")
    weight_aux: float = Field(0.0002, ge=0, description="The same on the auxiliary head")
    supervised_aux: float = Field(0.1, ge=0, description="Weight of cross-entropy on the auxiliary head")
    discriminator_lr: float = Field(1e-4, gt=0, description="Peak learning rate of the discriminator (Adam)")


def phases(options: Options, steps: int) -> list[Phase]:  # noqa: ARG001  # every method has this signature
    return [Phase("adapt", steps)]


def train(bench: Bench, o: Options) -> Iterator[Losses]:
    multi = o.levels == "multi"
    weights = [o.weight, o.weight_aux] if multi else [o.weight]
    student = bench.segmentor
    optimizer = bench.optimizer(student)
    kept: dict[str, Keepable] = {"student": student, "optimizer": optimizer}
    if o.variant == "advent":
        adversary = Adversary(bench, weights, view=information, lr=o.discriminator_lr)
        kept["adversary"] = adversary
    bench.keep("adapt", **kept)

    for source, target in bench.steps("adapt"):
        seen = student(source.image)
        supervised = bench.backward(cross_entropy(seen, source, heads=o.supervised_aux if multi else 0.0))
        unseen = student(target.image)

        if o.variant == "minent":
            levels = zip(weights, in_use(predictions(unseen), len(weights)), strict=True)
            uncertain = sum((w * entropy(level, target.valid) for w, level in levels), torch.zeros(()))
            bench.backward(uncertain)
            bench.step(optimizer)
            yield {"supervised": supervised, "entropy": uncertain.detach()}
        else:
            fooling = bench.backward(adversary.fool(unseen, target.valid))
            bench.step(optimizer)
            caught = adversary.learn(seen, source.valid, unseen, target.valid)
            yield {"supervised": supervised, "fooling": fooling, "discriminator": caught}


def information(logits: Tensor) -> Tensor:
    return self_information(torch.softmax(logits, 1))
