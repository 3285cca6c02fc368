"""AdaptSegNet and ADVENT: networks, losses, and whole steps of training."""

import warnings
from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.authors.clones import Clones
from benchmarks.authors.table import Pair, compare
from benchmarks.authors.world import BANDS, batch, bench_for, job, normal, recorded
from core.bench import Bench, Losses
from core.job import Job, Network
from core.networks.discriminator import Discriminator
from core.networks.outputs import Batch, Outputs
from core.networks.segmentor import Segmentor, build_segmentor
from core.parts.adversary import Adversary
from core.parts.losses import cross_entropy, entropy, self_information
from core.phases import rate

K, STEPS, SIDE = 7, 3, 64
RESNET_50 = (3, 4, 6, 3)
LR, LR_D, DECAY = 2.5e-4, 1e-4, 5e-4
STRIDES = "the stride of a stage in its first convolution and a ceiling in max pooling, as in Caffe's ResNet"


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


def as_in_caffe(segmentor: Segmentor) -> Segmentor:
    """Ours with the two peculiarities of their ResNet that smp's lacks."""
    encoder: Any = segmentor.body.get_submodule("encoder")
    first = encoder.layer2[0]
    first.conv1.stride, first.conv2.stride = first.conv2.stride, first.conv1.stride
    encoder.maxpool.ceil_mode = True
    return segmentor


def its_name(ours: str) -> str:
    """What a tensor of our DeepLabV2 is called in theirs."""
    name = ours.removeprefix("encoder.").replace("auxiliary.branches", "layer5.conv2d_list")
    return name.replace("classifier.branches", "layer6.conv2d_list")


def give(segmentor: Segmentor, to: nn.Module) -> None:
    """Our weights into their multi-level DeepLabV2; branches that ours lacks stay as they are there."""
    state = {its_name(name): value.clone() for name, value in segmentor.body.state_dict().items()}
    missing, unexpected = to.load_state_dict(state, strict=False)
    assert not unexpected, unexpected
    assert all("conv2d_list" in name for name in missing), missing


def same(ours: nn.Module, theirs: nn.Module) -> None:
    """Our parameters into theirs, in their order."""
    with torch.no_grad():
        for mine, its in zip(ours.parameters(), theirs.parameters(), strict=True):
            its.copy_(mine)


def deeplab(dilations: list[int]) -> Segmentor:
    network = Network(decoder="deeplabv2", encoder="resnet101", weights=None, aspp_dilations=dilations)
    return as_in_caffe(build_segmentor(network, BANDS, K)[0])


def logits(ours: Segmentor, theirs: nn.Module) -> Pair:
    """Of both levels, upsampled, in training mode; then a running mean that this left behind."""
    give(ours, theirs)
    image = normal(2, 3, SIDE, SIDE)
    mine = ours.train()(image)
    its = [F.interpolate(z, (SIDE, SIDE), mode="bilinear", align_corners=True) for z in theirs.train()(image)]
    name = "layer4.2.bn3.running_mean"
    means = [net.get_buffer(name) for net in (ours.body.get_submodule("encoder"), theirs)]
    return [mine.heads[0].logits, mine.logits, means[0]], [*its, means[1]]


@compare(
    "AdaptSegNet",
    "DeepLabV2-ResNet-101, both levels",
    "core/networks/deeplabv2.py",
    remark=f"dilations 6, 12; {STRIDES}",
)
def deeplab_as_published(clones: Clones) -> Pair:
    return logits(deeplab([6, 12]), clones.module("AdaptSegNet", "model.deeplab_multi").DeeplabMulti(K))


@compare(
    "AdaptSegNet",
    "the same, all four branches",
    "core/networks/deeplabv2.py",
    differs="their loop over the branches returns after the second",
)
def deeplab_in_full(clones: Clones) -> Pair:
    return logits(
        deeplab([6, 12, 18, 24]), clones.module("AdaptSegNet", "model.deeplab_multi").DeeplabMulti(K)
    )


@compare(
    "ADVENT",
    "DeepLabV2-ResNet-101, both levels",
    "core/networks/deeplabv2.py",
    remark=f"all four branches; {STRIDES}",
)
def deeplab_of_advent(clones: Clones) -> Pair:
    theirs = clones.module("ADVENT", "advent.model.deeplabv2").get_deeplab_v2(K, multi_level=True)
    return logits(deeplab([6, 12, 18, 24]), theirs)


def verdicts(theirs: nn.Module) -> Pair:
    """Of a map whose sides are no multiples of 32."""
    ours = Discriminator(K)
    same(ours, theirs)
    maps = torch.softmax(normal(2, K, 100, 75), 1)
    return [ours(maps)], [theirs(maps)]


