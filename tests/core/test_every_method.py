"""What every file of `core/methods/` must hold, read from the folder: a new method is tested unasked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import elsewhere
import pytest
import torch
from engines import assert_equal_weights, at_two_resolutions, bench_for, draw, run_for, tiny, weights, work

from core.bench import Bench, Losses
from core.checks import preflight
from core.events import Phased, Progressed
from core.execution.execute import execute
from core.job import Job
from core.journal import read
from core.registry import choose, healthy, load, names
from core.runs.run import Run, open_run

pytestmark = pytest.mark.usefixtures("few_crops")

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in names()),
    ("adaptsegnet", {"gan": "lsgan"}),
    ("adaptsegnet", {"space": "features"}),
    ("adaptsegnet", {"levels": "multi"}),
    ("advent", {"variant": "minent"}),
    ("cycada", {"start": "initial", "level": "output", "semantic_labels": "source", "semantic_gate": 1.0}),
    ("bdl", {"rounds": 2, "warm_share": 0, "restart": True, "threshold": "fixed"}),
    ("combined", {"target_means": True}),
    ("combined", {"adabn": "always", "adabn_batches": 2, "teacher_norm": "batch"}),
    ("daformer", {"warm_share": 0.0}),
    ("fda", {"betas": [0.0, 0.1], "rounds": 1}),
]
each_method = pytest.mark.parametrize(("name", "options"), VARIANTS, ids=lambda v: str(v))


def stage_of(name: str) -> str:
    return "source-only" if name == "source_only" else "adapted"


@pytest.mark.xdist_group("killed")  # on a worker of its own: with the rest of the file it takes too long
@each_method
def test_a_run_killed_in_and_between_its_phases_ends_with_the_weights_of_one_that_was_not(
    name: str, options: dict[str, Any], places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_a_killed_run_ends_alike(tiny(places, name, options), places, monkeypatch)


@pytest.mark.xdist_group("killed at two resolutions")
@pytest.mark.parametrize("name", names())
def test_a_run_at_two_resolutions_is_killed_and_ends_alike(
    name: str, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "LEAST_PX", 16)  # which is enough for so shallow a network
    assert_a_killed_run_ends_alike(at_two_resolutions(tiny(places, name, {})), places, monkeypatch)


def assert_a_killed_run_ends_alike(job: Job, places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The killed one works on a device that refuses what a graphics card refuses, the other on the CPU."""
    straight, broken = run_for(job, places / "straight"), run_for(job, places / "broken")
    work(straight)
    killed: set[tuple[str, str]] = set()
    with elsewhere.elsewhere(monkeypatch, "core.execution.execute"):
        while not broken.done:
            work_until_a_new_moment(broken, killed)
    assert len(killed) >= 2 * len(straight_phases(straight)), (
        "killed at the start of each phase, and inside it"
    )
    stage = stage_of(job.method.name)
    assert_equal_weights(weights(straight, stage), weights(broken, stage))


def straight_phases(run: Run) -> set[str]:
    return {event.phase for event in read(run.folder) if isinstance(event, Phased)}


def work_until_a_new_moment(run: Run, killed: set[tuple[str, str]]) -> None:
    """Work until a phase begins, or a step in it was saved, for the first time; then drop the worker."""
    worker = execute(open_run(run.folder))
    for event in worker:
        moment = (event.kind, getattr(event, "phase", ""))
        if event.kind in ("phased", "saved") and moment not in killed:
            killed.add(moment)
            break
    worker.close()  # type: ignore[attr-defined]  # execute is a generator


@each_method
def test_what_lies_under_nodata_changes_nothing(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    assert_nodata_changes_nothing(lambda folder: tiny(folder, name, options), tmp_path)


@pytest.mark.parametrize("name", names())
def test_at_two_resolutions_too_nodata_changes_nothing(name: str, tmp_path: Path) -> None:
    assert_nodata_changes_nothing(lambda folder: at_two_resolutions(tiny(folder, name, {})), tmp_path)


def assert_nodata_changes_nothing(job_on: Callable[[Path], Job], folder: Path) -> None:
    found = []
    for under in (0, 9999):
        draw(folder / str(under), under)
        bench = bench_for(job_on(folder / str(under)), folder / f"cache-{under}")
        losses = trained(bench)
        found.append((bench.mapper.state_dict(), losses))
    assert_equal_weights(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]


@each_method
def test_modes_are_clean_and_losses_finite_after_each_step(
    name: str, options: dict[str, Any], places: Path
) -> None:
    """In bfloat16, as graphics cards train by default; all else here is in full precision."""
    assert_modes_are_clean(bench_for(tiny(places, name, options), places / "cache"))


@pytest.mark.parametrize("name", names())
def test_at_two_resolutions_too_modes_are_clean_and_losses_finite(name: str, places: Path) -> None:
    assert_modes_are_clean(bench_for(at_two_resolutions(tiny(places, name, {})), places / "cache"))


def assert_modes_are_clean(bench: Bench) -> None:
    bench.segmentor.precision = torch.bfloat16
    trained(bench)
    assert {each.dtype for each in bench.mapper.parameters()} == {torch.float32}


def trained(bench: Bench) -> Losses:
    """The last losses of training to the end; each step is looked at."""
    method, last = choose(bench.job, bench.job.method.name, bench.job.method.options), {}
    for losses in method.module.train(bench, method.options):
        assert torch.is_grad_enabled()
        assert not torch.is_autocast_enabled("cpu")
        if isinstance(losses, Progressed):
            continue
        for label, loss in losses.items():
            assert torch.isfinite(loss), label
            assert not loss.requires_grad, label
        last = losses
    return last


@pytest.mark.parametrize("name", [name for name in names() if healthy(load(name))])
def test_a_healthy_band_is_of_a_loss_that_the_method_reports(name: str, places: Path) -> None:
    reported: set[str] = set()
    for options in [options for each, options in VARIANTS if each == name]:
        bench = bench_for(tiny(places, name, options), places / "cache")
        method = choose(bench.job, name, options)
        for losses in method.module.train(bench, method.options):
            reported |= set() if isinstance(losses, Progressed) else set(losses)
    assert set(healthy(load(name))) <= reported


@pytest.mark.parametrize("name", names())
def test_steps_add_up_and_every_option_is_explained(name: str) -> None:
    module = load(name)
    phases = module.phases(module.Options(), 100)
    assert sum(phase.steps for phase in phases) == 100, "every method has the same total of steps"
    assert module.__doc__
    assert module.Options.__doc__
    assert module.CARD.cost
    assert module.CARD.use
    assert all(field.description for field in module.Options.model_fields.values())
