"""The gate on renewed batch-norm statistics."""

from dataclasses import replace

import pytest
import torch
from engines import bench_for, draw, job_for

from core.bench import TARGET, Bench
from core.parts import steadiness
from core.parts.steadiness import renew_where_steadier, steadier
from core.signals import Measured, Signals

BEFORE = Signals(0.4, 0.3, 0.9, [0.5, 0.5], 0.8, 0.7, {})


@pytest.mark.parametrize(
    ("after", "kept"),
    [
        (replace(BEFORE, entropy=0.3), True),
        (replace(BEFORE, entropy=0.3, d4_agreement=0.89), False),
        (replace(BEFORE, entropy=0.5, d4_agreement=0.99), False),
        (replace(BEFORE, entropy=0.3, holdout_miou=0.6), False),
        (BEFORE, False),
    ],
)
def test_surer_and_no_less_steady_is_kept(after: Signals, kept: bool) -> None:
    assert steadier(BEFORE, after) is kept


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("places")
    draw(folder)
    return bench_for(job_for(folder), folder / "cache")


@pytest.mark.parametrize("kept", [True, False])
def test_old_statistics_come_back_bit_for_bit_unless_the_new_stay(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    answers = iter([BEFORE, replace(BEFORE, entropy=0.3 if kept else 0.5)])
    monkeypatch.setattr(
        steadiness, "measure_signals", lambda *_: Measured(next(answers), torch.zeros(1, dtype=torch.uint8))
    )
    old = {name: value.clone() for name, value in bench.segmentor.state_dict().items()}
    assert renew_where_steadier(bench, bench.segmentor, bench.images(TARGET, "test", 2)) is kept
    same = [torch.equal(value, old[name]) for name, value in bench.segmentor.state_dict().items()]
    assert all(same) is not kept
