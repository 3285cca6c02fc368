"""T-FD: what the encoder knew of compact objects, and nothing else, holds it back."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from engines import (
    assert_equal_weights,
    at_two_resolutions,
    bench_for,
    copied,
    draw,
    encoder_weights,
    job_for,
)
from torch import Tensor

from core.bench import SOURCE, Bench
from core.errors import BadInput
from core.execution.estimate import estimate
from core.job import Job
from core.networks.outputs import Batch, Outputs
from core.parts.feature_distance import FeatureDistance, cells_of
from core.registry import choose

EVERY = ["water", "field", "town"]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A job whose encoder has weights to remember."""
    folder = tmp_path_factory.mktemp("places")
    draw(folder)
    return job_for(folder, "daformer", network={"weights": encoder_weights(folder)})


@pytest.fixture(params=["one resolution", "two"])
def bench(request: pytest.FixtureRequest, job: Job, tmp_path: Path) -> Bench:
    return bench_for(job if request.param == "one resolution" else at_two_resolutions(job), tmp_path)


def batch(bench: Bench) -> Batch:
    generator = bench.rng("crop")
    return bench.batch(SOURCE, [bench.domains[SOURCE].draw(generator) for _ in range(2)])


def known(features: Tensor) -> Any:
    """In the place of the frozen network, one that answers with these features."""
    return SimpleNamespace(features=lambda _: features)


def test_there_is_no_distance_before_anything_is_learnt(bench: Bench) -> None:
    distance, source = FeatureDistance(bench, 1.0, EVERY), batch(bench)
    student = bench.segmentor.eval()
    assert cells_of([0, 1, 2], source.label, student.features(source.image)[:, 0]).any()
    assert distance.loss(student(source.image), source) == 0
    with torch.no_grad():
        for parameter in student.encoder_parameters():
            parameter.mul_(1.1)
    assert distance.loss(student(source.image), source) > 0


def test_the_gradient_goes_into_the_encoder_alone(bench: Bench) -> None:
    distance, source = FeatureDistance(bench, 1.0, EVERY), batch(bench)
    student = bench.segmentor.train()
    distance.loss(student(source.image), source).backward()
    assert any(p.grad is not None and p.grad.any() for p in student.encoder_parameters())
    assert all(p.grad is None for p in student.head_parameters())
    assert distance.initial
    assert not distance.initial.training
    assert all(p.grad is None and not p.requires_grad for p in distance.initial.parameters())


def test_where_no_class_fills_a_cell_the_loss_and_its_gradients_are_nought(bench: Bench) -> None:
    distance, source = FeatureDistance(bench, 1.0, EVERY), batch(bench)
    nothing = source._replace(label=torch.full_like(source.label, 255))
    loss = distance.loss(bench.segmentor(source.image), nothing)
    loss.backward()
    assert loss == 0
    assert all(not p.grad.any() for p in bench.segmentor.encoder_parameters() if p.grad is not None)


def test_it_is_the_mean_length_of_the_difference_in_the_cells_that_count(bench: Bench) -> None:
    distance, source = FeatureDistance(bench, 0.5, ["town"]), batch(bench)
    label = torch.zeros_like(source.label)
    label[0, :16, :16] = label[1, 16:, 16:] = 2
    difference = torch.full((2, 2, 2, 2), 100.0)
    difference[0, :, 0, 0], difference[1, :, 1, 1] = torch.tensor([3.0, 4.0]), torch.tensor([5.0, 12.0])
    before = torch.randn(2, 2, 2, 2)
    distance.initial = known(before)
    loss = distance.loss(Outputs(torch.zeros(()), features=before + difference), source._replace(label=label))
    assert loss == pytest.approx(0.5 * (5 + 13) / 2, rel=1e-5)


def test_three_quarters_of_a_cell_count_and_less_does_not() -> None:
    cells = torch.full((3, 100), 255)
    cells[0, :75], cells[1, :74], cells[2] = 1, 1, 2
    label = torch.cat(list(cells.view(3, 10, 10)), 1).unsqueeze(0)
    assert cells_of([0, 1], label, torch.empty(1, 1, 3)).tolist() == [[[True, False, False]]]
    assert cells_of([1, 2], label, torch.empty(1, 1, 3)).tolist() == [[[True, False, True]]]


keeping = pytest.mark.parametrize("name", ["daformer", "mic"])
"""The methods that have it."""


def test_it_is_off_without_classes_and_without_weight(bench: Bench) -> None:
    for weight, classes in ((0.005, []), (0.0, EVERY)):
        distance, source = FeatureDistance(bench, weight, classes), batch(bench)
        assert distance.initial is None
        assert distance.loss(bench.segmentor(source.image), source) == 0


@keeping
def test_what_does_not_fit_the_job_is_refused_before_it_begins(job: Job, name: str) -> None:
    with pytest.raises(BadInput, match=r"feature_classes: the legend has no class 'car'; classes are water"):
        choose(job, name, {"feature_classes": ["car"]})
    untaught = job.model_copy(update={"network": job.network.model_copy(update={"weights": None})})
    with pytest.raises(BadInput, match=r"feature_distance: has nothing to keep: .*weights: null"):
        choose(untaught, name, {"feature_classes": ["town"], "feature_distance": 0.005})
    assert choose(untaught, name, {"feature_classes": ["town"], "feature_distance": 0.0})
    assert choose(untaught, name, {})


def asking(job: Job) -> Job:
    method = job.method.model_copy(update={"options": {"feature_classes": EVERY}})
    return job.model_copy(update={"method": method})


def test_its_cost_is_estimated_without_the_weights(job: Job, tmp_path: Path) -> None:
    phases = estimate(asking(job), tmp_path).phases
    assert all(phase.seconds_per_step > 0 for phase in phases)


@keeping
def test_it_is_from_the_pretrained_encoder_after_a_warm_start_too(
    job: Job, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[FeatureDistance] = []
    loss = FeatureDistance.loss

    def watched(distance: FeatureDistance, seen: Outputs, source: Batch) -> Tensor:
        held.append(distance)
        return loss(distance, seen, source)

    monkeypatch.setattr(FeatureDistance, "loss", watched)
    options = {"feature_classes": EVERY, "feature_distance": 0.005}
    bench, method = bench_for(job, tmp_path), choose(job, name, options)
    pretrained = copied(bench.segmentor)
    bench.phases = method.phases
    begun = [bench.phase.name for _ in method.module.train(bench, method.options)]
    assert begun == ["source"] * 2 + ["adapt"] * 2
    assert held[0].initial
    assert_equal_weights(held[0].initial.state_dict(), pretrained)


@keeping
def test_training_reports_it_and_is_held_back_by_it(job: Job, name: str, tmp_path: Path) -> None:
    reached = []
    for weight in (1e-6, 100.0):
        options = {"feature_classes": EVERY, "feature_distance": weight, "warm_share": 0.0}
        bench, method = bench_for(job, tmp_path / str(weight)), choose(job, name, options)
        bench.phases = method.phases
        *_, last = method.module.train(bench, method.options)
        assert isinstance(last, dict)
        reached.append(float(last["feature_distance"]) / weight)
    assert 0 < reached[1] < 0.98 * reached[0]
