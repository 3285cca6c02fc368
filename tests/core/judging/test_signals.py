"""Signals: on held-out source in either look, and on places of few crops."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from engines import BANDS, bench_for, draw, job_for
from torch import Tensor, nn
from worlds import noise, write_raster

from core.bench import SOURCE, TARGET
from core.judging.signals import Crops, fixed_crops, measure_signals, source_shares
from core.networks.outputs import Outputs


@pytest.mark.parametrize("crop_px", [32, 64])
def test_source_shares_are_those_of_the_trainable_labels(tmp_path: Path, crop_px: int) -> None:
    """Of eight columns four are water, two field and one town, and one is not labelled."""
    draw(tmp_path)
    label = np.tile(np.array([0, 0, 0, 0, 1, 1, 2, 255], np.uint8), (96, 12))
    write_raster(tmp_path / "source.tif", noise(4, 96, 96, "uint16"), names=BANDS)
    write_raster(tmp_path / "source-labels.tif", label, nodata=255)
    job = job_for(tmp_path, "source_only", sampling={"crop_px": crop_px})
    shares = source_shares(bench_for(job, tmp_path / "cache"))
    assert shares == pytest.approx([4 / 7, 2 / 7, 1 / 7], abs=1e-3)


class _Says(nn.Module):
    """Gives these logits."""

    def __init__(self, logits: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, image: Tensor) -> Outputs:
        return Outputs(self.logits(image))


def corner(image: Tensor) -> Tensor:
    """The second class in the first quarter of what is seen, whatever that is, and the first elsewhere."""
    logits = torch.zeros(len(image), 3, *image.shape[2:])
    logits[:, 0], logits[:, 1, :16, :16] = 1, 2
    return logits


@pytest.mark.parametrize(
    ("says", "agreement"),
    [
        (lambda image: image[:, :3], 1.0),
        (corner, 0.5),
        (lambda image: corner(image).flip(3), 1.0),
    ],
)
def test_a_turned_crop_is_turned_back_before_it_is_compared(
    tmp_path: Path, says: Callable[[Tensor], Tensor], agreement: float
) -> None:
    """T-RS-3: what is said of the first quarter comes back as said of the last; of the second, in place."""
    draw(tmp_path)
    bench = bench_for(job_for(tmp_path, "source_only"), tmp_path / "cache")
    drawn = fixed_crops(bench, 3).target
    everywhere = [sample._replace(valid=np.ones_like(sample.valid)) for sample in drawn]
    found = measure_signals(bench, _Says(says), Crops(everywhere, [])).signals
    assert found.d4_agreement == pytest.approx(agreement)


class _Watcher(nn.Module):
    """Says the first class, and keeps what it saw."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes, self.seen = classes, list[Tensor]()

    def forward(self, image: Tensor) -> Outputs:
        self.seen.append(image)
        logits = torch.zeros(len(image), self.classes, *image.shape[2:])
        logits[:, 0] = 1
        return Outputs(logits)


def test_held_out_source_is_seen_as_it_is_and_with_the_means_of_the_target(tmp_path: Path) -> None:
    draw(tmp_path)
    bench = bench_for(job_for(tmp_path, "source_only", sampling={"batch": 2}), tmp_path / "cache")
    crops, model = fixed_crops(bench, 3), _Watcher(bench.classes)
    found = measure_signals(bench, model, crops).signals
    assert found.holdout_moved_miou == found.holdout_miou, "of a model that looks at nothing"
    as_is, moved = model.seen[-2:]
    held, like = bench.batch(SOURCE, crops.held[-len(as_is) :]), bench.batch(TARGET, crops.target)
    assert torch.equal(as_is, held.image)
    means = like.image.sum((2, 3)) / like.valid.sum((1, 2)).unsqueeze(1)
    mine = moved[0].sum(dim=(1, 2)) / held.valid[0].sum()
    assert any(torch.allclose(mine, mean, atol=1e-3) for mean in means)
    assert not torch.allclose(as_is, moved, atol=0.05)
