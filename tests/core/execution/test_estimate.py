"""What a run will take: measured with its own network and data, summed, and said in words."""

import json
from pathlib import Path

import pytest
from engines import job_for
from typer.testing import CliRunner

from core.cli import app
from core.cost import Cost, PhaseCost
from core.disk_space import needed_bytes
from core.errors import RunFailed
from core.execution import estimate as estimating
from core.execution.estimate import estimate
from core.execution.trial import TrialBench


def cost(**changes: object) -> Cost:
    fields: dict[str, object] = {
        "device": "cpu",
        "phases": [
            PhaseCost(name="source", steps=100, seconds_per_step=0.25),
            PhaseCost(name="adapt", steps=50, seconds_per_step=2),
        ],
        "judging_s": 5,
        "maps_s": 20,
        "tiles": 8,
        "memory_gib": 2.0,
        "memory_there_gib": 16.0,
        "disk_gib": 0.5,
        "disk_free_gib": 10.0,
    }
    return Cost.model_validate(fields | changes)


def test_times_add_up_and_are_said_in_words() -> None:
    found = cost()
    assert found.training_s == 125
    assert found.total_s == 150
    text = found.text()
    assert "100 steps of source at 250 ms" in text
    assert "50 steps of adapt at 2.0 s" in text
    assert "8 tiles" in text
    assert "warning" not in text


def test_what_does_not_fit_is_a_warning_with_a_remedy() -> None:
    assert "sampling.batch" in cost(memory_gib=15.5).warnings[0]
    assert "--to" in cost(disk_gib=11).warnings[0]
    assert cost(memory_gib=None).warnings == []
    assert "memory" not in cost(memory_gib=None).text()


@pytest.mark.parametrize(
    ("method", "phases"),
    [
        ("source_only", [("source", 40)]),
        ("combined", [("source", 40), ("adapt", 20)]),
        ("adaptsegnet", [("source", 40), ("adapt", 40)]),
    ],
)
def test_each_phase_of_a_run_is_tried_and_nothing_is_written(
    method: str, phases: list[tuple[str, int]], places: Path
) -> None:
    job = job_for(places, method, schedule={"steps": 40})
    before = sorted(places.rglob("*"))
    found = estimate(job, places / "runs" / "new")
    assert [(phase.name, phase.steps) for phase in found.phases] == phases
    assert all(phase.seconds_per_step > 0 for phase in found.phases)
    assert found.tiles == 4, "96 pixels in tiles of 64 that share 16"
    assert found.maps_s > 0
    assert found.disk_gib == needed_bytes(job) / 2**30
    assert sorted(places.rglob("*")) == before


def test_what_a_method_does_once_is_counted_and_not_done(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    batch = TrialBench.batch

    def counted(bench: TrialBench, domain: str, samples: list[object]) -> object:
        seen.append(len(samples))
        return batch(bench, domain, samples)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(TrialBench, "batch", counted)
    plain = job_for(places, "adabn", {"batches": 1})
    renewing = job_for(places, "adabn", {"batches": 5000})
    folder = places / "new"
    short = estimate(plain, folder).judging_s
    few, seen[:] = sum(seen), []
    assert estimate(renewing, folder).judging_s > 2 * short
    assert sum(seen) == few


def test_slow_steps_are_tried_small_at_two_sizes_and_scaled_by_their_pixels(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[tuple[int, int]] = []

    def fake(trial: estimating._Trial, steps: int) -> dict[str, float]:  # noqa: ARG001  # as the real one
        sampling = trial.job.sampling
        tried.append((sampling.batch, sampling.crop_px))
        return {"source": 3 + 1e-6 * sampling.batch * sampling.crop_px**2, "adapt": 1.0}

    monkeypatch.setattr(estimating, "BUDGET_S", 0.0)
    monkeypatch.setattr(estimating._Trial, "_tried", fake)
    found = estimate(job_for(places, sampling={"batch": 8, "crop_px": 256}), places / "new")
    assert tried == [(2, 64), (2, 128)]
    paces = {phase.name: phase.seconds_per_step for phase in found.phases}
    assert paces == pytest.approx({"source": 3 + 1e-6 * 8 * 256**2, "adapt": 1.0})


def test_slow_steps_are_really_tried_small(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimating, "BUDGET_S", 0.0)
    found = estimate(job_for(places, sampling={"batch": 4, "crop_px": 128}), places / "new")
    assert all(phase.seconds_per_step > 0 for phase in found.phases)
    assert (found.memory_gib or 1) > 0.1


def test_what_does_not_fit_into_memory_is_said_with_a_remedy(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_much(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(estimating, "timed", too_much)
    with pytest.raises(RunFailed, match=r"sampling\.batch"):
        estimate(job_for(places), places / "new")


def test_the_command_says_it_in_words_and_in_json(places: Path) -> None:
    job_for(places, "source_only")
    said = CliRunner().invoke(app, ["estimate", str(places / "job.yaml"), "--set", "schedule.steps=6"])
    assert said.exit_code == 0
    assert "6 steps of source" in said.stdout
    content = json.loads(CliRunner().invoke(app, ["estimate", str(places / "job.yaml"), "--json"]).stdout)
    assert content["total_s"] >= content["training_s"] > 0
    assert content["text"].startswith("about")
    assert not (places / "runs").exists()
