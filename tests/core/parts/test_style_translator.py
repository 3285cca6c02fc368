"""T-TRANS for DCAN: what its translator begins with, what learns, and what it never touches."""

import copy
from pathlib import Path

import pytest
import torch
from engines import assert_equal_weights, bench_for, copied, draw, job_for
from torch import Tensor

from core.bench import TARGET, Bench
from core.networks.adain_generator import AdainGenerator, middle
from core.networks.outputs import Batch
from core.parts import frozen_encoder
from core.parts.channel_statistics import align, channel_statistics
from core.parts.frozen_encoder import FrozenEncoder
from core.parts.style_translator import StyleTranslator, content_loss, style_loss


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("places")
    draw(folder)
    bench = bench_for(job_for(folder, "dcan", schedule={"steps": 200}), folder / "cache")
    bench.phase = next(phase for phase in bench.phases if phase.name == "translate")
    return bench


def pair(seed: int = 0) -> tuple[Batch, Batch]:
    """A source and a target batch, both with nodata in them, the source's labels all there."""
    torch.manual_seed(seed)
    label = torch.randint(0, 3, (2, 32, 32))
    valid = torch.ones(2, 32, 32, dtype=torch.bool)
    valid[0, :, :7] = False
    images = (
        torch.randn(2, 4, 32, 32),
        0.5 * torch.randn(2, 4, 32, 32) + torch.tensor([1.0, -1, 0, 0.5]).view(4, 1, 1),
    )
    source, target = (Batch(image * valid.unsqueeze(1), label, valid.float(), valid) for image in images)
    return source, target


def learnt(bench: Bench, steps: int) -> tuple[StyleTranslator, list[dict[str, float]]]:
    translator, said = StyleTranslator(bench), []
    for step in range(steps):
        bench.step_now = step
        losses = translator.learn(*pair(), style_weight=1.0)
        said.append({name: float(loss) for name, loss in losses.items()})
    return translator, said


def test_untrained_it_matches_bands_in_the_targets_range_and_leaves_labels_and_nodata(bench: Bench) -> None:
    source, target = pair()
    made = StyleTranslator(bench).to_target(source, target)
    matched = align(source.image, source.valid, channel_statistics(target.image, target.valid))
    torch.testing.assert_close(made.image, bench.within(TARGET, matched, source.valid))
    stats = bench.domains[TARGET].stats
    for band in range(4):
        low, high = ((edge[band] - stats.mean[band]) / stats.std[band] for edge in (stats.low, stats.high))
        assert low - 1e-5 <= made.image[:, band].min()
        assert made.image[:, band].max() <= high + 1e-5
    assert made.image[0, :, :, :7][:, ~source.valid[0, :, :7]].abs().sum() == 0
    for name in ("label", "weight", "valid"):
        assert torch.equal(getattr(made, name), getattr(source, name))
    assert not made.image.requires_grad


def test_learning_lowers_both_losses_and_changes_the_generator_alone(bench: Bench) -> None:
    before = copied(bench.segmentor)
    translator, said = learnt(bench, 25)
    first, last = said[0], said[-1]
    assert last["content"] + last["style"] < 0.95 * (first["content"] + first["style"])
    assert_equal_weights(before, dict(bench.segmentor.state_dict()))
    assert_equal_weights(before, dict(translator.encoder.network.state_dict()))
    assert not any(p.requires_grad for p in translator.encoder.network.parameters())
    assert not any(module.training for module in translator.encoder.network.modules())
    made = translator.to_target(*pair()).image
    assert not torch.allclose(made, StyleTranslator(bench).to_target(*pair()).image, atol=1e-3)


def test_what_lies_under_nodata_changes_no_loss_and_no_pixel(bench: Bench) -> None:
    def found(under: float) -> tuple[list[float], Tensor]:
        translator = StyleTranslator(bench)
        source, target = pair()
        valid = source.valid.clone()
        valid[:, :, 16:] = False
        batches = [
            batch._replace(image=torch.where(valid.unsqueeze(1), batch.image, under), valid=valid)
            for batch in (source, target)
        ]
        # The encoder sees what a standardised image holds under nodata.
        batches = [b._replace(image=b.image * b.valid.unsqueeze(1)) for b in batches]
        losses = translator.learn(batches[0], batches[1], 1.0)
        return [float(loss) for loss in losses.values()], translator.to_target(batches[0], batches[1]).image

    (losses, image), (same, again) = found(0.0), found(50.0)
    assert losses == same
    assert torch.equal(image, again)


