"""DAFormer: self-training with a steady teacher, rare classes, and a memory (Hoyer et al., CVPR 2022).

A teacher, the moving average of the student, labels un-augmented target crops; the student learns the
source, and crops in which half of the source's classes are pasted onto the teacher's (ClassMix), under
jitter and blur. The share of pixels that the teacher is sure of weighs what it says (DACS). Crops
that hold rare classes are drawn more often (sampling.rare_classes), the learning rate rises slowly
(schedule.warmup), and the encoder's features of compact objects are held near those it was pretrained
with. Network: decoder daformer on a transformer. With network.multi_resolution it is HRDA.

Departures: trust per image as in the paper, where the code has one for the batch; classes are drawn
for ClassMix per image, never the unlabelled; jitter is per band, on any number of bands, and always
on; no strips of the image are distrusted, nodata is masked instead; the teacher starts from the
student after its first step; `warm_share` trains on the source alone first, for a teacher that
knows something; the feature distance, off until classes are named, shares the backward pass of
the source's loss, which has the same gradient and keeps no graph twice.
"""

from collections.abc import Iterator
from functools import partial
from typing import Literal

from pydantic import Field

from core.bench import Bench, Losses
from core.card import Card
from core.imagery.augment import blur, jitter_bands
from core.job import Job
from core.options import Options as Base
from core.parts.feature_distance import FeatureDistance, check_feature_distance
from core.parts.losses import MeanOver, cross_entropy
from core.parts.mixing import class_mix
from core.parts.pseudo_labels import TrustScope, image_trust
from core.parts.teacher import Teacher, TeacherNorm
from core.parts.warm_start import learn_source
from core.phases import Phase

CARD = Card(
    cost="after the warm start two to two and a half times source-only's time a step; memory for a teacher",
    use="with a pretrained transformer and some thousand steps, where looks differ more than land does",
    kind="Self-training",
)


class Options(Base):
    """Self-training with a confidence-weighted teacher."""

    warm_share: float = Field(
        0.5, ge=0, le=0.9, description="Share of the steps trained on the source alone first (paper: 0)"
    )
    self_training: float = Field(1.0, ge=0, description="Weight of the loss on mixed crops")
    teacher_momentum: float = Field(
        0.99, ge=0, lt=1, description="Momentum of its moving average (paper: 0.999, for 40000 steps)"
    )
    teacher_norm: TeacherNorm = Field(
        "batch", description="Batch-norm statistics that the teacher labels with"
    )
    threshold: float = Field(
        0.9, ge=0, le=1, description="Confidence from which a pixel counts as sure (paper: 0.968, 19 classes)"
    )
    trust_scope: TrustScope = Field(
        "image", description="One trust for each crop as in the paper, or one for the batch as in its code"
    )
    feature_distance: float = Field(
        0.005, ge=0, description="Weight of the distance from the pretrained features, of feature_classes"
    )
    feature_classes: list[str] = Field(
        [], description="Compact objects, such as car or building, whose features are kept (default: none)"
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


def check(job: Job, o: Options) -> None:
    """Raises BadInput where the classes of the feature distance do not fit the job."""
    check_feature_distance(job, o.feature_distance, o.feature_classes)


def phases(options: Options, steps: int) -> list[Phase]:
    warm = round(steps * options.warm_share)
    return [Phase("source", warm, 0, steps), Phase("adapt", steps - warm, warm, steps)]


def train(bench: Bench, o: Options) -> Iterator[Losses]:
    student = bench.segmentor
    optimizer = bench.optimizer(student)
    yield from learn_source(bench, student, optimizer)

    distance = FeatureDistance(bench, o.feature_distance, o.feature_classes)
    teacher = Teacher(student, o.teacher_momentum, o.teacher_norm)
    bench.keep("adapt", student=student, optimizer=optimizer, teacher=teacher)
    bench.result = teacher.network if o.use == "teacher" else student

    loss_of = partial(cross_entropy, mean_over=o.mean_over)
    for source, target in bench.steps("adapt"):
        seen = student(source.image)
        supervised, forgotten = loss_of(seen, source), distance.loss(seen, source)
        bench.backward(supervised + forgotten)

        probabilities = teacher.probabilities(target.image)
        pseudo = image_trust(probabilities, target.valid, o.threshold, o.trust_scope)
        mixed = class_mix(source, target, pseudo, bench.rng("mix"))
        mixed = blur(jitter_bands(mixed, o.jitter, bench.rng("mix-jitter")), o.blur, bench.rng("mix-blur"))
        self_taught = bench.backward(o.self_training * loss_of(student(mixed.image), mixed))

        bench.step(optimizer)
        teacher.follow(student)
        losses = {"supervised": supervised.detach(), "self_taught": self_taught}
        if distance.classes:
            losses["feature_distance"] = forgotten.detach()
        yield losses | {"trusted": pseudo.weight.mean()}