@compare("AdaptSegNet", "discriminator", "core/networks/discriminator.py")
def discriminator(clones: Clones) -> Pair:
    return verdicts(clones.module("AdaptSegNet", "model.discriminator").FCDiscriminator(K))


@compare("ADVENT", "discriminator", "core/networks/discriminator.py")
def discriminator_of_advent(clones: Clones) -> Pair:
    return verdicts(clones.module("ADVENT", "advent.model.discriminator").get_fc_discriminator(K))


def adversarial(clones: Clones, gan: str, criterion: nn.Module) -> Pair:
    """Both losses, the gradient that reaches the prediction, and the discriminator after one step."""
    bench, _ = bench_for(job("adaptsegnet", K, schedule={"steps": 10, "warmup": 0}))
    bench.phase = bench.phases[0]
    ours = Adversary(bench, [0.001], gan=gan)  # type: ignore[arg-type]
    theirs = clones.module("AdaptSegNet", "model.discriminator").FCDiscriminator(K)
    same(ours.networks[0], theirs)
    adam = torch.optim.Adam(theirs.parameters(), lr=LR_D, betas=(0.9, 0.99))
    everywhere = torch.ones(1, SIDE, SIDE, dtype=torch.bool)
    source, target, its_target = (normal(1, K, SIDE, SIDE, seed=n).requires_grad_(n > 0) for n in (0, 1, 1))

    def judged(maps: Tensor, domain: float) -> Tensor:
        verdict = theirs(F.softmax(maps, dim=1))
        loss: Tensor = criterion(verdict, torch.full_like(verdict, domain))
        return loss

    fooling = bench.backward(ours.fool(Outputs(target), everywhere))
    caught = ours.learn(Outputs(source), everywhere, Outputs(target), everywhere)
    its_fooling = 0.001 * judged(its_target, 0.0)
    its_fooling.backward()
    adam.zero_grad()
    its_caught = judged(source, 0.0) / 2 + judged(its_target.detach(), 1.0) / 2
    its_caught.backward()
    adam.step()
    assert target.grad is not None
    assert its_target.grad is not None
    return (
        [fooling, target.grad, caught, *ours.networks[0].parameters()],
        [its_fooling, its_target.grad, its_caught, *theirs.parameters()],
    )


@compare(
    "AdaptSegNet", "adversarial losses (BCE), gradient, discriminator after a step", "core/parts/adversary.py"
)
def bce(clones: Clones) -> Pair:
    return adversarial(clones, "bce", nn.BCEWithLogitsLoss())


@compare("AdaptSegNet", "the same, least squares", "core/parts/adversary.py")
def least_squares(clones: Clones) -> Pair:
    return adversarial(clones, "lsgan", nn.MSELoss())


@compare("AdaptSegNet", "cross-entropy with ignored pixels", "core/parts/losses.py")
def supervised(clones: Clones) -> Pair:
    source, z = batch(2, 32, K, seed=0), normal(2, K, 32, 32, seed=1)
    source.label[:, :9] = 255
    theirs = clones.module("AdaptSegNet", "utils.loss").CrossEntropy2d()
    return [cross_entropy(Outputs(z), source)], [theirs(z, source.label)]


@compare("ADVENT", "entropy loss (MinEnt)", "core/parts/losses.py")
def min_entropy(clones: Clones) -> Pair:
    z = 3 * normal(2, K, 32, 32)
    theirs = clones.module("ADVENT", "advent.utils.loss").entropy_loss
    return [entropy(z, torch.ones(2, 32, 32))], [theirs(torch.softmax(z, 1))]


@compare(
    "ADVENT", "self-information map (AdvEnt)", "core/parts/losses.py", remark="one-hot pixels among them"
)
def entropy_map(clones: Clones) -> Pair:
    p = torch.softmax(normal(2, K, 32, 32), 1)
    p[:, :, :4] = F.one_hot(torch.arange(4), K).T[None, :, :, None].float()
    return [self_information(p)], [clones.module("ADVENT", "advent.utils.func").prob_2_entropy(p)]


@compare("ADVENT", "polynomial decay", "core/phases.py")
def decay(clones: Clones) -> Pair:
    theirs = clones.module("ADVENT", "advent.utils.func").lr_poly
    steps, horizon = (0, 1, 1000, 150_000, 249_999), 250_000
    ours = torch.tensor([rate(n, horizon, 0.0, 0.9) for n in steps])
    return [ours], [torch.tensor([theirs(1.0, n, horizon, 0.9) for n in steps])]


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
