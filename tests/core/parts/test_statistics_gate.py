"""The gate on renewed batch-norm statistics."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from engines import assert_equal_weights, bench_for, copied, draw, job_for, run_for, weights, work

from core.bench import TARGET, Bench
from core.errors import Stopped
from core.events import Noted, Progressed
from core.execution import execute
from core.journal import read
from core.judging import signals
from core.judging.signals import Measured, Signals
from core.parts import statistics_gate
from core.parts.statistics_gate import renew_if_chosen
from core.runs.control import Control
from core.runs.run import Run

BEFORE = Signals(0.4, 0.3, 0.9, [0.4, 0.3, 0.3], 0.8, 0.7, {})

NO_PIXEL = torch.zeros(1, dtype=torch.uint8)


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
        "measuring",
        lambda *_, what: iter([Progressed(what=what, done=1, total=1), Measured(next(answers), NO_PIXEL)]),
    )
    old = copied(bench.segmentor)
    said = []
    for each in renew_if_chosen(bench, bench.segmentor, bench.images(TARGET, "test", 2)):
        said.append(each.what)  # here a run may be stopped, and its state saved
        assert all(torch.equal(value, old[name]) for name, value in bench.segmentor.state_dict().items())
    assert said == [statistics_gate.OLD, statistics_gate.NEW]
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


def work_until(run: Run, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work, and ask to stop at each piece of `what`."""
    heard: list[Control] = []
    monkeypatch.setattr(signals, "CROPS", 4)
    monkeypatch.setattr(execute.Control, "_listen", lambda control: heard.append(control))
    for event in execute.execute(run):
        if isinstance(event, Progressed) and event.what == what:
            heard[-1].checkpoint.set()
            heard[-1].stop.set()


@pytest.mark.parametrize("warm_share", [0.5, 0.0])
@pytest.mark.parametrize("what", [statistics_gate.OLD, statistics_gate.NEW])
def test_a_run_that_was_stopped_in_the_gate_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, warm_share: float
) -> None:
    draw(tmp_path)
    options = {"warm_share": warm_share, "adabn_batches": 2}
    straight, run = (run_for(job_for(tmp_path, "combined", options), tmp_path / name) for name in "ab")
    with pytest.raises(Stopped):
        work_until(run, what, monkeypatch)
    assert not (run.phase("adapted") / "weights.safetensors").exists()
    work(run)
    work(straight)
    assert_equal_weights(weights(straight, "adapted"), weights(run, "adapted"))


def test_a_run_can_be_stopped_while_its_models_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path)
    run = run_for(job_for(tmp_path, "source_only"), tmp_path / "run")
    with pytest.raises(Stopped):
        work_until(run, "judging source-only", monkeypatch)
    assert not (run.folder / "verdict.json").exists()
    work(run)
    assert run.done
