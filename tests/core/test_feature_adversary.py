"""The adversary of features, cell by cell: AdaptSegNet's ablation and FCAN."""

from functools import partial
from pathlib import Path

import pytest
import torch
from engines import bench_for, draw, job_for

from core.bench import Bench
from core.errors import BadInput
from core.methods import fcan
from core.networks.domain_classifier import DomainClassifier
from core.networks.outputs import Outputs
from core.parts.adversary import Adversary, encoded
from core.registry import choose

SIDE = 64


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    draw(tmp_path)
    bench = bench_for(job_for(tmp_path, "fcan"), tmp_path / "cache")
    bench.phase = bench.phases[-1]
    return bench


def adversary(bench: Bench) -> Adversary:
    make = partial(DomainClassifier, bench.segmentor.feature_channels, 8)
    return Adversary(bench, [1.0], view=lambda features: features, maps=encoded, make=make)


def test_fooling_moves_the_encoder_and_neither_the_decoder_nor_the_classifier(bench: Bench) -> None:
    game, image = adversary(bench), torch.randn(2, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    valid = torch.ones(2, SIDE, SIDE, dtype=torch.bool)
    bench.backward(game.fool(bench.segmentor(image), valid))
    assert all(
        p.grad is not None and p.grad.abs().max() > 0
        for p in bench.segmentor.encoder_parameters()
        if p.ndim > 1
    )
    assert all(p.grad is None for p in bench.segmentor.head_parameters())
    assert all(p.grad is None for p in game.networks.parameters())


def test_a_cell_without_data_counts_in_neither_loss(bench: Bench) -> None:
    valid = torch.ones(2, SIDE, SIDE, dtype=torch.bool)
    valid[..., SIDE // 2 :] = False

    def losses(fill: float) -> tuple[float, float]:
        game = adversary(bench)
        maps = torch.randn(
            2, 2, bench.segmentor.feature_channels, 8, 8, generator=torch.Generator().manual_seed(1)
        )
        maps[..., 4:] = fill
        source, target = (Outputs(torch.empty(0), features=each) for each in maps)
        return float(game.fool(target, valid)), float(game.learn(source, valid, target, valid))

    assert losses(0.0) == losses(50.0)


def test_two_levels_of_features_are_refused_in_words(bench: Bench) -> None:
    with pytest.raises(BadInput, match="levels: multi"):
        choose(bench.job, "adaptsegnet", {"space": "features", "levels": "multi"})


@pytest.mark.parametrize(("asked", "expected"), [(None, 2 * 25), (0, 0), (7, 7)])
def test_by_default_rendering_takes_as_many_iterations_as_there_are_adapting_steps(
    bench: Bench, asked: int | None, expected: int
) -> None:
    options = fcan.Options(appearance=asked, iterations=40)
    schedule = bench.job.schedule.model_copy(update={"steps": 2000})
    bench.job = bench.job.model_copy(update={"schedule": schedule})
    assert bench.job.sampling.batch == 2
    assert fcan.crops(bench, options) == expected
