"""Signals: on held-out source in either look, and on places of few crops."""

from pathlib import Path

import pytest
import torch
from engines import bench_for, draw, job_for
from torch import Tensor, nn

from core.bench import SOURCE, TARGET
from core.networks.outputs import Outputs
from core.signals import fixed_crops, measure_signals, source_shares


@pytest.mark.parametrize("crop_px", [32, 64])
def test_source_shares_are_those_of_the_trainable_labels(tmp_path: Path, crop_px: int) -> None:
    draw(tmp_path)
    job = job_for(tmp_path, "source_only", sampling={"crop_px": crop_px})
    bench = bench_for(job, tmp_path / "cache")
    pixels = bench.domains[SOURCE].class_pixels
    assert source_shares(bench) == pytest.approx(list(pixels / pixels.sum()))
    assert pixels.min() > 0


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
