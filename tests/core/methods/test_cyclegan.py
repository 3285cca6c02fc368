"""T-CYC and T-TRANS: what CycleGAN's parts hold, and who receives which gradient."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from engines import bench_for, copied, draw, job_for
from torch import Tensor, nn

from core.bench import SOURCE, TARGET, Bench
from core.draws import rng
from core.errors import BadInput
from core.imagery.radiometry import Standardise
from core.methods.cyclegan import _some
from core.networks.generator import Generator
from core.networks.instance_norm import instance_norm
from core.networks.outputs import Batch
from core.networks.patchgan import PatchGan
from core.parts.cyclegan import CycleGan, Translated, TranslatorOptions
from core.parts.image_pool import ImagePool
from core.parts.stretch import Stretch
from core.parts.translator import Translator, load_translator
from core.phases import late
from geo_io.band_stats import BandStats


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("places")
    draw(folder)
    bench = bench_for(job_for(folder, "source_only"), folder / "cache")
    bench.phase = bench.phases[0]
    return bench


@pytest.fixture
def pair(bench: Bench) -> tuple[Batch, Batch]:
    def batch(domain: str) -> Batch:
        samples = [bench.domains[domain].draw(rng(7, domain, i)) for i in range(2)]
        return bench.batch(domain, samples)

    return batch(SOURCE), batch(TARGET)


def small(bench: Bench, residual: bool = False) -> CycleGan:
    return CycleGan(bench, TranslatorOptions(width=8, blocks=1, residual=residual))


SHIFT = 0.125


class Same(nn.Module):
    def forward(self, image: Tensor, valid: Tensor) -> Tensor:  # noqa: ARG002  # as a generator
        return image


class Shift(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(SHIFT))

    def forward(self, image: Tensor, valid: Tensor) -> Tensor:  # noqa: ARG002  # as a generator
        return image + self.by


class Brightness(nn.Module):
    def forward(self, image: Tensor, valid: Tensor) -> Tensor:  # noqa: ARG002  # as a discriminator
        return image.mean(1, keepdim=True)


class Fooled(nn.Module):
    """Takes everything for real, with a cell every 4 px, and says nonsense where nothing is valid."""

    def __init__(self) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.zeros(()))

    def forward(self, image: Tensor, valid: Tensor) -> Tensor:  # noqa: ARG002  # as a discriminator
        seen = nn.functional.max_pool2d(valid.unsqueeze(1).float(), 4)
        return 1 + 99 * (1 - seen) + self.by


class Blank(nn.Module):
    def forward(self, image: Tensor, valid: Tensor) -> Tensor:  # noqa: ARG002  # as a generator
        return 0 * image


class Sharp(nn.Module):
    """Takes everything for real that is not blank."""

    def forward(self, image: Tensor, valid: Tensor) -> Tensor:  # noqa: ARG002  # as a discriminator
        return (image != 0).any(1, keepdim=True).float()


def grads(network: nn.Module) -> list[Tensor]:
    return [p.grad for p in network.parameters() if p.grad is not None]


def moved(network: nn.Module, before: dict[str, Tensor]) -> bool:
    return any(not torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_translators_that_change_nothing_have_no_cycle_and_no_identity_loss(
    bench: Bench, pair: tuple[Batch, Batch]
) -> None:
    gan = small(bench)
    for translator in gan.to.values():
        assert isinstance(translator, Translator)
        translator.network = Same()  # type: ignore[assignment]
    losses = gan.learn(*pair)
    assert losses["cycle"].item() == 0
    assert losses["identity"].item() == 0
    assert losses["fooling"].item() > 0


def test_a_step_of_the_translators_leaves_the_discriminators_without_a_gradient(
    bench: Bench, pair: tuple[Batch, Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    gan = small(bench)
    before = copied(gan.to), copied(gan.critics)
    seen: list[tuple[int, int, bool, bool]] = []
    step = bench.step

    def watched(optimizer: torch.optim.Optimizer, factor: float | None = None) -> None:
        counts = len(grads(gan.to)), len(grads(gan.critics))
        step(optimizer, factor)
        seen.append((*counts, moved(gan.to, before[0]), moved(gan.critics, before[1])))

    monkeypatch.setattr(bench, "step", watched)
    gan.learn(*pair)
    (to, critics, to_moved, critics_moved), (to_after, critics_after, *_, all_moved) = seen
    assert (to > 0, critics, to_moved, critics_moved) == (True, 0, True, False)
    assert (to_after, critics_after > 0, all_moved) == (0, True, True)
    assert all(p.requires_grad for p in gan.critics.parameters()), "they must learn again in the next step"


def test_what_is_also_asked_for_gets_every_translation_in_its_own_units(
    bench: Bench, pair: tuple[Batch, Batch]
) -> None:
    gan, given = small(bench), []
    for translator in gan.to.values():
        assert isinstance(translator, Translator)
        translator.network = Shift()  # type: ignore[assignment]

    def also(made: Translated) -> Tensor:
        given.append(made)
        return sum((image.square().mean() for image in made), torch.zeros(()))

    assert gan.learn(*pair, also)["consistency"].item() > 0
    (made,) = given
    source, target = (Stretch.of(bench.domains[domain].stats) for domain in (SOURCE, TARGET))
    seen, unseen = (batch.valid.unsqueeze(1) for batch in pair)
    as_target = target.widen(source.squeeze(pair[0].image) + SHIFT) * seen
    as_source = source.widen(target.squeeze(pair[1].image) + SHIFT) * unseen
    assert torch.allclose(made.as_target, as_target, atol=1e-5)
    before = gan.to[TARGET].network.by.detach() - SHIFT  # type: ignore[union-attr]  # what the step changed
    assert torch.allclose(
        gan.to_target(pair[0]).image, as_target + before * target.reach * seen, atol=1e-5
    ), "in use as in learning"
    assert torch.allclose(made.as_source, as_source, atol=1e-5)
    assert torch.allclose(made.source_again, pair[0].image + 2 * SHIFT * source.reach * seen, atol=1e-5)
    assert torch.allclose(made.target_again, pair[1].image + 2 * SHIFT * target.reach * unseen, atol=1e-5)
    assert all(image.requires_grad for image in made)


def test_losses_are_means_over_what_is_valid(bench: Bench, pair: tuple[Batch, Batch]) -> None:
    """Translators that shift by an eighth, and discriminators that are right but under nodata."""
    gan = small(bench)
    for domain in (SOURCE, TARGET):
        gan.to[domain].network = Shift()  # type: ignore[union-attr]
        gan.critics[domain] = Fooled()
    source = pair[0]._replace(valid=pair[0].valid.clone())
    source.valid[:, :, 8:] = False
    source = source._replace(image=source.image * source.valid.unsqueeze(1))
    losses = gan.learn(source, pair[1])
    assert losses["identity"].item() == pytest.approx(2 * SHIFT, rel=1e-4)
    assert losses["cycle"].item() == pytest.approx(4 * SHIFT, rel=1e-4)
    assert losses["fooling"].item() == 0
    assert losses["images"].item() == pytest.approx(0.5), "half of one for the made, nothing for the real"


def test_discriminators_learn_that_crops_are_real_and_what_is_made_of_them_is_not(
    bench: Bench, pair: tuple[Batch, Batch]
) -> None:
    """Of those that know it already the loss is nought, and that of the translators is whole."""
    gan = small(bench)
    for domain in (SOURCE, TARGET):
        gan.to[domain].network = Blank()  # type: ignore[union-attr]
        gan.critics[domain] = Sharp()
    losses = gan.learn(*pair)
    assert losses["images"].item() == pytest.approx(0, abs=0.01)
    assert losses["fooling"].item() == 2, "one for either domain"


def test_every_loss_pulls_at_the_translators_by_its_weight(
    bench: Bench, pair: tuple[Batch, Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shift's gradient: 1 of each identity and each cycle loss that it is in; of discriminators that see
    brightness alone, what autograd says."""
    source, target = (b._replace(valid=torch.ones_like(b.valid)) for b in pair)
    gan = CycleGan(
        bench, TranslatorOptions(width=8, blocks=1, residual=False, gan=5.0, cycle=3.0, identity=2.0)
    )
    for domain in (SOURCE, TARGET):
        gan.to[domain].network = Shift()  # type: ignore[union-attr]
        gan.critics[domain] = Brightness()
    found: list[float] = []
    monkeypatch.setattr(
        bench,
        "step",
        lambda *_: found.extend(p.grad.item() for p in gan.to.parameters() if p.grad is not None),
    )
    gan.learn(source, target)
    by = torch.tensor(SHIFT, requires_grad=True)
    made = Stretch.of(bench.domains[SOURCE].stats).squeeze(source.image) + by
    (fooling,) = torch.autograd.grad((made.mean(1) - 1).square().mean(), by)
    assert found[0] == pytest.approx(3 * 2 + 2 * 3 + 5 * fooling.item(), rel=1e-4)


