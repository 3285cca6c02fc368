"""DCAN: give source crops and features the channel statistics of target crops (Wu et al., ECCV 2018).

Without any adversary. A generator learns to draw source crops anew so that each channel of an encoder's
features has the mean and deviation of target crops'; then the segmentor learns the source's labels on
crops so translated, its own last features aligned with the target's in the same way. In use it sees
target images as they are: nothing is aligned, and the running statistics are those of source crops.

Departures: statistics are those of a whole batch by default, not of one crop, because a crop of land may hold
one class alone, and the last features are aligned half-way; a warm start on the source alone, and for a
network without pretrained weights the encoder is the one warm-started so (the paper's is a VGG trained on
ImageNet); the generator adds to the crop with matched bands and sees aligned features of every scale down
to 1/8, so that outlines stay sharp; losses are relative to the size of the features; nodata counts in no
statistic and no loss.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import torch
from pydantic import Field

from core.bench import Bench, Losses
from core.card import Card
from core.mapping.predictor import evaluating
from core.options import Options as Base
from core.parts.channel_statistics import Over, aligned_features, channel_statistics
from core.parts.losses import cross_entropy
from core.parts.style_translator import StyleTranslator
from core.parts.warm_start import learn_source
from core.phases import Phase

CARD = Card(
    cost="about one and a half times source-only's time a step, and a generator to train; a second encoder",
    use="when colours, haze or sensor changed, and an adversary is too restless",
    kind="Translation",
)


class Options(Base):
    """Dual channel-wise alignment."""

    warm_share: float = Field(
        0.5, ge=0, le=0.9, description="Share of the steps trained on the source alone first"
    )
    translate_share: float = Field(
        0.3,
        ge=0,
        le=0.9,
        description="Share of the remaining steps that train the generator; 0: no translation",
    )
    statistics: Over = Field(
        "batch", description="Of what a look is taken: each target crop (paper: crop), or all of a batch"
    )
    feature_strength: float = Field(
        0.5, ge=0, le=1, description="How far the last features take the target's statistics (paper: 1)"
    )
    style_weight: float = Field(1.0, ge=0, description="Weight of the generator's style loss over content's")
    generator_lr: float = Field(1e-3, gt=0, description="Peak learning rate of the generator (Adam)")
    generator_width: int = Field(32, ge=8, le=512, description="Channels of its layers")


def phases(options: Options, steps: int) -> list[Phase]:
    warm = round(steps * options.warm_share)
    translate = round((steps - warm) * options.translate_share)
    adapt = steps - warm - translate
    # The segmentor's rate goes on where the warm start left it, and falls from there to nought: of a shorter
    # schedule the same share is gone.
    horizon = round(adapt * steps / max(steps - warm, 1))
    return [
        Phase("source", warm, 0, steps),
        Phase("translate", translate),
        Phase("adapt", adapt, horizon - adapt, horizon),
    ]


def train(bench: Bench, o: Options) -> Iterator[Losses]:
    student = bench.segmentor
    optimizer = bench.optimizer(student)
    yield from learn_source(bench, student, optimizer)

    translator = StyleTranslator(bench, o.generator_lr, o.generator_width, o.statistics)
    bench.keep("translate", student=student, optimizer=optimizer, translator=translator)
    for source, target in bench.steps("translate"):
        yield translator.learn(source, target, o.style_weight)

    bench.keep("adapt", student=student, optimizer=optimizer, translator=translator)
    for source, target in bench.steps("adapt"):
        if o.translate_share:
            source = translator.to_target(source, target)
        aligning: AbstractContextManager[None] = nullcontext()
        if o.feature_strength:
            # As the map will be made: the target moves no running statistics, which would be AdaBN by half.
            with evaluating(student), torch.no_grad():
                style = channel_statistics(student.features(target.image), target.valid, o.statistics)
            aligning = aligned_features(student, style, o.feature_strength, o.statistics)
        with aligning:
            seen = student(source.image)
        supervised = bench.backward(cross_entropy(seen, source))
        bench.step(optimizer)
        yield {"supervised": supervised}
