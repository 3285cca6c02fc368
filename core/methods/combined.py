"""Combined, the default: what measurably helps on overhead imagery, in the order in which it helps.

1. Warm start: source only, the first `warm_share` of the steps. A teacher that knows nothing yet
   teaches noise, and an adversary aligns it.
2. Batch-norm statistics renewed on the target (AdaBN), if asked: they are worth many points on some
   pairs and cost as many on others.
3. Adaptation: source labels; a light output-space adversary (AdaptSegNet); and self-training, in
   which an EMA teacher labels un-augmented target crops, each class keeps the pixels above its own
   threshold, and the student learns them mixed with source pixels (ClassMix) under colour jitter
   and blur. Source crops take the means of target crops, if asked (FDA with a window of nought).

Nodata is masked out of every loss, statistic and discriminator cell. What each part is worth, and
on what, is in benchmarks/README.md.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from core.bench import TARGET, Bench, Losses
from core.card import Card
from core.events import Progressed
from core.imagery.augment import blur, jitter_bands
from core.imagery.fourier import swap_amplitude
from core.options import Options as Base
from core.parts.adversary import FAIR, Adversary
from core.parts.losses import cross_entropy
from core.parts.mixing import class_mix
from core.parts.normalisation import renew_statistics
from core.parts.pseudo_labels import ClassTrust
from core.parts.statistics_gate import renew_if_chosen
from core.parts.teacher import Teacher, TeacherNorm
from core.parts.warm_start import learn_source
from core.phases import Phase

CARD = Card(
    cost="half of the steps at about four times source-only's time; memory for a teacher and a small network",
    use="first: it asks for the least knowledge of the shift between the places",
    kind="Recommended",
)
HEALTHY = {"discriminator": FAIR}


class Options(Base):
    """Warm start, then adversary and self-training together."""

    warm_share: float = Field(
        0.5, ge=0, le=0.9, description="Share of the steps trained on the source alone first"
    )
    adabn: Literal["gated", "always", "no"] = Field(
        "gated",
        description="Renew batch-norm statistics on the target before adapting; gated: if judged better",
    )
    adabn_batches: int = Field(16, ge=1, le=10_000, description="Batches of target crops for that")
    target_means: bool = Field(
        False,
        description="Give source crops the means of target crops, band by band: where haze or light differ",
    )
    adversarial: float = Field(0.001, ge=0, description="Weight of the adversarial loss")
    discriminator_lr: float = Field(1e-4, gt=0, description="Peak learning rate of the discriminator (Adam)")
    discriminator_width: int = Field(32, ge=8, le=256, description="Channels of its first layer (paper: 64)")
    self_training: float = Field(1.0, ge=0, description="Weight of the loss on teacher-labelled crops")
    teacher_momentum: float = Field(0.99, ge=0, lt=1, description="Momentum of the teacher's moving average")
    teacher_norm: TeacherNorm = Field("ema", description="Batch-norm statistics that the teacher labels with")
    confidence_cap: float = Field(0.9, gt=0, le=1, description="No class needs more confidence than this")
    confidence_quantile: float = Field(
        0.0, ge=0, le=1, description="Share of each class's pixels not trusted (BDL: 0.5)"
    )
    jitter: float = Field(0.25, ge=0, le=1, description="Strength of per-band gain and bias on mixed crops")
    blur: float = Field(0.5, ge=0, le=1, description="Probability of blurring a mixed crop")
    use: Literal["teacher", "student"] = Field("teacher", description="Which of the two makes the map")


def phases(options: Options, steps: int) -> list[Phase]:
    warm = round(steps * options.warm_share)
    return [Phase("source", warm, 0, steps), Phase("adapt", steps - warm, warm, steps)]


def train(bench: Bench, o: Options) -> Iterator[Losses | Progressed]:
    student = bench.segmentor
    optimizer = bench.optimizer(student)
    yield from learn_source(bench, student, optimizer)

    if o.adabn != "no" and bench.begins("adapt"):
        images = bench.images(TARGET, "adabn", o.adabn_batches)
        if o.adabn == "gated":
            yield from renew_if_chosen(bench, student, images)
        else:
            renew_statistics(student, images)
    teacher = Teacher(student, o.teacher_momentum, o.teacher_norm)
    adversary = Adversary(bench, [o.adversarial], lr=o.discriminator_lr, width=o.discriminator_width)
    trust = ClassTrust(bench.classes, o.confidence_cap, o.confidence_quantile)
    bench.keep(
        "adapt", student=student, optimizer=optimizer, teacher=teacher, adversary=adversary, trust=trust
    )
    bench.result = teacher.network if o.use == "teacher" else student

    for source, target in bench.steps("adapt"):
        if o.target_means:
            source = swap_amplitude(source, target, beta=0.0)
        seen = student(source.image)
        supervised = bench.backward(cross_entropy(seen, source))

        unseen = student(target.image)
        fooling = bench.backward(adversary.fool(unseen, target.valid))

        probabilities = teacher.probabilities(target.image)
        trust.learn(probabilities, target.valid)
        pseudo = trust.label(probabilities, target.valid)
        mixed = class_mix(source, target, pseudo, bench.rng("mix"))
        mixed = blur(jitter_bands(mixed, o.jitter, bench.rng("mix-jitter")), o.blur, bench.rng("mix-blur"))
        self_taught = bench.backward(o.self_training * cross_entropy(student(mixed.image), mixed))

        bench.step(optimizer)
        caught = adversary.learn(seen, source.valid, unseen, target.valid)
        teacher.follow(student)
        yield {
            "supervised": supervised,
            "fooling": fooling,
            "self_taught": self_taught,
            "discriminator": caught,
            "trusted": pseudo.weight.mean(),
        }