def test_nodata_changes_no_loss_and_no_gradient(bench: Bench, pair: tuple[Batch, Batch]) -> None:
    valid = torch.ones(2, 32, 32, dtype=torch.bool)
    valid[:, :, 20:] = False

    def outcome(fill: float) -> tuple[dict[str, float], dict[str, Tensor]]:
        gan = small(bench)
        batches = [
            b._replace(image=torch.where(valid.unsqueeze(1), b.image, fill), valid=valid) for b in pair
        ]
        losses = [gan.learn(*batches) for _ in range(2)][-1]
        return {name: loss.item() for name, loss in losses.items()}, copied(gan.to)

    (losses, weights), (other_losses, other_weights) = outcome(0.0), outcome(5.0)
    assert losses == other_losses
    assert all(torch.equal(weights[name], other_weights[name]) for name in weights)


def test_a_translated_source_is_in_the_targets_range_with_its_own_labels_and_nodata(
    bench: Bench, pair: tuple[Batch, Batch]
) -> None:
    gan, source = small(bench), pair[0]
    with torch.no_grad():
        for p in gan.translator.network.last.parameters():
            p.copy_(torch.full_like(p, 3.0))  # to one end of the tanh
    made = gan.to_target(source)
    stats = bench.domains[TARGET].stats
    top = (np.array(stats.high) - stats.mean) / stats.std
    for band, end in enumerate(top):
        values = made.image[:, band][source.valid].abs()
        assert (
            values.max().item()
            <= max(abs(end), abs((stats.low[band] - stats.mean[band]) / stats.std[band])) + 1e-4
        )
        assert made.image[:, band].max().item() == pytest.approx(end, abs=1e-4)
    assert not source.valid.all()
    assert made.image.abs().amax(1)[~source.valid].max().item() == 0
    for ours, theirs in zip(made[1:], source[1:], strict=True):
        assert torch.equal(ours, theirs)
    assert not made.image.requires_grad


