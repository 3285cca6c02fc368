"""DACS, DAFormer and MIC's teacher: mixing, trust, the moving average, rare classes, features, decoder."""

import json
import os.path
import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.authors import mm
from benchmarks.authors.clones import Clones, on_the_cpu
from benchmarks.authors.table import Pair, compare
from benchmarks.authors.world import batch, blocks, normal
from core.imagery.rare_classes import class_probabilities
from core.networks.daformer import DAFormerDecoder
from core.networks.outputs import Batch, Outputs
from core.parts.feature_distance import FeatureDistance
from core.parts.losses import cross_entropy, pixel_cross_entropy
from core.parts.mixing import class_mix
from core.parts.pseudo_labels import image_trust
from core.parts.teacher import Teacher

K, SIDE = 7, 32
UNLABELLED = "no 255 among the labels: ours never pastes it, theirs takes it for a class"


class Chosen:
    """A generator that "draws" the classes that theirs drew, one image after the other."""

    def __init__(self, masks: Sequence[Tensor], labels: Sequence[Tensor]) -> None:
        self.of = [torch.unique(label[mask > 0]) for mask, label in zip(masks, labels, strict=True)]

    def permutation(self, present: list[int]) -> list[int]:
        first = self.of.pop(0).tolist()
        return first + [c for c in present if c not in first]


def drawn() -> tuple[Batch, Batch, Tensor, Tensor]:
    """Source, target, and logits of teacher and student; the teacher is sure of about half."""
    teacher, student = 4 * normal(2, K, SIDE, SIDE, seed=2), normal(2, K, SIDE, SIDE, seed=3)
    return batch(2, SIDE, K, seed=0), batch(2, SIDE, K, seed=1), teacher, student


def ours_mixed(masks: Sequence[Tensor]) -> list[Tensor]:
    """The mixed batch and its loss, trust for the whole batch as in all of their codes."""
    source, target, teacher, student = drawn()
    pseudo = image_trust(torch.softmax(teacher, 1), target.valid, scope="batch")
    mixed = class_mix(source, target, pseudo, cast(Any, Chosen(masks, list(source.label))))
    return [mixed.image, mixed.label, mixed.weight, cross_entropy(Outputs(student), mixed)]


@compare(
    "DACS",
    "ClassMix with trust: image, label, weight, loss",
    "core/parts/mixing.py, pseudo_labels.py",
    remark=f"the lines of trainUDA.py from teacher to loss, jitter and blur off; {UNLABELLED}",
)
def dacs_mix(clones: Clones) -> Pair:
    gpu = clones.module("DACS", "utils.transformsgpu", {"kornia": {}})
    strong = clones.function(
        "DACS", "trainUDA.py", "strongTransform", transformsgpu=gpu, torch=torch, IMG_MEAN=np.zeros(3)
    )
    source, target, teacher, student = drawn()
    with on_the_cpu():
        names = clones.lines(
            "DACS",
            "trainUDA.py",
            "pseudo_label = torch.softmax(",
            "loss = L_l + L_u",
            torch=torch,
            np=np,
            random=random,
            transformmasks=clones.module("DACS", "utils.transformmasks"),
            strongTransform=strong,
            logits_u_w=teacher,
            labels=source.label,
            images=source.image,
            images_remain=target.image,
            batch_size=2,
            mix_mask="class",
            random_flip=False,
            color_jitter=False,
            gaussian_blur=False,
            interp=lambda logits: logits,
            model=lambda _: student,
            pixel_weight="threshold_uniform",
            consistency_loss="CE",
            consistency_weight=1,
            unlabeled_loss=clones.module("DACS", "utils.loss").CrossEntropyLoss2dPixelWiseWeighted(),
        )
    theirs = [names[name] for name in ("inputs_u_s", "targets_u", "pixelWiseWeight", "L_u")]
    return ours_mixed([names["MixMask0"][0], names["MixMask1"][0]]), theirs


