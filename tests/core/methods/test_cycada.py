"""CyCADA: what semantic consistency asks for and of whom, and when the adversary is let in."""

from pathlib import Path
from typing import Any

import pytest
import torch
from engines import NARROW, assert_equal_weights, bench_for, copied, draw, job_for
from torch import Tensor, nn
from torch.optim import Optimizer

from core.bench import SOURCE, TARGET, Bench
from core.draws import rng
from core.errors import BadInput
from core.methods import cycada
from core.methods.cycada import Options, phases, semantic_consistency, train
from core.networks.outputs import Batch, Outputs
from core.networks.segmentor import Segmentor
from core.parts.adversary import Adversary
from core.parts.cyclegan import Translated
from core.registry import choose


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("places")
    draw(folder)
    return folder


@pytest.fixture(scope="module")
def bench(places: Path) -> Bench:
    return bench_for(job_for(places, "cycada"), places / "cache")


@pytest.fixture
def pair(bench: Bench) -> tuple[Batch, Batch]:
    source, target = (
        bench.batch(domain, [bench.domains[domain].draw(rng(7, domain, i)) for i in range(2)])
        for domain in (SOURCE, TARGET)
    )
    return source, target


class Judge(nn.Module):
    """Sees a class in the brightest of the first three bands, surer the brighter it is."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(5.0), requires_grad=False)

    def forward(self, image: Tensor) -> Outputs:
        return Outputs(self.gain * image[:, :3])


def loss(source: Batch, target: Batch, as_target: Tensor, as_source: Tensor, **options: object) -> Tensor:
    made = Translated(as_target, as_source, source.image, target.image)
    o = Options.model_validate(options)
    return semantic_consistency(Judge(), source, target, o, made)  # type: ignore[arg-type]


def test_translations_that_are_seen_as_what_they_were_cost_least(pair: tuple[Batch, Batch]) -> None:
    source, target = pair
    kept = loss(source, target, 50 * source.image, 50 * target.image).item()
    lost = loss(source, target, 50 * source.image.roll(1, 1), 50 * target.image).item()
    lost_back = loss(source, target, 50 * source.image, 50 * target.image.roll(1, 1)).item()
    assert kept < 0.1
    assert lost > 10
    assert lost_back > 10


def test_only_the_translations_learn_from_it_and_none_of_their_nodata(pair: tuple[Batch, Batch]) -> None:
    source, target = pair
    as_target, as_source = (b.image.clone().requires_grad_() for b in pair)
    loss(source, target, as_target, as_source).backward()  # type: ignore[no-untyped-call]
    for made, batch in ((as_target, source), (as_source, target)):
        assert made.grad is not None
        seen = batch.valid.unsqueeze(1).expand_as(made)
        assert not batch.valid.all()
        assert made.grad[seen].abs().max() > 0
        assert made.grad[~seen].abs().max() == 0


def test_it_is_a_mean_over_what_is_valid(pair: tuple[Batch, Batch]) -> None:
    def left(batch: Batch) -> Batch:
        return Batch(*(tensor[..., :16] for tensor in batch))

    def half(batch: Batch) -> Batch:
        valid = torch.ones_like(batch.valid)
        valid[..., 16:] = False
        return batch._replace(image=batch.image * valid.unsqueeze(1), valid=valid)

    source, target = (half(batch) for batch in pair)
    whole = loss(source, target, source.image.roll(1, 1), target.image.roll(1, 1))
    part = loss(left(source), left(target), left(source).image.roll(1, 1), left(target).image.roll(1, 1))
    assert whole.item() == pytest.approx(part.item(), rel=1e-5)


def test_the_crops_own_labels_may_be_asked_for_instead(pair: tuple[Batch, Batch]) -> None:
    source, target = pair
    labelled = source._replace(label=torch.where(source.label == 255, 255, 2))
    image = torch.zeros_like(source.image)
    image[:, 2] = 100
    kept = loss(labelled, target, image, 50 * target.image, semantic_labels="source").item()
    assert kept < 0.1
    assert loss(labelled, target, image, 50 * target.image).item() > 10


def test_a_judge_that_does_not_know_the_source_is_not_heard(pair: tuple[Batch, Batch]) -> None:
    source, target = pair
    wrong = source._replace(label=(Judge()(source.image).logits.argmin(1)))
    image = source.image.roll(1, 1)
    assert loss(wrong, target, image, target.image, semantic_gate=1.0).item() == 0
    assert loss(wrong, target, image, target.image, semantic_gate=1e6).item() > 0
    right = source._replace(label=Judge()(source.image).logits.argmax(1))
    assert loss(right, target, image, target.image, semantic_gate=1.0).item() > 0


@pytest.mark.parametrize(("told", "fools"), [(0.6, False), (0.61, True)])
def test_the_discriminator_is_fooled_only_while_it_tells(
    places: Path, monkeypatch: pytest.MonkeyPatch, told: float, fools: bool
) -> None:
    bench = bench_for(job_for(places, "cycada", NARROW, schedule={"steps": 10}), places / "cache")
    monkeypatch.setattr(Adversary, "told", lambda *_: torch.tensor(told))
    method = choose(bench.job, "cycada", NARROW)
    losses = list(train(bench, method.options))  # type: ignore[arg-type]
    assert (losses[-1]["fooling"].item() > 0) == fools
    assert losses[-1]["discriminator"].item() > 0


def test_the_judge_is_the_source_model_at_rest_and_does_not_learn(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judges: list[dict[str, Tensor]] = []

    def heard(judge: Segmentor, *others: Any) -> Tensor:
        assert not any(module.training for module in judge.modules())
        assert not any(parameter.requires_grad for parameter in judge.parameters())
        judges.append(copied(judge))
        return semantic_consistency(judge, *others)

    monkeypatch.setattr(cycada, "semantic_consistency", heard)
    bench = bench_for(job_for(places, "cycada", NARROW, schedule={"steps": 10}), places / "cache")
    method, source_model = choose(bench.job, "cycada", NARROW), {}
    for _ in train(bench, method.options):  # type: ignore[arg-type]
        if bench.phase.name == "source":
            source_model = copied(bench.segmentor)
        if bench.phase.name == "translate":
            assert_equal_weights(copied(bench.segmentor), source_model)
            assert all(p.grad is None for p in bench.segmentor.parameters())
    assert len(judges) > 1
    for judge in judges:
        assert_equal_weights(judge, source_model)


@pytest.mark.parametrize("level", ["features", "output"])
def test_the_discriminators_rate_stays_where_the_segmentors_falls(places: Path, level: str) -> None:
    options = {**NARROW, "level": level}
    bench = bench_for(job_for(places, "cycada", options, schedule={"steps": 10}), places / f"cache-{level}")
    rates: list[float] = []
    step = Bench.step

    def stepped(bench: Bench, optimizer: Optimizer, *factor: float | None) -> None:
        step(bench, optimizer, *factor)
        if bench.phase.name == "adapt" and optimizer.defaults["betas"] == (0.9, 0.99):
            rates.append(optimizer.param_groups[0]["lr"])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bench, "step", stepped)
        for _ in train(bench, choose(bench.job, "cycada", options).options):  # type: ignore[arg-type]
            pass
    assert rates == [1e-4] * 2


def test_phases_share_the_rate_of_the_source_model_or_begin_anew() -> None:
    source, translate, training, adapt = phases(Options(), 1000)
    assert [p.steps for p in (source, translate, training, adapt)] == [250, 300, 250, 200]
    assert (training.start, adapt.start, adapt.horizon) == (550, 800, 1000)
    *_, training, adapt = phases(Options(start="initial"), 1000)
    assert (training.start, training.horizon, adapt.start, adapt.horizon) == (0, 450, 250, 450)


@pytest.mark.parametrize(
    ("method", "options"),
    [("cycada", {"source_share": 0.5, "translate_share": 0.4}), ("cyclegan", {"translate_share": 0.9})],
)
def test_shares_that_leave_nothing_to_train_with_are_refused(
    places: Path, method: str, options: dict[str, float]
) -> None:
    with pytest.raises(BadInput, match="leave less than 5 %"):
        choose(job_for(places, method), method, options)
