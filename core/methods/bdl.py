"""BDL: translation and segmentation teach each other in turn (Li, Yuan & Vasconcelos, CVPR 2019).

1. Warm start: source only, the first `warm_share` of the steps; its network judges the first translation.
2. `rounds` times:
   translate: CycleGAN, and what the segmentor of before sees in a crop it must see in its translations,
   there and back (perceptual loss).
   adapt: source labels on translated crops, and an adversary that makes target predictions look like
   those of translated source crops (AdaptSegNet).
   retrain, `retrainings` times: the same, and on target crops the labels of which the segmentor of
   before, frozen, is sure; of the whole target, written as rasters before the phase begins.

Departures: nodata counts in nothing; by default a warm start, one round with one retraining, and a
segmentor that goes on from phase to phase, because in a few thousand steps those of the paper (two rounds
of two retrainings, each from initial weights) would each have too few; all trainings of the segmentor have
the same length (authors: 80k steps without and 120k with pseudo labels); confidences are counted in the
254 levels of a confidence raster. Translators begin anew in each round, as the authors'.
"""

from collections.abc import Iterator
from functools import partial

from pydantic import Field
from torch.optim import Optimizer

from core.bench import SOURCE, TARGET, Bench, Losses
from core.card import Card
from core.events import Progressed
from core.networks.outputs import Batch
from core.networks.segmentor import Segmentor
from core.parts.adversary import FAIR, FAIR_LSGAN, Adversary
from core.parts.cyclegan import CycleGan, TranslatorOptions
from core.parts.losses import cross_entropy
from core.parts.perceptual import Measure, Perceptual
from core.parts.pseudo_maps import LABELLED, PseudoMaps, Threshold
from core.parts.warm_start import learn_source
from core.phases import Phase

CARD = Card(
    cost="as cyclegan, then twice source-only's time a step; the target is predicted once a retraining",
    use="when translating and aligning help already, and there are steps to spare for the loop",
    kind="Translation",
)
HEALTHY = {"images": FAIR_LSGAN, "discriminator": FAIR}


class Options(TranslatorOptions):
    """The closed loop of translation and segmentation."""

    rounds: int = Field(1, ge=1, le=4, description="Times to translate anew (paper: 2)")
    retrainings: int = Field(
        1,
        ge=0,
        le=4,
        description="Trainings with pseudo labels in each round (table: 2, the paper's text: 3)",
    )
    warm_share: float = Field(
        0.3,
        ge=0,
        le=0.5,
        description="Share of the steps trained on the source alone first (paper: 0, "
        "and no perceptual loss in the first round)",
    )
    translate_share: float = Field(
        0.3, ge=0.05, le=0.45, description="Share of the steps in which the translators learn"
    )
    restart: bool = Field(
        False, description="Each training of the segmentor begins with the initial weights (paper: yes)"
    )
    perceptual: float = Field(0.1, ge=0, description="Weight of the perceptual loss of translated crops")
    perceptual_again: float = Field(10.0, ge=0, description="The same of crops translated there and back")
    perceptual_measure: Measure = Field(
        "probabilities", description="Of class probabilities (paper: L1), or of normalised logits (code: L2)"
    )
    adversarial: float = Field(0.001, ge=0, description="Weight of the adversarial loss")
    discriminator_lr: float = Field(1e-4, gt=0, description="Peak learning rate of the discriminator (Adam)")
    self_training: float = Field(1.0, ge=0, description="Weight of the loss on pseudo-labelled target crops")
    threshold: Threshold = Field(
        "median",
        description="A class's labels are kept where at least as sure as its median or confidence_cap, "
        "whatever is less (code), or as confidence_cap (fixed: the paper's text)",
    )
    confidence_cap: float = Field(0.9, gt=0, le=1, description="No class needs more confidence than this")


def phases(options: Options, steps: int) -> list[Phase]:
    warm, translating = round(steps * options.warm_share), round(steps * options.translate_share)
    trainings = 1 + options.retrainings
    translations = _split(translating, options.rounds)
    learning = _split(steps - warm - translating, options.rounds * trainings)
    found = [Phase("source", warm, 0, steps)] if warm else []
    horizon = steps if warm else steps - translating
    for k in range(options.rounds):
        found.append(Phase(f"translate {k + 1}", translations[k]))
        for i in range(trainings):
            name, length = _training(k + 1, i), learning[k * trainings + i]
            # With a warm start the rate falls on through everything, else through the segmentor's own steps.
            before = sum(phase.steps for phase in found if warm or not phase.name.startswith("translate"))
            found.append(Phase(name, length) if options.restart else Phase(name, length, before, horizon))
    return found


def train(bench: Bench, o: Options) -> Iterator[Losses | Progressed]:
    student = bench.segmentor
    optimizer = bench.optimizer(student)
    yield from learn_source(bench, student, optimizer)

    adversary = Adversary(bench, [o.adversarial], lr=o.discriminator_lr)
    for k in range(1, o.rounds + 1):
        gan = CycleGan(bench, o)
        bench.keep(f"translate {k}", student=student, optimizer=optimizer, adversary=adversary, gan=gan)
        judge = Perceptual(student, o.perceptual, o.perceptual_again, o.perceptual_measure)
        judged = (o.perceptual or o.perceptual_again) and bench.phases[0].name != f"translate {k}"
        for source, target in bench.steps(f"translate {k}", jittered=False):
            yield gan.learn(source, target, partial(judge, source, target) if judged else None)
        if not bench.past(f"translate {k}"):
            gan.save()
        translator = gan.translator
        del gan, judge  # frees the memory of discriminators, pools and optimisers

        for i in range(o.retrainings + 1):
            name = _training(k, i)
            if bench.past(name):
                continue
            if i:
                yield from PseudoMaps(bench, name, o.threshold, o.confidence_cap).make(student)
            if o.restart:
                student = bench.restart()
                optimizer = bench.optimizer(student)
                adversary = Adversary(bench, [o.adversarial], lr=o.discriminator_lr)
            bench.keep(name, student=student, optimizer=optimizer, adversary=adversary, translator=translator)
            domains = [SOURCE, LABELLED if i else TARGET]
            for source, target in bench.steps(name, domains, jittered=False):
                source = bench.jitter(translator.to_target(source))
                yield _step(bench, student, optimizer, adversary, source, target, o.self_training)


def _step(
    bench: Bench,
    student: Segmentor,
    optimizer: Optimizer,
    adversary: Adversary,
    source: Batch,
    target: Batch,
    self_training: float,
) -> Losses:
    """A step of the segmentor; `source` is in the target's look already, `target` with labels or without."""
    seen = student(source.image)
    supervised = bench.backward(cross_entropy(seen, source))

    unseen = student(target.image)
    fooling = adversary.fool(unseen, target.valid)
    self_taught = cross_entropy(unseen, target)
    bench.backward(fooling + self_training * self_taught)

    bench.step(optimizer)
    caught = adversary.learn(seen, source.valid, unseen, target.valid)
    return {
        "supervised": supervised,
        "fooling": fooling.detach(),
        "self_taught": self_taught.detach(),
        "discriminator": caught,
        "trusted": target.weight.sum() / target.valid.sum().clamp(min=1),
    }


def _training(k: int, i: int) -> str:
    """The segmentor's phase M_i of round k."""
    return f"retrain {k}.{i}" if i else f"adapt {k}"


def _split(steps: int, parts: int) -> list[int]:
    """`steps` in `parts` as equal as can be."""
    return [steps * (n + 1) // parts - steps * n // parts for n in range(parts)]