def stats(low: float, high: float, mean: float, std: float) -> BandStats:
    return BandStats(("b",), (low,), (high,), (mean,), (std,), (low,), (high,), 1.0, 1, ((1,),))


@pytest.mark.parametrize(
    "known",
    [stats(0, 255, 96.3, 41.7), stats(0, 65535, 7012.9, 8123.4), stats(-32768, 32767, 1.5, 977.1)],
    ids=["uint8", "uint16", "int16"],
)
def test_every_grey_level_survives_the_stretch(known: BandStats) -> None:
    levels = torch.arange(known.low[0], known.high[0] + 1).view(1, 1, 1, -1)
    standardised = Standardise(known)(levels, torch.ones(1, 1, levels.shape[-1], dtype=torch.bool))
    stretch = Stretch.of(known)
    unit = stretch.squeeze(standardised)
    assert (unit.min().item(), unit.max().item()) == pytest.approx((-1, 1), abs=1e-5)
    back = stretch.widen(unit) * known.std[0] + known.mean[0]
    assert torch.equal(back.round(), levels)


def test_the_stretch_of_two_domains_holds_both() -> None:
    stretch = Stretch.of(stats(0, 100, 50, 10), stats(0, 100, 20, 20))  # standardised -5 to 5 and -1 to 4
    ends = torch.tensor([-5.0, 5.0]).view(1, 1, 1, 2)
    torch.testing.assert_close(stretch.squeeze(ends).flatten(), torch.tensor([-1.0, 1.0]))


