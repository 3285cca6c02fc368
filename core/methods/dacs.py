"""DACS: self-training on target crops mixed with source pixels (Tranheden et al., WACV 2021).

An EMA teacher labels un-augmented target crops. Half of the classes of a source crop are pasted onto
each (ClassMix), so that every image that the student learns from holds some certain labels, and the
student sees the mixture under colour jitter and blur. How far a teacher's labels count is the share of
pixels that it is sure of.

Departures: unlabelled source pixels are never pasted; crops are jittered by band instead of in hue and
saturation, all of them and each on its own; by default a warm start on the source comes first, trust is
of one image (the authors' code: of the batch), batch norm takes the averaged statistics, and the teacher
makes the map.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from core.bench import Bench, Losses
from core.card import Card
from core.imagery.augment import blur, jitter_bands
from core.options import Options as Base
from core.parts.losses import MeanOver, cross_entropy
from core.parts.mixing import class_mix
from core.parts.pseudo_labels import TrustScope, image_trust
from core.parts.teacher import Teacher, TeacherNorm
from core.parts.warm_start import learn_source
from core.phases import Phase

CARD = Card(
    cost="after the warm start about twice source-only's time a step; memory for a teacher",
    use="when the source-only map is mostly right, and the classes look alike in both places",
    kind="Self-training",
)


class Options(Base):
    """Self-training with ClassMix."""

    warm_share: float = Field(
        0.5, ge=0, le=0.9, description="Share of the steps trained on the source alone first (paper: 0)"
    )
    self_training: float = Field(1.0, ge=0, description="Weight of the loss on mixed crops")
    teacher_momentum: float = Field(0.99, ge=0, lt=1, description="Momentum of the teacher's moving average")
    teacher_norm: TeacherNorm = Field(
        "ema", description="Batch-norm statistics that the teacher labels with (authors' code: batch)"
    )
    threshold: float = Field(
        0.9, ge=0, le=1, description="Confidence of a sure pixel (paper: 0.968, of 19 classes)"
    )
    trust_scope: TrustScope = Field(
        "image", description="Whose share of sure pixels weighs a label: its image's, or its batch's"
    )
    jitter: float = Field(0.25, ge=0, le=1, description="Strength of per-band gain and bias on mixed crops")
    blur: float = Field(0.5, ge=0, le=1, description="Probability of blurring a mixed crop")
    mean_over: MeanOver = Field(
        "labelled",
        description="Pixels that the loss on mixed crops is a mean of (authors' code: all, unlabelled too)",
    )
    use: Literal["teacher", "student"] = Field(
        "teacher", description="Which of the two makes the map (paper: student)"
    )


def phases(options: Options, steps: int) -> list[Phase]:
    warm = round(steps * options.warm_share)
    return [Phase("source", warm, 0, steps), Phase("adapt", steps - warm, warm, steps)]


def train(bench: Bench, o: Options) -> Iterator[Losses]:
    student = bench.segmentor
    optimizer = bench.optimizer(student)
    yield from learn_source(bench, student, optimizer)

    teacher = Teacher(student, o.teacher_momentum, o.teacher_norm)
    bench.keep("adapt", student=student, optimizer=optimizer, teacher=teacher)
    bench.result = teacher.network if o.use == "teacher" else student

    for source, target in bench.steps("adapt"):
        supervised = bench.backward(cross_entropy(student(source.image), source))

        probabilities = teacher.probabilities(target.image)
        pseudo = image_trust(probabilities, target.valid, o.threshold, o.trust_scope)
        mixed = class_mix(source, target, pseudo, bench.rng("mix"))
        mixed = blur(jitter_bands(mixed, o.jitter, bench.rng("mix-jitter")), o.blur, bench.rng("mix-blur"))
        taught = cross_entropy(student(mixed.image), mixed, mean_over=o.mean_over)
        self_taught = bench.backward(o.self_training * taught)

        bench.step(optimizer)
        teacher.follow(student)
        yield {"supervised": supervised, "self_taught": self_taught, "trusted": pseudo.weight.mean()}
