"""AdaptSegNet and ADVENT: networks and losses."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.authors.clones import Clones
from benchmarks.authors.table import Pair, compare
from benchmarks.authors.world import BANDS, batch, bench_for, job, normal
from core.job import Network
from core.networks.discriminator import Discriminator
from core.networks.outputs import Outputs
from core.networks.segmentor import Segmentor, build_segmentor
from core.parts.adversary import Adversary
from core.parts.losses import cross_entropy, entropy, self_information
from core.phases import rate

K, SIDE = 7, 64
LR, LR_D, DECAY = 2.5e-4, 1e-4, 5e-4
STRIDES = "the stride of a stage in its first convolution and a ceiling in max pooling, as in Caffe's ResNet"


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
    return [mine.heads[0], mine.logits, means[0]], [*its, means[1]]


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
