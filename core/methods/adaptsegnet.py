"""AdaptSegNet: make target predictions look like source predictions (Tsai et al., CVPR 2018).

A discriminator learns to tell source from target softmax maps; the segmentor learns the source
labels and to fool it. Update order as in the authors' code: supervised, adversarial (the
discriminator frozen), then the discriminator on detached maps, all from the weights before the step.
`space: features` is the paper's ablation, the same game on the encoder's last features.

Departures: nodata counts in no loss and no discriminator cell; every ASPP branch is summed (the
authors' multi-level model returned after two); features, too coarse for the discriminator's stride of
32, are judged cell by cell by FCAN's domain classifier; the optimiser and its schedule are the job's.
"""

from collections.abc import Iterator
from functools import partial
from typing import Literal, Self

from pydantic import Field, model_validator

from core.bench import Bench, Losses
from core.card import Card
from core.networks.domain_classifier import DomainClassifier
from core.options import Options as Base
from core.parts.adversary import FAIR, FAIR_LSGAN, Adversary, Gan, encoded
from core.parts.losses import cross_entropy
from core.phases import Phase

CARD = Card(
    cost="two to three times source-only's time a step; memory for a small second network",
    use="when both places have much the same classes in much the same arrangement",
    kind="Adversarial",
)
HEALTHY = {"discriminator": FAIR, "discriminator_lsgan": FAIR_LSGAN}


class Options(Base):
    """Output-space adversarial adaptation."""

    space: Literal["output", "features"] = Field(
        "output", description="What the domains are told apart by: predictions, or the encoder's features"
    )
    levels: Literal["single", "multi"] = Field(
        "single", description="multi: also on the auxiliary head (deeplabv2)"
    )
    gan: Gan = Field(
        "bce", description="bce: vanilla. lsgan: least squares; the paper then uses adversarial 0.01"
    )
    adversarial: float = Field(0.001, ge=0, description="Weight of the adversarial loss")
    adversarial_aux: float = Field(0.0002, ge=0, description="The same on the auxiliary head")
    supervised_aux: float = Field(0.1, ge=0, description="Weight of cross-entropy on the auxiliary head")
    discriminator_lr: float = Field(1e-4, gt=0, description="Peak learning rate of the discriminator (Adam)")

    @model_validator(mode="after")
    def _one_space(self) -> Self:
        if self.space == "features" and self.levels == "multi":
            raise ValueError("`levels: multi` is about predictions: leave it out with `space: features`")
        return self


def phases(options: Options, steps: int) -> list[Phase]:  # noqa: ARG001  # every method has this signature
    return [Phase("adapt", steps)]


def train(bench: Bench, o: Options) -> Iterator[Losses]:
    multi = o.levels == "multi"
    student = bench.segmentor
    optimizer = bench.optimizer(student)
    if o.space == "features":
        judge = partial(DomainClassifier, student.feature_channels)
        adversary = Adversary(
            bench,
            [o.adversarial],
            lambda features: features,
            o.discriminator_lr,
            o.gan,
            maps=encoded,
            make=judge,
        )
    else:
        weights = [o.adversarial, o.adversarial_aux] if multi else [o.adversarial]
        adversary = Adversary(bench, weights, lr=o.discriminator_lr, gan=o.gan)
    bench.keep("adapt", student=student, optimizer=optimizer, adversary=adversary)

    for source, target in bench.steps("adapt"):
        seen = student(source.image)
        supervised = bench.backward(cross_entropy(seen, source, heads=o.supervised_aux if multi else 0.0))

        unseen = student(target.image)
        fooling = bench.backward(adversary.fool(unseen, target.valid))

        bench.step(optimizer)
        caught = adversary.learn(seen, source.valid, unseen, target.valid)
        yield {"supervised": supervised, "fooling": fooling, adversary.name: caught}
