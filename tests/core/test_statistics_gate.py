"""The gate on renewed batch-norm statistics."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from engines import bench_for, draw, job_for, run_for, work

from core.bench import TARGET, Bench
from core.events import Noted
from core.journal import read
from core.parts import statistics_gate
from core.parts.statistics_gate import renew_if_chosen
from core.signals import Measured, Signals

BEFORE = Signals(0.4, 0.3, 0.9, [0.4, 0.3, 0.3], 0.8, 0.7, {})


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("places")
    draw(folder)
    return bench_for(job_for(folder), folder / "cache")


@pytest.mark.parametrize("kept", [True, False])
def test_old_statistics_come_back_bit_for_bit_unless_the_verdict_would_choose_the_new(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    answers = iter([BEFORE, replace(BEFORE, entropy=0.3 if kept else 0.5)])
    monkeypatch.setattr(
        statistics_gate,
        "measure_signals",
        lambda *_: Measured(next(answers), torch.zeros(1, dtype=torch.uint8)),
    )
    old = {name: value.clone() for name, value in bench.segmentor.state_dict().items()}
    assert renew_if_chosen(bench, bench.segmentor, bench.images(TARGET, "test", 2)) is kept
    same = [torch.equal(value, old[name]) for name, value in bench.segmentor.state_dict().items()]
    assert all(same) is not kept
    (note,) = bench.notes
    bench.notes.clear()
    assert ("stay" if kept else "put back") in note
    assert "entropy" in note


def test_a_run_tells_once_what_was_decided(tmp_path: Path) -> None:
    draw(tmp_path)
    run = run_for(job_for(tmp_path, "combined"), tmp_path / "run")
    work(run)
    told = [event.text for event in read(run.folder) if isinstance(event, Noted)]
    assert sum(text.startswith("AdaBN: the target's batch-norm statistics") for text in told) == 1
