"""MIC: tell hidden patches of the target from what lies around them (Hoyer et al., CVPR 2023).

Self-training as in DACS, and beside it masked image consistency: most patches of a target crop are
hidden from the student, which shall give the teacher's labels of the whole crop all the same. It so
learns to use context where the look of a place misleads. Teacher, labels and trust are those of the
self-training: of the unmasked and un-augmented crop.

The paper's other hosts are reached by the job: DAFormer with its network and the feature distance, HRDA
with network.multi_resolution beside them.

Departures: a patch is a share of the crop's side, not a number of pixels; hidden pixels are 0, the
domain's mean, as nodata is, so that a network that sees wedges of nodata meets nothing new. Those of
DACS hold here too.
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
from core.parts.masking import mask_patches
from core.parts.mixing import class_mix
from core.parts.pseudo_labels import TrustScope, image_trust
from core.parts.teacher import Teacher, TeacherNorm
from core.parts.warm_start import learn_source
from core.phases import Phase

CARD = Card(
    cost="after the warm start about three times source-only's time a step; memory for a teacher",
    use="when classes are told apart by their surroundings rather than by their own look",
    kind="Self-training",
)


class Options(Base):
    """Self-training with ClassMix and masked image consistency."""

    warm_share: float = Field(
        0.5, ge=0, le=0.9, description="Share of the steps trained on the source alone first (paper: 0)"
    )
    masked: float = Field(1.0, ge=0, description="Weight of the loss on masked target crops")
    mask_ratio: float = Field(0.7, ge=0, le=1, description="Share of the patches that are hidden")
    mask_block: float = Field(
        1 / 16, gt=0, le=0.5, description="Side of a patch as a share of the crop's (paper: 1/16)"
    )
    self_training: float = Field(1.0, ge=0, description="Weight of the loss on mixed crops")
    teacher_momentum: float = Field(
        0.99, ge=0, lt=1, description="Momentum of the teacher's moving average (on DAFormer: 0.999)"
    )
    teacher_norm: TeacherNorm = Field(
        "ema", description="Batch-norm statistics that the teacher labels with (authors' code: batch)"
    )
    threshold: float = Field(
        0.9, ge=0, le=1, description="Confidence of a sure pixel (paper: 0.968, of 19 classes)"
    )
    trust_scope: TrustScope = Field(
        "image", description="Whose share of sure pixels weighs a label: its image's, or its batch's"
    )
    feature_distance: float = Field(
        0.0, ge=0, description="Weight of DAFormer's distance from the pretrained features (paper: 0.005)"
    )
    feature_classes: list[str] = Field(
        [], description="Compact objects, such as car or building, whose features are kept (default: none)"
    )
    jitter: float = Field(
        0.25, ge=0, le=1, description="Strength of per-band gain and bias on mixed and masked crops"
    )
    blur: float = Field(0.5, ge=0, le=1, description="Probability of blurring a mixed or masked crop")
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

        hidden = target._replace(label=pseudo.label, weight=pseudo.weight)
        hidden = jitter_bands(hidden, o.jitter, bench.rng("mask-jitter"))
        hidden = blur(hidden, o.blur, bench.rng("mask-blur"))
        hidden = mask_patches(hidden, o.mask_ratio, o.mask_block, bench.rng("mask"))
        masked = bench.backward(o.masked * loss_of(student(hidden.image), hidden))

        bench.step(optimizer)
        teacher.follow(student)
        losses = {"supervised": supervised.detach(), "self_taught": self_taught, "masked": masked}
        if distance.classes:
            losses["feature_distance"] = forgotten.detach()
        yield losses | {"trusted": pseudo.weight.mean()}
