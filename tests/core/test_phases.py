"""T-LR: the learning rate's schedule."""

import pytest

from core.phases import rate


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