@compare(
    "DACS",
    "cross-entropy on the source, a quarter unlabelled",
    "core/parts/losses.py",
    remark="theirs too is a mean over the labelled pixels",
)
def dacs_source(clones: Clones) -> Pair:
    z, label = normal(2, K, SIDE, SIDE), blocks(2, SIDE, K)
    label[:, : SIDE // 4] = 255
    theirs = clones.module("DACS", "utils.loss").CrossEntropy2d()
    return [pixel_cross_entropy(z, label, torch.ones(label.shape))], [theirs(z, label)]


@compare(
    "DAFormer",
    "ClassMix: image and label",
    "core/parts/mixing.py",
    remark=f"image by image: theirs draws from the classes of the whole batch; {UNLABELLED}",
)
def daformer_mix(clones: Clones) -> Pair:
    theirs = clones.module("DAFormer", "mmseg.models.utils.dacs_transforms", {"kornia": {}})
    source, target, teacher, _ = drawn()
    pseudo = torch.softmax(teacher, 1).argmax(1)
    masks = [theirs.get_class_masks(label[None, None])[0] for label in source.label]
    images, labels = [], []
    for i, mask in enumerate(masks):
        images.append(theirs.one_mix(mask, torch.stack((source.image[i], target.image[i])))[0])
        labels.append(theirs.one_mix(mask, target=torch.stack((source.label[i], pseudo[i])))[1])
    mine = ours_mixed([mask[0, 0] for mask in masks])
    return mine[:2], [torch.cat(images), torch.stack([label.view(SIDE, SIDE) for label in labels])]


@compare("MIC", "pseudo label and trust", "core/parts/pseudo_labels.py", remark="trust for the whole batch")
def mic_trust(clones: Clones) -> Pair:
    path = "seg/mmseg/models/uda/teacher_module.py"
    theirs = clones.function("MIC", path, "get_pseudo_label_and_weight", torch=torch, np=np)
    _, target, teacher, _ = drawn()
    pseudo = image_trust(torch.softmax(teacher, 1), target.valid, scope="batch")
    return pseudo, theirs(SimpleNamespace(pseudo_threshold=0.968), teacher)


def following(clones: Clones, update: Any) -> Pair:
    """A teacher after each of twelve steps of its student, six of them in the warm-up."""
    student = nn.Conv2d(3, 4, 3)
    ours, theirs = Teacher(student, 0.8), nn.Conv2d(3, 4, 3)
    mine: list[Tensor] = []
    its: list[Tensor] = []
    for step in range(12):
        with torch.no_grad():
            for p in student.parameters():
                p.add_(torch.randn_like(p))
        ours.follow(student)
        update(clones, theirs, student, step)
        mine += [p.clone() for p in ours.network.parameters()]
        its += [p.detach().clone() for p in theirs.parameters()]
    return mine, its


@compare("DACS", "moving average of the teacher", "core/parts/teacher.py")
def dacs_teacher(clones: Clones) -> Pair:
    theirs = clones.function("DACS", "trainUDA.py", "update_ema_variables", gpus=[0])
    return following(clones, lambda _, teacher, student, step: theirs(teacher, student, 0.8, step))


@compare(
    "DAFormer",
    "moving average of the teacher",
    "core/parts/teacher.py",
    remark="by the number of the update; theirs counts from 1, from a copy of the initial student",
)
def daformer_teacher(clones: Clones) -> Pair:
    theirs = clones.function("DAFormer", "mmseg/models/uda/dacs.py", "_update_ema")

    def update(_: Clones, teacher: nn.Module, student: nn.Module, step: int) -> None:
        both = {"get_ema_model": lambda: teacher, "get_model": lambda: student}
        theirs(SimpleNamespace(alpha=0.8, **both), step)

    return following(clones, update)


@compare(
    "DAFormer",
    "rare-class probabilities",
    "core/imagery/rare_classes.py",
    remark="temperature 0.01, as in the paper",
)
def rare_classes(clones: Clones) -> Pair:
    names = {"json": json, "osp": os.path, "torch": torch}
    theirs = clones.function("DAFormer", "mmseg/datasets/uda_dataset.py", "get_rcs_class_probs", **names)
    counts = np.array([9_000_000, 300, 5_500_000, 120_000, 8_000_000, 40_000])
    half = counts // 2
    files = [{str(c): int(n) for c, n in enumerate(part)} for part in (half, counts - half)]
    with TemporaryDirectory() as folder:
        stats = [{"file": f"{i}.png", **file} for i, file in enumerate(files)]
        (Path(folder) / "sample_class_stats.json").write_text(json.dumps(stats))
        classes, probabilities = theirs(folder, 0.01)
    return [torch.from_numpy(class_probabilities(counts, 0.01))[classes]], [torch.from_numpy(probabilities)]


@compare(
    "DAFormer",
    "feature distance of chosen classes",
    "core/parts/feature_distance.py",
    remark="cells of exactly 75 % among them; some 255",
)
def feature_distance(clones: Clones) -> Pair:
    path, named = "mmseg/models/uda/dacs.py", {"torch": torch}
    downscale = clones.function(
        "DAFormer", "mmseg/utils/utils.py", "downscale_label_ratio", F=nn.functional, torch=torch
    )
    before, seen = normal(2, 16, 8, 8), normal(2, 16, 8, 8, seed=1)
    label = blocks(2, 64, 3, cell=4)
    label[:, :12] = 255
    at_rest = SimpleNamespace(eval=lambda: None, extract_feat=lambda _: [before])
    masked = clones.function("DAFormer", path, "masked_feat_dist", **named)
    its = SimpleNamespace(
        enable_fdist=True,
        fdist_classes=[0, 2],
        fdist_scale_min_ratio=0.75,
        fdist_lambda=0.005,
        num_classes=3,
        get_imnet_model=lambda: at_rest,
        masked_feat_dist=lambda *given: masked(None, *given),
        _parse_losses=lambda losses: (*losses.values(), {}),
    )
    theirs = clones.function("DAFormer", path, "calc_feat_dist", downscale_label_ratio=downscale, **named)
    loss, _ = theirs(its, torch.zeros(2, 3, 64, 64), label[:, None], [seen])
    ours: Any = FeatureDistance.__new__(FeatureDistance)
    ours.weight, ours.classes, ours.initial = 0.005, [0, 2], SimpleNamespace(features=lambda _: before)
    return [ours.loss(Outputs(seen, features=seen), batch(2, 64, 3, 0)._replace(label=label))], [loss]


def weighted(clones: Clones, unlabelled: int) -> Pair:
    theirs = clones.module("DAFormer", "mmseg.models.losses.cross_entropy_loss", mm.LOSSES)
    label, weight = blocks(2, SIDE, K), normal(2, SIDE, SIDE).abs()
    label[:, :unlabelled] = 255
    z = normal(2, K, SIDE, SIDE, seed=1)
    its = theirs.CrossEntropyLoss()(z, label, weight, ignore_index=255)
    return [pixel_cross_entropy(z, label, weight, "all")], [its]


@compare("DAFormer", "weighted cross-entropy", "core/parts/losses.py")
def weighted_in_full(clones: Clones) -> Pair:
    return weighted(clones, 0)


@compare(
    "DAFormer",
    "the same, a quarter unlabelled",
    "core/parts/losses.py",
    remark="with mean_over: all; by default ours is a mean over the labelled pixels",
)
def weighted_in_part(clones: Clones) -> Pair:
    return weighted(clones, SIDE // 4)


@compare(
    "DAFormer",
    "decoder: separable ASPP over four stages",
    "core/networks/daformer.py",
    remark="mmcv's convolution module is a stub of ours; batch statistics, dropout off",
)
def decoder(clones: Clones) -> Pair:
    channels, width = [8, 16, 24, 32], 16
    ours = DAFormerDecoder([3, 0, *channels], K, width)
    ours.dropout.p = 0.0
    head = clones.module("DAFormer", "mmseg.models.decode_heads.daformer_head", mm.HEADS)
    relu = {"norm_cfg": {"type": "BN"}, "act_cfg": {"type": "ReLU"}}
    embed = {"type": "mlp", "norm_cfg": None, "act_cfg": None}
    aspp = {"type": "aspp", "sep": True, "dilations": (1, 6, 12, 18), "pool": False, **relu}
    theirs = head.DAFormerHead(
        in_channels=channels,
        in_index=[0, 1, 2, 3],
        channels=width,
        num_classes=K,
        dropout_ratio=0,
        align_corners=False,
        norm_cfg={"type": "BN"},
        decoder_params={
            "embed_dims": width,
            "embed_cfg": embed,
            "embed_neck_cfg": embed,
            "fusion_cfg": aspp,
        },
    )
    parameters = list(ours.parameters())
    with torch.no_grad():
        # Their classifier is registered first, ours last; their embeddings are linear layers.
        for mine, its in zip(parameters[-2:] + parameters[:-2], theirs.parameters(), strict=True):
            its.copy_(mine.view_as(its))
    stages = [normal(2, c, 32 >> i, 32 >> i, seed=i) for i, c in enumerate(channels)]
    return [ours([normal(1), normal(1), *stages])], [theirs(stages)]
