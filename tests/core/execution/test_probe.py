"""Scores over time: measured between two steps, on the same crops, without a trace in the training."""

from pathlib import Path

import pytest
from engines import assert_equal_weights, job_for, run_for, weights, work

from core.events import AnyEvent, Evaluated, Resumed, Started
from core.execution import probe
from core.execution.execute import execute
from core.journal import read
from core.judging import signals
from core.progress import Progress
from core.runs.run import Run, open_run


@pytest.fixture(autouse=True)
def _few_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "CROPS", 4)
    monkeypatch.setattr(probe, "CROPS", 2)


def so_far(events: list[AnyEvent]) -> list[Evaluated]:
    return [event for event in events if isinstance(event, Evaluated) and event.step is not None]


def probed_run(places: Path, name: str, every: int | None) -> Run:
    return run_for(job_for(places, "combined", schedule={"evaluate_every": every}), places / name)


def test_training_probed_after_each_step_ends_bit_equal(places: Path) -> None:
    never, always = probed_run(places, "never", 0), probed_run(places, "always", 1)
    assert not so_far(work(never))
    found = so_far(work(always))
    assert [(event.what, event.phase, event.step) for event in found] == [
        *(("source-only so far", "source", step) for step in (1, 2, 3)),
        ("adapted so far", "adapt", 1),
    ], "a phase's last step is measured by the next thing anyway"
    for stage in ("source-only", "adapted"):
        assert_equal_weights(weights(never, stage), weights(always, stage))
    assert all(0 <= event.scores["entropy"] <= 1 for event in found)
    assert sum(found[0].scores["shares"].values()) == pytest.approx(1)
    assert len({event.scores["entropy"] for event in found}) == len(found), "the model changes"
    assert ["changed" in event.scores for event in found] == [False, True, True, False], "a stage begins anew"
    assert 0 < found[1].scores["changed"] < 1


@pytest.mark.parametrize("batch", [1, 4, 16])
def test_by_default_it_costs_little_and_an_explicit_number_is_taken(places: Path, batch: int) -> None:
    job = job_for(places, sampling={"batch": batch, "crop_px": 256})
    forwards, forwards_a_step = 3 * probe.CROPS, 2 * batch
    assert forwards <= 0.03 * forwards_a_step * probe.every(job)
    assert probe.every(job_for(places, schedule={"evaluate_every": 5})) == 5


def test_score_curves_survive_a_resume_as_the_losses_do(places: Path) -> None:
    straight, broken = probed_run(places, "straight", 1), probed_run(places, "broken", 1)
    worker = execute(broken)
    for event in worker:
        if event.kind == "evaluated" and event.step == 2:
            break
    worker.close()  # type: ignore[attr-defined]  # execute is a generator
    whole, resumed = Progress(), Progress()
    for event in work(straight):
        whole.fold(event)
    work(open_run(broken.folder))
    for event in read(broken.folder):
        resumed.fold(event)
    assert whole.score_curves == resumed.score_curves
    assert [step for step, _ in whole.score_curves["entropy"]] == [1, 2, 3, 5]
    assert "shares: water" in whole.score_curves
    assert [step for step, _ in whole.score_curves["changed"]] == [2, 3]


def test_scores_of_steps_that_did_not_happen_are_dropped() -> None:
    progress = Progress()
    phases = [("source", 10), ("adapt", 10)]
    progress.fold(Started(run="r", method="m", seed=0, device="cpu", phases=phases))
    for phase, step in (("source", 5), ("adapt", 5), ("adapt", 7)):
        scores = {"entropy": step / 10, "shares": {"water": 0.5}}
        progress.fold(Evaluated(what="so far", scores=scores, phase=phase, step=step))
    progress.fold(Resumed(phase="adapt", step=5))
    assert progress.score_curves == {
        "entropy": [(5, 0.5), (15, 0.5)],
        "shares: water": [(5, 0.5), (15, 0.5)],
    }
