"""AdaptSegNet: whole steps of training."""

import warnings
from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.authors.adaptsegnet import (
    DECAY,
    LR,
    LR_D,
    STRIDES,
    K,
    as_in_caffe,
    give,
    its_name,
    same,
)
from benchmarks.authors.clones import Clones
from benchmarks.authors.table import Pair, compare
from benchmarks.authors.world import bench_for, job, recorded
from core.bench import Bench, Losses
from core.job import Job
from core.networks.outputs import Batch

STEPS = 3
RESNET_50 = (3, 4, 6, 3)


@dataclass
class Loop:
    """What an iteration of their train_gta2cityscapes_multi.py does, on the CPU: their modules, our loop.

    As in its vanilla setting with iter_size 1; everything that is not computing is left out. Their
    `optim_parameters` names a parameter once for every module that contains it, three or four times those of
    the encoder's stages, and SGD then moves it as often a step; `once` does so once.
    """

    clones: Clones
    classes: int
    steps: int
    once: bool = True
    layers: tuple[int, ...] = (3, 4, 23, 3)

    @cached_property
    def model(self) -> Any:
        theirs = self.clones.module("AdaptSegNet", "model.deeplab_multi")
        return theirs.ResNetMulti(theirs.Bottleneck, self.layers, self.classes).train()

    @cached_property
    def discriminators(self) -> list[nn.Module]:
        made = self.clones.module("AdaptSegNet", "model.discriminator").FCDiscriminator
        return [made(self.classes).train() for _ in range(2)]

    def losses(self) -> Generator[Losses, tuple[Batch, Batch], None]:
        """Sent a (source, target) for each step; yields its losses."""
        groups = self.model.optim_parameters(SimpleNamespace(learning_rate=LR))
        if self.once:
            groups = [{**group, "params": list(dict.fromkeys(group["params"]))} for group in groups]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about the duplicates
            optimizer = torch.optim.SGD(groups, lr=LR, momentum=0.9, weight_decay=DECAY)
        adams = [torch.optim.Adam(d.parameters(), lr=LR_D, betas=(0.9, 0.99)) for d in self.discriminators]
        ce = self.clones.module("AdaptSegNet", "utils.loss").CrossEntropy2d()
        given: tuple[Batch, Batch] = yield {}
        for step in range(self.steps):
            optimizer.zero_grad()
            factor = (1 - step / self.steps) ** 0.9
            optimizer.param_groups[0]["lr"], optimizer.param_groups[1]["lr"] = LR * factor, 10 * LR * factor
            for adam in adams:
                adam.zero_grad()
                adam.param_groups[0]["lr"] = LR_D * factor
            found = self._step(given, ce)
            optimizer.step()
            for adam in adams:
                adam.step()
            given = yield found

    def _step(self, given: tuple[Batch, Batch], ce: nn.Module) -> dict[str, Tensor]:
        source, target = given
        self._train_discriminators(False)
        seen = self._predict(source.image)
        supervised = ce(seen[1], source.label) + 0.1 * ce(seen[0], source.label)
        supervised.backward()

        unseen = self._predict(target.image)
        fooling = 0.0002 * self._bce(0, unseen[0], 0.0) + 0.001 * self._bce(1, unseen[1], 0.0)
        fooling.backward()

        self._train_discriminators(True)
        caught = torch.zeros(())
        for maps, domain in ((seen, 0.0), (unseen, 1.0)):
            each = [self._bce(n, maps[n].detach(), domain) / 2 for n in (0, 1)]
            for loss in each:
                loss.backward()
            caught = caught + each[1].detach()
        return {"supervised": supervised.detach(), "fooling": fooling.detach(), "discriminator": caught}

    def _train_discriminators(self, on: bool) -> None:
        for d in self.discriminators:
            d.requires_grad_(on)

    def _predict(self, image: Tensor) -> list[Tensor]:
        size = image.shape[-2:]
        return [F.interpolate(z, size, mode="bilinear", align_corners=True) for z in self.model(image)]

    def _bce(self, level: int, logits: Tensor, domain: float) -> Tensor:
        verdict = self.discriminators[level](F.softmax(logits, dim=1))
        return F.binary_cross_entropy_with_logits(verdict, torch.full_like(verdict, domain))


