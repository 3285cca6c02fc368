"""T-LR: the learning rate's schedule."""

from pathlib import Path

import pytest
from engines import draw, job_for

from core.errors import BadInput
from core.phases import rate
from core.stages import stage_order


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
