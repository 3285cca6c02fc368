"""FDA, BDL and CycleGAN: spectra, thresholds, translators and what they must keep."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.authors.adaptsegnet import same
from benchmarks.authors.clones import Clones
from benchmarks.authors.table import Pair, compare
from benchmarks.authors.world import batch, normal
from core.imagery.fourier import swap_amplitude
from core.methods.fda import robust_entropy
from core.networks.generator import Generator
from core.networks.patchgan import PatchGan
from core.parts.perceptual import Perceptual
from core.parts.pseudo_labels import ClassTrust

CITYSCAPES = 19
"""Their scripts count this many classes."""


@compare(
    "FDA",
    "low-frequency amplitude swap",
    "core/imagery/fourier.py",
    remark="FDA_source_to_target_np, the window of 2b + 1, b = 0, 1, 5; positive images without nodata",
)
def amplitudes(clones: Clones) -> Pair:
    theirs = clones.module("FDA", "utils").FDA_source_to_target_np
    source, target = (
        batch(2, 75, 3, seed)._replace(image=10 + normal(2, 3, 75, 75, seed=seed)) for seed in (0, 1)
    )
    betas = (0.0, 0.02, 0.07)
    its = [theirs(s, t, beta) for beta in betas for s, t in zip(source.image, target.image, strict=True)]
    mine = [image for beta in betas for image in swap_amplitude(source, target, beta).image]
    return mine, [torch.from_numpy(image) for image in its]


@compare(
    "FDA",
    "robust entropy",
    "core/methods/fda.py",
    differs="they divide by 2.9444 for log 19",
)
def charbonnier(clones: Clones) -> Pair:
    z, holder = normal(2, CITYSCAPES, 24, 24), SimpleNamespace()
    names = {"F": F, "x": z, "ita": 2.0, "self": holder}
    clones.lines("FDA", "model/deeplab.py", "P = F.softmax", "x = nn.functional", **names)
    return [robust_entropy(z, torch.ones(2, 24, 24), 2.0)], [holder.loss_ent]


def sure(quantile: float) -> tuple[Tensor, Any, ClassTrust]:
    """Predictions of 18 of 19 classes, as they have them and in our histogram."""
    probabilities = torch.softmax(4 * normal(1, CITYSCAPES, 512, 512), 1)
    probabilities[:, 5] = 0
    trust = ClassTrust(CITYSCAPES, 0.9, quantile, fade=1)
    trust.learn(probabilities, torch.ones(1, 512, 512, dtype=torch.bool))
    confidence, label = probabilities.max(1)
    names = {
        "predicted_prob": confidence.numpy(),
        "predicted_label": label.numpy(),
        "np": SimpleNamespace(**{**vars(np), "int": int}),  # numpy 2 has no int
    }
    return probabilities, names, trust


BINNED = "ours reads the quantile from a histogram of 4096 bins, 2.4e-4 wide"


@compare("BDL", "thresholds min(median, 0.9)", "core/parts/pseudo_labels.py", differs=BINNED)
def medians(clones: Clones) -> Pair:
    _, names, trust = sure(0.5)
    theirs = clones.lines("BDL", "SSL.py", "thres = []", "for index in range(len(", **names)["thres"]
    return [trust.thresholds], [torch.from_numpy(theirs)]


@compare("FDA", "thresholds min(0.66 quantile, 0.9)", "core/parts/pseudo_labels.py", differs=BINNED)
def quantiles(clones: Clones) -> Pair:
    _, names, trust = sure(0.66)
    path = "getSudoLabel_multi.py"
    theirs = clones.lines("FDA", path, "thres = []", "for index in range(len(", **names)["thres"]
    return [trust.thresholds], [torch.from_numpy(theirs)]


def cyclegan(clones: Clones) -> Any:
    stubs: Any = {"deeplab": {"Deeplab": None}, "fcn8s_LSD": {"FCN8s_LSD": None}}
    return clones.module("BDL", "networks", stubs, root="cyclegan")


@compare("BDL", "CycleGAN's generator, nine blocks", "core/networks/generator.py")
def generator(clones: Clones) -> Pair:
    made = cyclegan(clones)
    ours = Generator(4, 8, 9)
    theirs = made.ResnetGenerator(4, 4, 8, made.get_norm_layer("instance"), n_blocks=9)
    same(ours, theirs)
    image = torch.tanh(normal(2, 4, 48, 64))
    return [ours(image, torch.ones(2, 48, 64, dtype=torch.bool))], [theirs(image)]


@compare("BDL", "PatchGAN and its least-squares losses", "core/networks/patchgan.py")
def patchgan(clones: Clones) -> Pair:
    made = cyclegan(clones)
    ours, theirs = PatchGan(4, 8), made.NLayerDiscriminator(4, 8, 3, made.get_norm_layer("instance"))
    same(ours, theirs)
    image, everywhere = torch.tanh(normal(2, 4, 48, 64)), torch.ones(2, 48, 64, dtype=torch.bool)
    mine, its, criterion = ours(image, everywhere), theirs(image), made.GANLoss()
    losses = [criterion(its, real) for real in (True, False)]
    return [mine, *((mine - truth).square().mean() for truth in (1.0, 0.0))], [its, *losses]


@compare(
    "BDL",
    "perceptual loss as in the code",
    "core/parts/perceptual.py",
    remark="of logits, instance-normalised",
)
def perceptual(clones: Clones) -> Pair:
    theirs = clones.function("BDL", "cyclegan/cycle_gan_model.py", "compute_semantic_loss", torch=torch)
    a, b = normal(2, CITYSCAPES, 24, 24), 2 * normal(2, CITYSCAPES, 24, 24, seed=1)
    its = theirs(SimpleNamespace(instancenorm=nn.InstanceNorm2d(CITYSCAPES, affine=False)), a, b)

    class Asis(nn.Module):
        def forward(self, image: Tensor) -> Any:
            return SimpleNamespace(logits=image)

    ours, everywhere = Perceptual(Asis(), measure="normalised"), torch.ones(2, 24, 24)
    return [ours._distance(*(ours._seen(x, everywhere) for x in (a, b)), everywhere)], [its]
