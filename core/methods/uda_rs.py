"""UDA_for_RS: ClassMix self-training for few classes of unequal size (Li et al., Remote Sensing 2022).

DACS with two changes made for overhead images. Gradual class weights: what is rare in the source counts
more in the loss on it, by a running mean over crops. Local dynamic quality: a teacher's label weighs as
much as the share of sure pixels in the small window around it, so that a doubtful corner of a crop
does not silence the rest of it, nor the rest vouch for the corner.

Departures: windows shrink at borders and beside nodata (the authors' code counts what lies outside as
unsure), and the sampler here may draw rare classes more often as well; by default no class counts more
than three times as much as another, a warm start on the source comes first, batch norm takes the averaged
statistics, and the teacher makes the map. Those of DACS on mixing and jitter hold here too.
"""

from collections.abc import Iterator
from functools import partial
from typing import Literal

from pydantic import Field, field_validator

from core.bench import Bench, Losses
from core.card import Card
from core.imagery.augment import blur, jitter_bands
from core.options import Options as Base
from core.parts.class_weights import GradualClassWeights
from core.parts.local_quality import local_trust
from core.parts.losses import MeanOver, cross_entropy
from core.parts.mixing import class_mix
from core.parts.teacher import Teacher, TeacherNorm
from core.parts.warm_start import learn_source
from core.phases import Phase

CARD = Card(
    cost="after the warm start about twice source-only's time a step; memory for a teacher",
    use="when small classes matter and the source-only map is right in parts of most crops",
    kind="Self-training",
)


class Options(Base):
    """Self-training with class weights and local trust."""

    warm_share: float = Field(
        0.5, ge=0, le=0.9, description="Share of the steps trained on the source alone first (paper: 0)"
    )
    class_temperature: float = Field(
        0.1, gt=0, le=100, description="Evenness of the class weights: the lower, the more rare classes count"
    )
    class_ratio: float | None = Field(
        3.0, gt=1, description="A class counts at most so many times as much as another (paper: no bound)"
    )
    class_momentum: float = Field(0.9, ge=0, le=1, description="Of their running mean; 1: no class weights")
    threshold: float = Field(0.7, ge=0, le=1, description="Confidence of a sure pixel")
    window: int = Field(7, ge=1, le=101, description="Side of the window of local trust in pixels, odd")
    self_training: float = Field(1.0, ge=0, description="Weight of the loss on mixed crops")
    teacher_momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of the teacher's moving average")
    teacher_norm: TeacherNorm = Field(
        "ema", description="Batch-norm statistics that the teacher labels with (authors' code: batch)"
    )
    jitter: float = Field(0.2, ge=0, le=1, description="Strength of per-band gain and bias on mixed crops")
    blur: float = Field(0.5, ge=0, le=1, description="Probability of blurring a mixed crop")
    mean_over: MeanOver = Field(
        "labelled",
        description="Pixels that the losses are means of (authors' code: all, unlabelled ones too)",
    )
    use: Literal["teacher", "student"] = Field(
        "teacher", description="Which of the two makes the map (paper: student)"
    )

    @field_validator("window")
    @classmethod
    def _odd(cls, window: int) -> int:
        if window % 2 == 0:
            raise ValueError("a window has a middle where its side is odd")
        return window


def phases(options: Options, steps: int) -> list[Phase]:
    warm = round(steps * options.warm_share)
    return [Phase("source", warm, 0, steps), Phase("adapt", steps - warm, warm, steps)]


def train(bench: Bench, o: Options) -> Iterator[Losses]:
    student = bench.segmentor
    optimizer = bench.optimizer(student)
    yield from learn_source(bench, student, optimizer)

    teacher = Teacher(student, o.teacher_momentum, o.teacher_norm)
    rarity = GradualClassWeights(
        bench.classes, bench.device, o.class_temperature, o.class_momentum, o.class_ratio
    )
    bench.keep("adapt", student=student, optimizer=optimizer, teacher=teacher, rarity=rarity)
    bench.result = teacher.network if o.use == "teacher" else student

    loss_of = partial(cross_entropy, mean_over=o.mean_over)
    for source, target in bench.steps("adapt"):
        supervised = bench.backward(loss_of(student(source.image), rarity.weigh(source)))

        probabilities = teacher.probabilities(target.image)
        pseudo = local_trust(probabilities, target.valid, o.threshold, o.window)
        mixed = class_mix(source, target, pseudo, bench.rng("mix"))
        mixed = blur(jitter_bands(mixed, o.jitter, bench.rng("mix-jitter")), o.blur, bench.rng("mix-blur"))
        self_taught = bench.backward(o.self_training * loss_of(student(mixed.image), mixed))

        bench.step(optimizer)
        teacher.follow(student)
        yield {"supervised": supervised, "self_taught": self_taught, "trusted": pseudo.weight.mean()}
