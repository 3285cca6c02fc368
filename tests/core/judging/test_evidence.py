"""What the figures of a verdict say in words, and which of them are passed over."""

from pathlib import Path

import pytest
from engines import draw, job_for, run_for, work

from core.execution import probe
from core.files import read_json
from core.judging import signals
from core.judging.comparison import reliability
from core.judging.evidence import changes, evidence


def verdict(**figures: object) -> dict[str, object]:
    return {"chosen": "adapted", "source_only": {}, "adapted": {}, **figures}


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [(0.2, 0.1, "nearer to the source's"), (0.1, 0.2, "further from"), (0.2, 0.203, "as near to")],
)
def test_class_shares_come_nearer_go_further_or_stay(was: float, now: float, said: str) -> None:
    found = evidence(verdict(source_only={"prior_shift": was}, adapted={"prior_shift": now}))
    assert len(found) == 1
    assert said in found[0]


def test_shares_that_the_user_expects_are_named_as_such() -> None:
    shifts = {"source_only": {"prior_shift": 0.2}, "adapted": {"prior_shift": 0.1}}
    assert "those expected" in evidence(verdict(expected_shares={"town": 0.1}, **shifts))[0]


@pytest.mark.parametrize(
    ("shares", "settled"),
    [([0.009, 0.008, 0.001], True), ([0.009, 0.02, 0.001], False), ([0.001, 0.001], False)],
)
def test_training_has_settled_when_three_probes_in_a_row_agree(shares: list[float], settled: bool) -> None:
    (sentence,) = evidence(verdict(changes=shares))
    assert ("not settled" not in sentence) is settled


def test_nothing_measured_is_nothing_said() -> None:
    assert evidence({}) == evidence(verdict()) == evidence({"source_only": {"entropy": 0.5}}) == []


def test_a_run_writes_its_evidence_with_its_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "CROPS", 4)
    monkeypatch.setattr(probe, "CROPS", 2)
    draw(tmp_path)
    job = job_for(tmp_path, "combined", schedule={"evaluate_every": 1, "steps": 8})
    run = run_for(job, tmp_path / "run")
    work(run)
    found, scores = read_json(run.folder / "verdict.json"), read_json(run.folder / "scores.json")
    assert found["evidence"] == evidence(found)
    assert len(found["evidence"]) == 4
    assert found["changes"] == changes(run.folder, "adapted")
    assert len(found["changes"]) == 2, "three probes of four steps, the first with none before it"
    for name, points in reliability(found).items():
        assert points
        assert scores[name]["calibration"]["temperature"] == found[name.replace("-", "_")]["temperature"]
    alone = run_for(job_for(tmp_path, "source_only"), tmp_path / "alone")
    work(alone)
    assert list(reliability(read_json(alone.folder / "verdict.json"))) == ["source-only"]
    assert read_json(alone.folder / "scores.json")["source-only"]["calibration"]
