"""CycleGAN: train on the source in the target's look, learnt by image translation (Zhu et al., ICCV 2017).

1. Warm start: source only, the first `warm_share` of the steps.
2. Translate: two generators and two discriminators learn from unpaired crops what imagery of either
   place looks like; what is translated there and back must be what it was (cycle), and what looks right
   already must stay (identity).
3. Train: the segmentor goes on with source crops in the target's look, under their own labels.

Departures: nodata counts in no loss, normalisation or discriminator cell; each band's robust range is
stretched to the generators' [-1, 1], so that any bit depth fits; generators are narrower than the
authors' unless asked; source crops are jittered after they are translated, never before; the warm start,
which the authors of the pipeline (CyCADA, BDL) do not have, costs nothing, as the run's source-only
model begins with the same steps.
"""

from collections.abc import Iterator
from typing import Self

import numpy as np
import torch
from pydantic import Field, model_validator

from core.bench import SOURCE, Bench, Losses
from core.card import Card
from core.networks.outputs import Batch
from core.parts.adversary import FAIR_LSGAN
from core.parts.cyclegan import CycleGan, TranslatorOptions
from core.parts.losses import cross_entropy
from core.parts.warm_start import learn_source
from core.phases import Phase

CARD = Card(
    cost="a step of translating takes four of source-only's; four small networks in memory meanwhile",
    use="when the places differ in sensor, haze or season more than in what is there; look at the result",
    kind="Translation",
)
HEALTHY = {"images": FAIR_LSGAN}


class Options(TranslatorOptions):
    """Translation, then training on translated crops."""

    warm_share: float = Field(
        0.3, ge=0, le=0.8, description="Share of the steps trained on the source alone first (0: none)"
    )
    translate_share: float = Field(
        0.4, ge=0.05, le=0.9, description="Share of the steps in which the translators learn"
    )
    untranslated: float = Field(
        0.0, ge=0, le=1, description="Share of the crops that stay as they are when training on the others"
    )

    @model_validator(mode="after")
    def _something_left(self) -> Self:
        if self.warm_share + self.translate_share > 0.95:
            raise ValueError("warm_share and translate_share leave less than 5 % of the steps for training")
        return self


def phases(options: Options, steps: int) -> list[Phase]:
    warm, translate = round(steps * options.warm_share), round(steps * options.translate_share)
    train = max(steps - warm - translate, 0)
    # With a warm start the rate falls on through everything, as BDL's.
    return [
        Phase("source", warm, 0, steps),
        Phase("translate", steps - warm - train),
        Phase("train", train, steps - train, steps) if warm else Phase("train", train),
    ]


def train(bench: Bench, o: Options) -> Iterator[Losses]:
    student = bench.segmentor
    optimizer = bench.optimizer(student)
    yield from learn_source(bench, student, optimizer)

    gan = CycleGan(bench, o)
    bench.keep("translate", student=student, optimizer=optimizer, gan=gan)
    for source, target in bench.steps("translate", jittered=False):
        yield gan.learn(source, target)

    translator = gan.translator
    bench.keep("train", student=student, optimizer=optimizer, translator=translator)
    if not bench.past("translate"):
        gan.save()
    del gan  # frees the memory of discriminators, pools and optimisers
    for (source,) in bench.steps("train", [SOURCE], jittered=False):
        seen = _some(source, translator.to_target(source), o.untranslated, bench.rng("untranslated"))
        seen = bench.jitter(seen)
        supervised = bench.backward(cross_entropy(student(seen.image), seen))
        bench.step(optimizer)
        yield {"supervised": supervised}


def _some(plain: Batch, translated: Batch, share: float, generator: np.random.Generator) -> Batch:
    """The translated crops, but for a random share of them."""
    kept = torch.as_tensor(generator.random(len(plain.image)) < share, device=plain.image.device)
    return plain._replace(image=torch.where(kept.view(-1, 1, 1, 1), plain.image, translated.image))
