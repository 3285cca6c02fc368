"""FCAN: render crops in the target's look, and hide the domain in the features (Zhang et al., CVPR 2018).

Appearance: a bank of source crops is drawn anew, once, by optimising the images until their features
keep the content and their Gram matrices are the mean ones of target crops. Representation: the segmentor
learns labels from rendered and other source crops, and to fool a classifier that looks at every cell of
the encoder's last features and names its domain, in AdaptSegNet's update order.

Departures: a warm start on the source alone, and for a network without pretrained weights the encoder
that describes images is the one warm-started so; by default images begin as source crops, not as noise;
Adam changes them (a few dozen steps instead of a thousand); contents and styles are weighted alike in every
stage, relative to their size; a bank of some crops, mixed with the others, instead of every source image,
and the style of some target crops, not of the whole target; nodata counts in no Gram matrix, no loss and
no cell.
"""

from collections.abc import Iterator
from functools import partial

from pydantic import Field

from core.bench import Bench, Losses
from core.card import Card
from core.events import Progressed
from core.networks.domain_classifier import DomainClassifier
from core.options import Options as Base
from core.parts.adversary import FAIR, Adversary, encoded
from core.parts.losses import cross_entropy
from core.parts.rendering import How, Rendered, Start
from core.parts.warm_start import learn_source
from core.phases import Phase

CARD = Card(
    cost="about twice source-only's time a step after the warm start, and a rendering of half as long",
    use="when textures and colours changed together; where a generator's inventions are a worry",
    kind="Translation",
)
HEALTHY = {"discriminator": FAIR}


class Options(Base):
    """Appearance and representation adaptation."""

    warm_share: float = Field(
        0.5, ge=0, le=0.9, description="Share of the steps trained on the source alone first"
    )
    appearance: int | None = Field(
        None,
        ge=0,
        le=100_000,
        description="Source crops to render; 0: none (default: a batch for every `iterations` steps)",
    )
    start: Start = Field("source", description="What a rendered crop begins as: itself, or noise (paper)")
    iterations: int = Field(40, ge=1, le=10_000, description="Optimisation steps of each crop (paper: 1000)")
    style_crops: int = Field(
        128, ge=1, le=100_000, description="Target crops whose mean is the style (paper: the whole target)"
    )
    style_weight: float = Field(1.0, ge=0, description="Weight of the target's style over the content")
    rendering_lr: float = Field(0.05, gt=0, description="Their learning rate (Adam), in deviations of a band")
    rendered_share: float = Field(
        0.5, ge=0, le=1, description="Share of the source crops of a step that are rendered ones (paper: 1)"
    )
    adversarial: float = Field(0.001, ge=0, description="Weight of the adversarial loss on the features")
    discriminator_lr: float = Field(
        1e-4, gt=0, description="Peak learning rate of the domain classifier (Adam)"
    )
    discriminator_width: int = Field(64, ge=8, le=512, description="Channels of its branches (paper: 128)")


def phases(options: Options, steps: int) -> list[Phase]:
    warm = round(steps * options.warm_share)
    return [Phase("source", warm, 0, steps), Phase("adapt", steps - warm, warm, steps)]


def train(bench: Bench, o: Options) -> Iterator[Losses | Progressed]:
    student = bench.segmentor
    optimizer = bench.optimizer(student)
    yield from learn_source(bench, student, optimizer)

    rendered = Rendered(bench, crops(bench, o))
    if bench.begins("adapt"):
        yield from rendered.render(How(o.iterations, o.style_weight, o.rendering_lr, o.style_crops, o.start))
    adversary = Adversary(
        bench,
        [o.adversarial],
        view=lambda features: features,
        lr=o.discriminator_lr,
        maps=encoded,
        make=partial(DomainClassifier, student.feature_channels, o.discriminator_width),
    )
    bench.keep("adapt", student=student, optimizer=optimizer, adversary=adversary)
    for source, target in bench.steps("adapt"):
        source = rendered.swap_in(source, o.rendered_share)
        seen = student(source.image)
        supervised = bench.backward(cross_entropy(seen, source))

        unseen = student(target.image)
        fooling = bench.backward(adversary.fool(unseen, target.valid))

        bench.step(optimizer)
        caught = adversary.learn(seen, source.valid, unseen, target.valid)
        yield {"supervised": supervised, "fooling": fooling, "discriminator": caught}


def crops(bench: Bench, o: Options) -> int:
    """As many as asked for, or so many that an iteration of rendering falls on each step of adapting."""
    if o.appearance is not None:
        return o.appearance
    adapting = phases(o, bench.job.schedule.steps)[-1].steps
    return -(-adapting // o.iterations) * bench.job.sampling.batch