def test_a_band_of_one_value_stays_that_value() -> None:
    stretch = Stretch.of(stats(7, 7, 7, 1e-6))
    image = torch.zeros(1, 1, 2, 2)
    assert torch.isfinite(stretch.squeeze(image)).all()
    assert stretch.widen(torch.ones(1, 1, 2, 2)).abs().max().item() < 1e-5


def drawn(n: int) -> Iterator[np.random.Generator]:
    return (np.random.default_rng(i) for i in range(n))


def test_the_pool_fills_and_then_gives_out_older_images_detached() -> None:
    pool, out = ImagePool(50, torch.device("cpu")), []
    for i, generator in enumerate(drawn(200)):
        given = torch.full((1, 1, 2, 2), i / 256, requires_grad=True)
        out.append(pool.swap(given, generator))
        assert len(pool.images) == min(i + 1, 50)
    assert not any(image.requires_grad for image in out)
    own = [image.flatten()[0].item() == i / 256 for i, image in enumerate(out)]
    assert all(own[:50])
    assert 0.3 < sum(own[50:]) / 150 < 0.7
    assert not any(image.requires_grad for image in pool.images)


def test_a_pool_of_nothing_gives_back_what_it_gets() -> None:
    images = torch.rand(3, 1, 2, 2)
    assert torch.equal(ImagePool(0, torch.device("cpu")).swap(images, np.random.default_rng(0)), images)


def test_a_pool_goes_on_from_its_state() -> None:
    pool, again = (ImagePool(4, torch.device("cpu")) for _ in range(2))
    for generator in drawn(9):
        pool.swap(torch.rand(2, 1, 2, 2), generator)
    again.load_state_dict(pool.state_dict())
    image = torch.rand(8, 1, 2, 2)
    assert torch.equal(
        pool.swap(image, np.random.default_rng(5)), again.swap(image, np.random.default_rng(5))
    )


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_share_of_the_crops_stays_as_it_is(share: float) -> None:
    plain = Batch(torch.zeros(400, 1, 1, 1), *(torch.zeros(400, 1, 1),) * 3)
    mixed = _some(plain, plain._replace(image=plain.image + 1), share, np.random.default_rng(0))
    assert 1 - mixed.image.mean().item() == pytest.approx(share, abs=0.08)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (37, 50), (64, 33)])
def test_a_generator_answers_in_the_size_of_any_image_of_any_bands(height: int, width: int) -> None:
    image = torch.rand(1, 5, height, width) * 2 - 1
    made = Generator(5, 8, 1)(image, torch.ones(1, height, width, dtype=torch.bool))
    assert made.shape == image.shape
    assert made.abs().max().item() < 1


