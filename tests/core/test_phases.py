"""T-LR and T-DL-1: the learning rate's schedule, and that what is trained follows it."""

import dataclasses
from pathlib import Path

import pytest
import torch
from engines import DEEPLABV2, bench_for, draw, job_for
from torch.nn.modules.batchnorm import _BatchNorm

from core.bench import Bench
from core.checkpoint import Checkpoint
from core.errors import BadInput
from core.execution.stages import stage_order
from core.parts.adversary import Adversary
from core.phases import Phase, rate


def test_the_classic_schedule_at_150_of_250_thousand_steps() -> None:
    assert 2.5e-4 * rate(150_000, 250_000, warmup=0, power=0.9) == pytest.approx(1.096e-4, rel=1e-3)


def test_it_rises_over_the_warm_up_and_ends_at_nought() -> None:
    rates = [rate(step, 100, warmup=0.1, power=1.0) for step in range(101)]
    assert rates[0] == pytest.approx(1 / 11)
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[100] == 0


def test_a_phase_that_begins_later_goes_on_where_the_first_left_off() -> None:
    assert [rate(50 + s, 100, 0.1, 1.0) for s in range(50)] == [
        rate(s, 100, 0.1, 1.0) for s in range(50, 100)
    ]


def test_source_only_ends_with_the_learning_rate_and_a_phase_after_it_is_refused(tmp_path: Path) -> None:
    draw(tmp_path)
    options = {"warm_share": 0.0, "restart": True}
    bdl = job_for(tmp_path, "bdl", options, schedule={"steps": 100, "horizon": 40})
    lengths = {stage: sum(phase.steps for phase in method.phases) for stage, method in stage_order(bdl)}
    assert lengths == {"source-only": 40, "adapted": 100}
    with pytest.raises(BadInput, match=r"schedule.horizon.*'adapt', which begins at step 50"):
        stage_order(job_for(tmp_path, schedule={"steps": 100, "horizon": 40}))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("places")
    draw(folder)
    return bench_for(job_for(folder, network=DEEPLABV2), folder / "cache")


@pytest.mark.parametrize(("name", "nesterov"), [("sgd", False), ("nesterov", True)])
def test_sgd_has_momentum_and_nesterovs_where_asked(bench: Bench, name: str, nesterov: bool) -> None:
    schedule = bench.job.schedule.model_copy(update={"optimizer": name})
    bench = dataclasses.replace(bench, job=bench.job.model_copy(update={"schedule": schedule}))
    optimizer = bench.optimizer(bench.segmentor)
    assert isinstance(optimizer, torch.optim.SGD)
    assert {(group["momentum"], group["nesterov"]) for group in optimizer.param_groups} == {(0.9, nesterov)}


@pytest.mark.parametrize("resumed_in", [None, "source", "adapt"])
def test_nothing_is_due_before_a_phase_that_has_no_steps_nor_left_to_do_for_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, resumed_in: str | None
) -> None:
    assert [phase.name for phase in bench.phases] == ["source", "adapt"]
    saved = resumed_in and Checkpoint("adapted", resumed_in, 1, 1, {})
    monkeypatch.setattr(bench, "resume", saved)
    assert bench.past("left out")
    assert not bench.begins("left out")
    assert bench.past("source") == (resumed_in == "adapt")
    assert bench.begins("adapt") == (resumed_in != "adapt")


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize(
    ("phase", "horizon", "factors"),
    [
        (Phase("alone", 10), None, [1 / 3, 0.81 * 2 / 3, 0.64, 0.49, 0.36]),
        (Phase("second", 5, start=5, horizon=10), None, [0.25, 0.16, 0.09, 0.04, 0.01]),
        (Phase("alone", 10), 20, [1 / 5, 0.9025 * 2 / 5, 0.81 * 3 / 5, 0.7225 * 4 / 5, 0.64]),
        (Phase("second", 5, start=5, horizon=10), 20, [0.5625, 0.49, 0.4225, 0.36, 0.3025]),
    ],
)
def test_all_that_is_trained_follows_the_schedule_the_heads_ten_times_as_fast(
    bench: Bench, optimizer: str, phase: Phase, horizon: int | None, factors: list[float]
) -> None:
    """A warm-up of a fifth and a quadratic decay over the job's horizon, else the phase's, else the phase."""
    asked = {"optimizer": optimizer, "lr": 2e-3, "head_lr_factor": 10.0}
    asked |= {"warmup": 0.2, "poly_power": 2.0, "horizon": horizon}
    schedule = bench.job.schedule.model_copy(update=asked)
    bench.job = bench.job.model_copy(update={"schedule": schedule})
    bench.phase = phase
    trained, adversary = bench.optimizer(bench.segmentor), Adversary(bench, [1.0], lr=1e-4, width=8)
    for step, factor in enumerate(factors):
        bench.step_now = step
        bench.step(trained)
        bench.step(adversary.optimizer)
        rates = {p: group["lr"] for group in trained.param_groups for p in group["params"]}
        for part, module in bench.segmentor.body.named_children():
            peak = 2e-3 if part == "encoder" else 2e-2
            found = {rates.pop(p) for p in module.parameters() if p.requires_grad}
            assert list(found) == [pytest.approx(peak * factor)], part
        assert not rates
        assert [group["lr"] for group in adversary.optimizer.param_groups] == [pytest.approx(1e-4 * factor)]


def test_the_affine_part_of_deeplabs_batch_norms_is_in_no_optimiser(bench: Bench) -> None:
    trained = {p for group in bench.optimizer(bench.segmentor).param_groups for p in group["params"]}
    norms = [module for module in bench.segmentor.modules() if isinstance(module, _BatchNorm)]
    assert norms
    assert not trained & {p for norm in norms for p in norm.parameters()}
    assert trained == {p for p in bench.segmentor.parameters() if p.requires_grad}
