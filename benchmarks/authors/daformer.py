"""DAFormer: whole steps of self-training, theirs driven with our networks."""

from functools import lru_cache
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.authors import mm
from benchmarks.authors.clones import Clones
from benchmarks.authors.table import Pair, compare
from benchmarks.authors.world import bench_for, job, recorded
from core.networks.segmentor import Segmentor

K, STEPS, START = 5, 3, 2
"""START: at which update of the teacher both begin; their first step plots, and ours copies the student."""
MEMORY, CLASSES = 0.005, [0, 2]
NEVER = 10**9


class Named(nn.Module):
    """A segmentor of ours under their verbs, with their loss."""

    def __init__(self, network: Segmentor, loss: nn.Module) -> None:
        super().__init__()
        self.network, self.loss = network, loss

    def forward_train(
        self, image: Tensor, _: Any, label: Tensor, weight: Tensor | None = None, **__: Any
    ) -> dict[str, Any]:
        seen = self.network(image)
        loss = self.loss(seen.logits, label.squeeze(1), weight, ignore_index=255)
        return {"features": [seen.features], "loss_seg": loss}

    def extract_feat(self, image: Tensor) -> list[Tensor]:
        return [self.network.features(image)]

    def encode_decode(self, image: Tensor, _: Any) -> Tensor:
        logits: Tensor = self.network(image).logits
        return logits


def summed(losses: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """What mmsegmentation does of a head's losses: their sum, and each for the log."""
    return sum(losses.values(), torch.zeros(())), dict(losses)


def theirs(
    clones: Clones, student: Segmentor, teacher: Segmentor, initial: Segmentor, momentum: float
) -> Any:
    """Their self-training around three networks of ours; jitter and blur off."""
    stubs: Any = {
        "mmcv": {},
        "mmcv.parallel": {"MMDistributedDataParallel": type(None)},
        "kornia": {},
        "matplotlib": {"pyplot": None},
        "mmseg.core": {"add_prefix": clones.module("DAFormer", "mmseg.core.utils.misc").add_prefix},
        "mmseg.models": {"UDA": mm.Registry(), "build_segmentor": None, "BaseSegmentor": nn.Module},
        "mmseg.models.utils": {},
        "mmseg.models.utils.visualization": {"subplotimg": None},
        "mmseg.utils": {},
    }
    loss = clones.module("DAFormer", "mmseg.models.losses.cross_entropy_loss", mm.LOSSES).CrossEntropyLoss()
    kind = clones.module("DAFormer", "mmseg.models.uda.dacs", stubs).DACS
    made = kind.__new__(kind)
    nn.Module.__init__(made)
    for name, value in {
        "model": Named(student, loss).train(),
        "ema_model": Named(teacher, loss).train(),
        "imnet_model": Named(initial, loss),
        "num_classes": K,
        "local_iter": START - 1,
        "alpha": momentum,
        "pseudo_threshold": 0.3,
        "psweight_ignore_top": 0,
        "psweight_ignore_bottom": 0,
        "fdist_lambda": MEMORY,
        "fdist_classes": CLASSES,
        "fdist_scale_min_ratio": 0.75,
        "enable_fdist": True,
        "blur": False,
        "color_jitter_s": 0.0,
        "color_jitter_p": 1.0,
        "debug_img_interval": NEVER,
        "print_grad_magnitude": False,
        "_parse_losses": summed,
    }.items():
        setattr(made, name, value)
    return made


@lru_cache(1)
def trained(clones: Clones) -> tuple[list[Tensor], list[Tensor], Segmentor, Any, Any]:
    """Losses of each step on both sides, then our student, their side, and our teacher."""
    options = {
        "warm_share": 0.0,
        "teacher_momentum": 0.7,
        "threshold": 0.3,
        "jitter": 0.0,
        "blur": 0.0,
    }
    bench, chosen = bench_for(
        job(
            "daformer",
            K,
            options=options,
            network={
                "decoder": "unet",
                "encoder": "resnet18",
                "encoder_depth": 3,
                "decoder_channels": [16, 8, 8],
            },
            schedule={"steps": STEPS, "lr": 1e-4, "warmup": 0, "poly_power": 0, "weight_decay": 0.01},
            sampling={"crop_px": 64},
        ),
        unlabelled=0,
    )
    # Without pretrained weights a job would be refused: there is nothing to remember but noise, as here.
    memory = {"feature_distance": MEMORY, "feature_classes": [f"class {c}" for c in CLASSES]}
    seen, keep, mine, its = recorded(bench), bench.keep, [], []
    student, teacher, initial = bench.fresh(), bench.fresh(), bench.fresh()
    other = theirs(clones, student, teacher, initial, 0.7)
    optimizer = bench.optimizer(student)

    def begin_alike(phase: str, /, **things: Any) -> None:
        if "teacher" in things:
            things["teacher"].updates = START
        keep(phase, **things)

    bench.keep = begin_alike  # type: ignore[method-assign]
    metas = [{"img_norm_cfg": {"mean": np.zeros(3), "std": np.ones(3)}}]
    for found in chosen.module.train(bench, chosen.options.model_copy(update=memory)):
        assert isinstance(found, dict)
        source, target = seen[-1]
        known = source.label[:, None]

        def as_ours(n: int, chosen_count: int, **_: Any) -> Any:
            return bench.rng("mix").permutation(list(range(n)))[:chosen_count]

        optimizer.zero_grad()
        with mock.patch.object(np.random, "choice", as_ours):
            log = other.forward_train(source.image, metas, known, target.image, metas)
        optimizer.step()
        mine += [found["supervised"], found["feature_distance"], found["self_taught"]]
        its += [log["loss_seg"], log["src.loss_imnet_feat_dist"], log["mix.loss_seg"]]
    return mine, its, bench.segmentor, other, bench.kept["teacher"]


REMARK = (
    "a small U-Net of ours on both sides, all pixels labelled, batch 1, jitter and blur off, the same "
    "classes pasted, the teacher's count of updates begun alike"
)


@compare(
    "DAFormer", f"{STEPS} steps of training: the losses of each", "core/methods/daformer.py", remark=REMARK
)
def losses(clones: Clones) -> Pair:
    mine, its, *_ = trained(clones)
    return mine, its


@compare("DAFormer", f"student after {STEPS} steps", "core/methods/daformer.py", remark="every parameter")
def students(clones: Clones) -> Pair:
    *_, student, other, _ = trained(clones)
    return list(student.parameters()), list(other.model.network.parameters())


@compare(
    "DAFormer",
    f"teacher after {STEPS} steps",
    "core/methods/daformer.py",
    remark="every parameter; theirs moves before a step, ours after it",
)
def teachers(clones: Clones) -> Pair:
    *_, other, teacher = trained(clones)
    other._update_ema(other.local_iter)
    return list(teacher.network.parameters()), list(other.ema_model.network.parameters())
