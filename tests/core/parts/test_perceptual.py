"""T-BDL-2: the network that judges translations is at rest; what it says counts in their loss."""

from pathlib import Path

import pytest
import torch
from engines import bench_for, copied, draw, job_for
from torch import Tensor, nn

from core.bench import SOURCE, TARGET, Bench
from core.draws import rng
from core.networks.outputs import Batch, Outputs
from core.parts.cyclegan import CycleGan, Translated, TranslatorOptions
from core.parts.perceptual import Measure, Perceptual

K, SIDE = 3, 32
MEASURES = ["probabilities", "normalised"]


class Reads(nn.Module):
    """Its logits are the image."""

    def forward(self, image: Tensor) -> Outputs:
        return Outputs(image)


def batch(image: Tensor, valid: Tensor | None = None) -> Batch:
    b, _, h, w = image.shape
    valid = torch.ones(b, h, w, dtype=torch.bool) if valid is None else valid
    return Batch(image, torch.zeros(b, h, w, dtype=torch.long), torch.ones(b, h, w), valid)


def noise(seed: int) -> Tensor:
    return torch.randn(2, K, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("measure", MEASURES)
def test_nothing_is_lost_where_nothing_changes(measure: Measure) -> None:
    source, target = noise(0), noise(1)
    same = Translated(source, target, source, target)
    assert Perceptual(Reads(), measure=measure)(batch(source), batch(target), same) == 0


def test_probabilities_differ_by_their_sum_over_classes_and_each_weight_counts_on_its_own() -> None:
    source, target = torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 4, 4)
    surer = source.clone()
    surer[:, 0] = torch.log(torch.tensor(3.0))  # 0.75 : 0.25 instead of 0.5 : 0.5
    surer[..., 2:, :] = 0  # in half of the pixels
    once, twice = Translated(surer, target, source, target), Translated(source, target, source, surer)
    judge = Perceptual(Reads(), translated=0.1, again=10.0)
    assert judge(batch(source), batch(target), once).item() == pytest.approx(0.1 * 0.25)
    assert judge(batch(source), batch(target), twice).item() == pytest.approx(10 * 0.25)


def test_normalised_logits_are_blind_to_scale_and_offset() -> None:
    source, target = noise(0), noise(1)
    again = Translated(3 * source + 1, target, source, 0.5 * target - 2)
    close = Perceptual(Reads(), 1.0, 1.0, "normalised")(batch(source), batch(target), again)
    assert close.item() == pytest.approx(0, abs=1e-6)
    assert Perceptual(Reads(), 1.0, 1.0)(batch(source), batch(target), again) > 0.1


@pytest.mark.parametrize("measure", MEASURES)
def test_nodata_is_neither_compared_nor_normalised_with(measure: Measure) -> None:
    valid = torch.ones(2, SIDE, SIDE, dtype=torch.bool)
    valid[:, :, SIDE // 2 :] = False

    def loss(under: float) -> float:
        source, target, there = noise(0), noise(1), noise(2)
        for image in (source, target, there):
            image[..., SIDE // 2 :] = under
        made = Translated(there, there, source, target)
        return Perceptual(Reads(), measure=measure)(batch(source, valid), batch(target, valid), made).item()

    assert loss(0) == loss(9) > 0


@pytest.mark.parametrize("measure", MEASURES)
def test_the_judge_rests_while_the_translators_learn_from_it(tmp_path: Path, measure: Measure) -> None:
    draw(tmp_path)
    bench = bench_for(job_for(tmp_path, "source_only"), tmp_path / "cache")
    bench.phase = bench.phases[0]
    student = bench.segmentor.train()
    judge = Perceptual(student, measure=measure)
    before = copied(judge.network)
    source, target = (_crops(bench, domain) for domain in (SOURCE, TARGET))
    seen: list[Tensor] = []

    def also(made: Translated) -> Tensor:
        seen.extend(made)
        for image in made:
            image.retain_grad()
        # The other losses' gradients drown in these.
        return 1e6 * judge(source, target, made)

    losses = CycleGan(bench, TranslatorOptions(width=8, blocks=1)).learn(source, target, also)
    assert losses["consistency"] > 0
    for image in seen:
        assert image.grad is not None
        assert image.grad.abs().max() > 0
    for network in (judge.network, student):
        assert all(p.grad is None for p in network.parameters())
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, before[name]), name
    assert student.training, "the judge is a copy"
    assert not any(module.training for module in judge.network.modules())


def _crops(bench: Bench, domain: str) -> Batch:
    return bench.batch(domain, [bench.domains[domain].draw(rng(7, domain, i)) for i in range(2)])