def test_a_residual_generator_begins_with_the_image_itself_and_learns_from_there() -> None:
    torch.manual_seed(0)
    image, valid = torch.rand(2, 3, 33, 40) * 1.9 - 0.95, torch.ones(2, 33, 40, dtype=torch.bool)
    network = Generator(3, 8, 1, residual=True)
    made = network(image, valid)
    torch.testing.assert_close(made, image, atol=1e-5, rtol=0)
    ends = network(torch.sign(image), valid)
    assert ends.abs().min().item() > 0.98
    assert ends.abs().max().item() < 1
    optimizer, losses = torch.optim.Adam(network.parameters(), lr=1e-3), []
    for _ in range(10):
        optimizer.zero_grad()
        loss = (network(image, valid) - 0.5 * image - 0.2).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    moved = {name for name, p in network.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    assert {"first.weight", "last.weight"} <= moved


def test_residual_translators_begin_with_no_change_of_standardised_imagery(
    bench: Bench, pair: tuple[Batch, Batch]
) -> None:
    gan = small(bench, residual=True)
    for made, real in ((gan.to_target(pair[0]), pair[0]), (gan._to(SOURCE).to_target(pair[1]), pair[1])):
        reach = float(gan.translator.after.reach.max())
        assert (made.image - real.image).abs().max().item() <= 0.011 * reach, "but for the ends of the range"
        assert (made.image - real.image).abs().median().item() < 1e-4
    losses = gan._translate({d: gan._look(d, b) for d, b in zip((SOURCE, TARGET), pair, strict=True)}, None)[
        0
    ]
    assert losses["identity"].item() < 0.002
    assert losses["cycle"].item() < 0.002


def test_what_is_invalid_counts_in_no_normalisation() -> None:
    """At half of the image's size, where cells on the border of what is valid count by half."""
    valid = torch.zeros(1, 1, 16, 16)
    valid[..., :9] = 1
    features = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 3 + 7
    share = torch.ones(8)
    share[4], share[5:] = 0.5, 0.0
    normal = instance_norm(features, valid)
    mean = (normal * share).sum((2, 3)) / share.sum() / 8
    variance = (normal.square() * share).sum((2, 3)) / share.sum() / 8
    assert torch.allclose(mean, torch.zeros(1, 3), atol=1e-5)
    assert torch.allclose(variance, torch.ones(1, 3), atol=1e-4)
    features[..., 5:] = 1000
    assert torch.equal(instance_norm(features, valid)[..., :5], normal[..., :5])


def test_the_published_sizes() -> None:
    count = sum(p.numel() for p in Generator(3, 64, 9).parameters())
    assert count == 11_378_179, "ResNet-9 of width 64 over three bands"
    assert sum(p.numel() for p in PatchGan(3, 64).parameters()) == 2_764_737


@pytest.mark.parametrize(("layers", "field"), [(3, 70), (2, 34)])
def test_a_cell_of_the_discriminator_sees_a_patch(layers: int, field: int) -> None:
    """By the gradient of a cell in the middle; normalisation would spread it over the image."""
    critic = PatchGan(2, 4, layers)
    image = torch.rand(1, 2, 160, 160, requires_grad=True)
    x = image
    for layer in critic.layers:
        x = layer(x)
    x[0, 0, x.shape[-2] // 2, x.shape[-1] // 2].backward()
    assert image.grad is not None
    rows = image.grad.abs().amax((0, 1, 3)).nonzero()
    assert rows.max().item() - rows.min().item() + 1 == field


def test_small_crops_leave_cells_to_judge() -> None:
    everywhere = torch.ones(1, 32, 32, dtype=torch.bool)
    assert PatchGan(4, 8)(torch.rand(1, 4, 32, 32), everywhere).shape == (1, 1, 2, 2)


def test_the_rate_is_steady_and_then_falls_to_nothing() -> None:
    factors = [late(step, 100, 0.5) for step in range(100)]
    assert factors[:51] == [1.0] * 51
    assert factors[75] == pytest.approx(0.5)
    assert 0 < factors[99] <= 0.02
    assert late(99, 100, 1.0) == 1.0


def test_a_translator_is_the_same_after_the_disk(
    bench: Bench, pair: tuple[Batch, Batch], tmp_path: Path
) -> None:
    gan = small(bench)
    gan.learn(*pair)
    gan.save()
    assert bench.folder is not None
    loaded, made = load_translator(bench.folder / "translator.safetensors")
    assert torch.equal(loaded.to_target(pair[0]).image, gan.to_target(pair[0]).image)
    assert (made.bands, made.dtype) == (("blue", "green", "red", "nir"), "uint16")
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"no weights at all")
    with pytest.raises(BadInput, match="no translator"):
        load_translator(damaged)
