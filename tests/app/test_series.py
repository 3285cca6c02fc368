"""Curves in numpy: what grows, what is cut, and what of it is drawn."""

import numpy as np

from app.series import DRAWN, Series


def points(count: int) -> list[tuple[int, float]]:
    values = np.random.default_rng(0).normal(size=count)
    return [(step, float(value)) for step, value in enumerate(values, 1)]


def test_only_what_is_new_is_taken_over() -> None:
    series, curve = Series(), points(1400)
    assert series.sync(curve[:10])
    assert series.sync(curve)
    assert not series.sync(curve)
    steps, _ = series.drawn()
    assert (steps[0], steps[-1], series.count) == (1, 1400, 1400)


def test_a_curve_that_was_cut_is_read_anew() -> None:
    series = Series()
    series.sync(points(100))
    series.sync([*points(50), *((step, 9.0) for step in range(60, 130))])
    steps, values = series.drawn()
    assert len(steps) == 120
    assert series.sync([])
    assert series.count == 0
    assert list(values[50:]) == [9.0] * 70


def test_a_long_curve_keeps_its_spikes_in_few_points() -> None:
    curve = points(200_003)
    curve[123_456] = (123_457, 50.0)
    series = Series()
    series.sync(curve)
    steps, values = series.drawn()
    assert len(steps) <= DRAWN + 500
    assert values.max() == 50
    assert values.min() == min(value for _, value in curve)
    assert (np.diff(steps) > 0).all()


def test_smoothing_is_a_mean_of_what_came_before() -> None:
    series = Series()
    series.sync([(step, float(step % 2)) for step in range(1, 1001)])
    _, values = series.drawn(smoothing=1.0)
    assert abs(values[200:] - 0.5).max() < 0.01
    _, rough = series.drawn()
    assert set(rough) == {0.0, 1.0}


def test_a_value_that_is_no_number_leaves_a_gap_and_spoils_no_mean() -> None:
    series = Series()
    series.sync([(1, 2.0), (2, float("nan")), (3, 4.0)] + [(step, 3.0) for step in range(4, 40)])
    _, values = series.drawn(smoothing=1.0)
    assert np.isfinite(values[3:]).all()
