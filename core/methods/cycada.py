"""CyCADA: translate without changing what is seen, train, then align (Hoffman et al., ICML 2018).

1. Source: a segmentor learns the source. A frozen copy judges the translation.
2. Translate: CycleGAN, with semantic consistency added: the judge must see in a translated crop what
   it sees in the crop itself.
3. Train: on source crops in the target's look.
4. Adapt: the same, while a discriminator learns to tell the domains by features (or predictions) and
   the segmentor to make them alike; as in ADDA the discriminator goes first, and fooling it counts only
   while it knows more than `gate` of the cells' domains.

Departures: nodata counts in nothing; the segmentor keeps learning the labels in stage 4, as in the
paper's objective and not in its code, where ADDA follows alone beside a frozen source network; semantic
consistency is on, which the published runs on street scenes left out for want of memory, and its judge is
frozen, which the code trains along; the code's double weight on fooling towards the target is left out;
source crops are jittered after they are translated, never before.
"""

import copy
from collections.abc import Iterator
from functools import partial
from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from core.bench import SOURCE, Bench, Losses
from core.card import Card
from core.networks.domain_classifier import DomainClassifier
from core.networks.outputs import Batch, Outputs
from core.networks.segmentor import Segmentor
from core.parts.adversary import FAIR, FAIR_LSGAN, Adversary, encoded
from core.parts.cyclegan import CycleGan, Translated, TranslatorOptions
from core.parts.losses import cross_entropy
from core.parts.warm_start import learn_source
from core.phases import Phase
from geo_io.legend import IGNORE

CARD = Card(
    cost="a step of translating takes five of source-only's, one of the adversary two; four small networks",
    use="when cyclegan's translations change what is there: buildings on bare soil, trees in water",
    kind="Translation",
)
HEALTHY = {"images": FAIR_LSGAN, "discriminator": FAIR}


class Options(TranslatorOptions):
    """Translation with semantic consistency, training on its result, and alignment."""

    source_share: float = Field(
        0.25, ge=0.05, le=0.8, description="Share of the steps trained on the source alone first"
    )
    translate_share: float = Field(
        0.3, ge=0.05, le=0.8, description="Share of the steps in which the translators learn"
    )
    adapt_share: float = Field(
        0.2, ge=0, le=0.8, description="Share of the steps with the adversary, the last"
    )
    start: Literal["source", "initial"] = Field(
        "source", description="What training on translated crops starts from (paper: initial weights)"
    )
    semantic: float = Field(1.0, ge=0, description="Weight of semantic consistency")
    semantic_labels: Literal["predicted", "source"] = Field(
        "predicted",
        description="What a translated source crop must be seen as: what the judge sees in the crop (paper), "
        "or the crop's own labels (code)",
    )
    semantic_gate: float | None = Field(
        None, gt=0, description="Only where the judge's cross-entropy on the source crops is below (code: 1)"
    )
    level: Literal["features", "output"] = Field("features", description="What the adversary of stage 4 sees")
    adversarial: float = Field(0.001, ge=0, description="Weight of its loss")
    discriminator_lr: float = Field(
        1e-4, gt=0, description="Learning rate of its discriminator (Adam), which stays"
    )
    gate: float = Field(
        0.6, ge=0, le=1, description="Fool it only while it tells more than this share of cells (0: always)"
    )

    @model_validator(mode="after")
    def _something_left(self) -> Self:
        if self.source_share + self.translate_share + self.adapt_share > 0.95:
            raise ValueError("source_share, translate_share and adapt_share leave less than 5 % for training")
        return self


def phases(options: Options, steps: int) -> list[Phase]:
    source, translate = round(steps * options.source_share), round(steps * options.translate_share)
    adapt = min(round(steps * options.adapt_share), steps - source)
    train = max(steps - source - translate - adapt, 0)
    # Without a new start the rate falls on through everything, as BDL's.
    horizon = steps if options.start == "source" else train + adapt
    begun = horizon - train - adapt
    return [
        Phase("source", source, 0, steps),
        Phase("translate", steps - source - train - adapt),
        Phase("train", train, begun, horizon),
        Phase("adapt", adapt, begun + train, horizon),
    ]


def train(bench: Bench, o: Options) -> Iterator[Losses]:
    student = bench.segmentor
    optimizer = bench.optimizer(student)
    yield from learn_source(bench, student, optimizer)

    gan = CycleGan(bench, o)
    bench.keep("translate", student=student, optimizer=optimizer, gan=gan)
    judge = copy.deepcopy(student).eval().requires_grad_(False)
    for source, target in bench.steps("translate", jittered=False):
        yield gan.learn(source, target, partial(semantic_consistency, judge, source, target, o))

    if o.start == "initial":
        student = bench.restart()
        optimizer = bench.optimizer(student)
    translator = gan.translator
    bench.keep("train", student=student, optimizer=optimizer, translator=translator)
    if not bench.past("translate"):
        gan.save()
    del gan, judge  # frees the memory of discriminators, pools and optimisers
    for (source,) in bench.steps("train", [SOURCE], jittered=False):
        source = bench.jitter(translator.to_target(source))
        supervised = bench.backward(cross_entropy(student(source.image), source))
        bench.step(optimizer)
        yield {"supervised": supervised}

    adversary = adversary_of(bench, o)
    bench.keep("adapt", student=student, optimizer=optimizer, translator=translator, adversary=adversary)
    for source, target in bench.steps("adapt", jittered=False):
        source = bench.jitter(translator.to_target(source))
        seen = student(source.image)
        supervised = bench.backward(cross_entropy(seen, source))

        unseen = student(target.image)
        told = adversary.told(seen, source.valid, unseen, target.valid)
        caught = adversary.learn(seen, source.valid, unseen, target.valid)
        fooling = bench.backward((told > o.gate) * adversary.fool(unseen, target.valid))

        bench.step(optimizer)
        yield {"supervised": supervised, "fooling": fooling, "discriminator": caught, "told": told}


def semantic_consistency(
    judge: Segmentor, source: Batch, target: Batch, o: Options, made: Translated
) -> Tensor:
    """What the judge sees in either domain must be seen in its translation too (eq. 4)."""
    with torch.no_grad():
        known, unknown = judge(source.image), judge(target.image)
    wanted = source if o.semantic_labels == "source" else seen_as(known, source)
    loss = cross_entropy(judge(made.as_target), wanted)
    loss = loss + cross_entropy(judge(made.as_source), seen_as(unknown, target))
    gate = 1.0 if o.semantic_gate is None else cross_entropy(known, source) < o.semantic_gate
    return o.semantic * gate * loss


def seen_as(outputs: Outputs, batch: Batch) -> Batch:
    """The batch under the labels that outputs predict for it, wherever it is valid."""
    label = torch.where(batch.valid, outputs.logits.argmax(1), IGNORE)
    return batch._replace(label=label, weight=batch.valid.float())


def adversary_of(bench: Bench, o: Options) -> Adversary:
    """Of predictions as in AdaptSegNet, or of features; it begins anew where the schedule nears its end."""
    weights, lr = [o.adversarial], o.discriminator_lr
    if o.level == "output":
        return Adversary(bench, weights, lr=lr, steady=True)
    make = partial(DomainClassifier, bench.segmentor.feature_channels)
    return Adversary(bench, weights, lambda features: features, lr, maps=encoded, make=make, steady=True)