def test_a_translator_that_is_kept_goes_on_where_it_was(bench: Bench) -> None:
    translator, _ = learnt(bench, 3)
    other = StyleTranslator(bench)
    other.load_state_dict(copy.deepcopy(translator.state_dict()))
    for each in (translator, other):
        bench.step_now = 3
        each.learn(*pair(1), style_weight=1.0)
    assert_equal_weights(dict(translator.network.state_dict()), dict(other.network.state_dict()))


def test_the_losses_count_valid_cells_alone_and_are_shares() -> None:
    valid = torch.ones(1, 32, 32, dtype=torch.bool)
    wanted = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert content_loss(wanted, wanted, valid) == 0
    assert content_loss(torch.zeros_like(wanted), wanted, valid) == pytest.approx(1.0)
    assert content_loss(0 * wanted, 7 * wanted, valid) == pytest.approx(1.0)
    valid[..., 16:] = False
    spoilt = wanted.clone()
    spoilt[..., 4:] = 9
    assert content_loss(spoilt, wanted, valid) == 0
    style = channel_statistics(wanted, valid)
    assert style_loss([spoilt], valid, [style]) == 0
    assert style_loss([wanted + style.std], valid, [style]) == pytest.approx(1.0, abs=1e-4)
    assert style_loss([wanted], torch.zeros_like(valid), [style]) == 0


def test_the_encoder_is_the_pretrained_one_where_there_is_one_and_else_the_warm_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path)
    bench = bench_for(job_for(tmp_path, "dcan"), tmp_path / "cache")
    initial = bench.fresh()
    with torch.no_grad():
        for parameter in bench.segmentor.parameters():
            parameter.add_(0.1)
    image = torch.randn(1, 4, 32, 32)
    warm = FrozenEncoder(bench)(image)
    torch.testing.assert_close(warm[-1], bench.segmentor.eval().stages(image)[-1])
    bench.job = bench.job.model_copy(
        update={"network": bench.job.network.model_copy(update={"weights": "some"})}
    )
    monkeypatch.setattr(frozen_encoder.Bench, "fresh", lambda _: initial)
    torch.testing.assert_close(FrozenEncoder(bench)(image)[-1], initial.eval().stages(image)[-1])


def test_maps_are_those_coarser_than_the_image_and_the_middle_ends_at_an_eighth() -> None:
    image = torch.zeros(1, 4, 64, 64)

    def sizes(*of: int) -> list[int]:
        return [each.shape[-1] for each in middle([torch.zeros(1, 2, n, n) for n in of], image)]

    assert sizes(32, 16, 8, 4, 2) == [32, 16, 8]
    assert sizes(32, 16, 8, 8, 8) == [32, 16, 8], "dilated: the first of one size"
    assert sizes(4, 4, 4) == [4], "a plain vision transformer has nothing finer"


def test_an_encoder_gives_neither_the_image_nor_empty_maps(bench: Bench, tmp_path: Path) -> None:
    draw(tmp_path)
    at_two = {"multi_resolution": {"attention_width": 8}}
    sees_half = bench_for(job_for(tmp_path, "dcan", network=at_two), tmp_path / "cache")
    for at, side in ((bench, 32), (sees_half, 64)):
        maps = FrozenEncoder(at)(torch.randn(1, 4, side, side))
        assert [each.shape[1:] for each in maps] == [(64, 16, 16), (64, 8, 8), (128, 4, 4)]


def test_the_generator_takes_any_bands_and_sizes_and_at_first_adds_nothing() -> None:
    torch.manual_seed(0)
    image, maps = torch.randn(2, 7, 45, 50), [torch.randn(2, 3, 23, 25), torch.randn(2, 6, 12, 13)]
    network = AdainGenerator(7, [3, 6], width=8)
    assert torch.equal(network(image, maps), image)
    torch.nn.init.normal_(network.leave.weight)
    moved = network(image, maps)
    assert moved.shape == image.shape
    for i in range(len(maps)):
        other = [m if j != i else m + 1 for j, m in enumerate(maps)]
        assert not torch.allclose(network(image, other), moved), "every scale is seen"
    assert not torch.allclose(network(image, maps)[:, :, 10], image[:, :, 10])