def adaptsegnet_job(steps: int, crop_px: int, encoder: str, classes: int = K) -> Job:
    """Their multi-level setting as a job of ours, with the two branches that their code sums."""
    sgd = {"optimizer": "sgd", "lr": LR, "weight_decay": DECAY, "warmup": 0, "poly_power": 0.9}
    return job(
        "adaptsegnet",
        classes,
        options={"levels": "multi"},
        network={"decoder": "deeplabv2", "encoder": encoder, "aspp_dilations": [6, 12]},
        schedule={"steps": steps, **sgd},
        sampling={"crop_px": crop_px},
    )


@dataclass
class Trained:
    """What both loops made of the same batches, from the same weights."""

    losses: list[Losses]
    its_losses: list[Losses]
    bench: Bench
    loop: Loop


@lru_cache(1)
def trained(clones: Clones, once: bool) -> Trained:
    bench, chosen = bench_for(adaptsegnet_job(STEPS, 32, "resnet50"))
    as_in_caffe(bench.segmentor)
    loop, seen = Loop(clones, K, STEPS, once, RESNET_50), recorded(bench)
    made = Trained([], [], bench, loop)
    give(bench.segmentor, loop.model)
    keep = bench.keep

    def begin_alike(phase: str, /, **things: Any) -> None:
        for ours, theirs in zip(things["adversary"].networks, reversed(loop.discriminators), strict=True):
            same(ours, theirs)
        keep(phase, **things)

    bench.keep = begin_alike  # type: ignore[method-assign]
    theirs = loop.losses()
    next(theirs)
    for found in chosen.module.train(bench, chosen.options):
        assert isinstance(found, dict)
        made.losses.append(found)
        made.its_losses.append(theirs.send((seen[-1][0], seen[-1][1])))
    return made


def segmentors(both: Trained) -> Pair:
    """Every parameter and running statistic."""
    mine, its = both.bench.segmentor.body.state_dict(), both.loop.model.state_dict()
    return list(mine.values()), [its[its_name(name)] for name in mine]


@compare(
    "AdaptSegNet",
    f"{STEPS} steps of training: the losses of each",
    "core/methods/adaptsegnet.py",
    remark=f"multi level, ResNet-50, their modules in a loop of ours; dilations 6, 12; {STRIDES}",
)
def training(clones: Clones) -> Pair:
    both, names = trained(clones, True), ("supervised", "fooling", "discriminator")
    return [m[n] for m in both.losses for n in names], [t[n] for t in both.its_losses for n in names]


@compare(
    "AdaptSegNet",
    f"segmentor after {STEPS} steps",
    "core/methods/adaptsegnet.py",
    remark="every parameter and running statistic; every parameter once in their optimiser",
)
def trained_once(clones: Clones) -> Pair:
    return segmentors(trained(clones, True))


@compare("AdaptSegNet", f"both discriminators after {STEPS} steps", "core/methods/adaptsegnet.py")
def trained_discriminators(clones: Clones) -> Pair:
    both = trained(clones, True)
    adversary: Any = both.bench.kept["adversary"]
    its = [p for d in reversed(both.loop.discriminators) for p in d.parameters()]
    return list(adversary.networks.parameters()), its


@compare(
    "AdaptSegNet",
    f"segmentor after {STEPS} steps, their optimiser as it is",
    "core/methods/adaptsegnet.py",
    differs="their optim_parameters names a weight of the encoder's stages three or four times, once for "
    "each module around it, and SGD moves it as often a step",
)
def trained_as_published(clones: Clones) -> Pair:
    return segmentors(trained(clones, False))
