"""T-BDL-3 and the loop's memory: which phases follow which, on what they start, and where they resume."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from engines import NARROW, assert_equal_weights, bench_for, copied, job_for
from safetensors.torch import load_file

from core.bench import Bench
from core.checkpoint import Checkpoint
from core.events import Progressed
from core.methods import bdl
from core.methods.bdl import Options, phases, train
from core.networks.segmentor import Segmentor
from core.parts.perceptual import Perceptual
from core.parts.pseudo_maps import PseudoMaps
from core.parts.translator import FILE

PAPER = {"rounds": 2, "retrainings": 2, "warm_share": 0, "restart": True}


def bench_with(places: Path, cache: str, options: dict[str, Any], steps: int = 16) -> Bench:
    return bench_for(job_for(places, "bdl", options, schedule={"steps": steps}), places / cache)


def course(bench: Bench, options: dict[str, Any]) -> list[str]:
    """What was done, in order; L for labelling."""
    done: list[str] = []
    for said in train(bench, Options(**options)):
        now = "L" if isinstance(said, Progressed) else bench.phase.name
        done += [now] if done[-1:] != [now] else []
    return done


def last_weights(bench: Bench, options: dict[str, Any]) -> dict[str, dict[str, torch.Tensor]]:
    """The segmentor's at the end of each phase."""
    last = {}
    for said in train(bench, Options(**options)):
        if isinstance(said, dict):
            last[bench.phase.name] = copied(bench.segmentor)
    return last


def test_two_rounds_of_two_retrainings_are_those_of_the_published_table(places: Path) -> None:
    bench = bench_with(places, "cache", PAPER | NARROW)
    one = ["translate {k}", "adapt {k}", "L", "retrain {k}.1", "L", "retrain {k}.2"]
    assert course(bench, PAPER | NARROW) == [text.format(k=k) for k in (1, 2) for text in one]


def test_a_warm_start_is_the_source_only_models() -> None:
    found = phases(Options(), 1000)
    assert [phase.name for phase in found] == ["source", "translate 1", "adapt 1", "retrain 1.1"]
    assert [phase.steps for phase in found] == [300, 300, 200, 200]
    assert (found[0].start, found[0].horizon) == (0, 1000)
    assert (found[-1].start + found[-1].steps, found[-1].horizon) == (1000, 1000)


@pytest.mark.parametrize("steps", [7, 100, 2001])
@pytest.mark.parametrize(("rounds", "retrainings", "warm"), [(1, 0, 0), (1, 1, 0.3), (2, 2, 0), (2, 3, 0.5)])
def test_no_step_is_lost_and_the_rate_falls_to_nought(
    steps: int, rounds: int, retrainings: int, warm: float
) -> None:
    o = Options(rounds=rounds, retrainings=retrainings, warm_share=warm)
    found = phases(o, steps)
    assert sum(phase.steps for phase in found) == steps
    segmentors = [phase for phase in found if not phase.name.startswith("translate")]
    ends = [phase.start + phase.steps for phase in segmentors]
    assert ends[-1] == segmentors[-1].horizon
    assert all(end <= phase.start for end, phase in zip(ends, segmentors[1:], strict=False))


def test_each_training_starts_on_the_initial_weights_where_that_is_asked_for(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[dict[str, torch.Tensor]] = []
    optimizer = Bench.optimizer

    def remembered(bench: Bench, network: Segmentor) -> torch.optim.Optimizer:
        begun.append(copied(network))
        return optimizer(bench, network)

    monkeypatch.setattr(Bench, "optimizer", remembered)
    bench = bench_with(places, "cache", PAPER | NARROW)
    course(bench, PAPER | NARROW)
    assert len(begun) == 1 + 6
    for weights in begun[1:]:
        assert_equal_weights(weights, begun[0])
    begun.clear()
    going_on = PAPER | NARROW | {"restart": False}
    course(bench_with(places, "other", going_on), going_on)
    assert len(begun) == 1


@pytest.mark.parametrize("restart", [False, True])
def test_stopped_while_labelling_it_goes_on_with_the_network_that_labels(places: Path, restart: bool) -> None:
    options = NARROW | {"restart": restart}
    straight = bench_with(places, "straight", options)
    course(straight, options)

    stopped = bench_with(places, "stopped", options)
    saved: Checkpoint | None = None
    for said in train(stopped, Options(**options)):
        if isinstance(said, Progressed):
            saved = stopped.state("adapted")
            break
    assert saved
    assert saved.phase == "adapt 1"
    resumed = bench_with(places, "resumed", options)
    resumed.resume = saved
    course(resumed, options)
    assert_equal_weights(straight.segmentor.state_dict(), resumed.segmentor.state_dict())


@pytest.mark.parametrize(
    ("stopped_in", "restart"), [("translate 1", False), ("retrain 1.1", True), ("retrain 2.1", False)]
)
def test_with_phases_left_out_it_goes_on_too_and_keeps_the_translators_that_learnt(
    places: Path, stopped_in: str, restart: bool
) -> None:
    """In so few steps "adapt 1" and "adapt 2" have none."""
    options = NARROW | {"rounds": 2, "retrainings": 2, "restart": restart}
    straight = bench_with(places, "straight", options, steps=12)
    assert not [phase for phase in straight.phases if phase.name.startswith("adapt")]
    course(straight, options)

    stopped = bench_with(places, "stopped", options, steps=12)
    saved: Checkpoint | None = None
    for said in train(stopped, Options(**options)):
        if not isinstance(said, Progressed) and stopped.phase.name == stopped_in:
            saved = stopped.state("adapted")
            break
    assert saved
    resumed = bench_with(places, "stopped", options, steps=12)
    resumed.resume = saved
    course(resumed, options)
    assert_equal_weights(straight.segmentor.state_dict(), resumed.segmentor.state_dict())
    ours, theirs = (load_file(places / cache / "phase" / FILE) for cache in ("stopped", "straight"))
    assert_equal_weights(ours, theirs)


def test_a_retraining_without_steps_labels_nothing(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labelled: list[str] = []
    make = PseudoMaps.make

    def noted(maps: PseudoMaps, network: Segmentor) -> Iterator[Progressed]:
        labelled.append(maps.phase)
        return make(maps, network)

    monkeypatch.setattr(PseudoMaps, "make", noted)
    options = NARROW | {"retrainings": 2}
    bench = bench_with(places, "cache", options, steps=3)
    assert [phase.name for phase in bench.phases] == ["source", "translate 1", "retrain 1.2"]
    course(bench, options)
    assert labelled == ["retrain 1.2"]


def test_what_labels_is_the_network_of_the_phase_before(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, labelling = NARROW | {"restart": True, "retrainings": 2}, []
    make = PseudoMaps.make

    def remembered(maps: PseudoMaps, network: Segmentor) -> Iterator[Progressed]:
        labelling.append(copied(network))
        return make(maps, network)

    monkeypatch.setattr(PseudoMaps, "make", remembered)
    bench = bench_with(places, "cache", options)
    last = last_weights(bench, options)
    assert len(labelling) == 2
    assert_equal_weights(labelling[0], last["adapt 1"])
    assert_equal_weights(labelling[1], last["retrain 1.1"])


def test_the_first_translation_is_judged_where_there_is_a_warm_start(places: Path) -> None:
    for warm, judged in ((0, ["translate 2"]), (0.3, ["translate 1", "translate 2"])):
        options, found = NARROW | {"rounds": 2, "warm_share": warm}, []
        bench = bench_with(places, str(warm), options)
        for said in train(bench, Options(**options)):
            if isinstance(said, dict) and "consistency" in said and bench.phase.name not in found:
                found.append(bench.phase.name)
        assert found == judged


@pytest.mark.parametrize("restart", [False, True])
def test_translations_are_judged_by_the_segmentor_of_the_phase_before(
    places: Path, monkeypatch: pytest.MonkeyPatch, restart: bool
) -> None:
    judges: list[dict[str, torch.Tensor]] = []

    def remembered(network: Segmentor, *options: Any) -> Perceptual:
        judge = Perceptual(network, *options)
        judges.append(copied(judge.network))
        return judge

    monkeypatch.setattr(bdl, "Perceptual", remembered)
    options = NARROW | {"rounds": 2, "restart": restart}
    bench = bench_with(places, "cache", options)
    last = last_weights(bench, options)
    assert len(judges) == 2
    assert_equal_weights(judges[0], last["source"])
    assert_equal_weights(judges[1], last["retrain 1.1"])


def test_pseudo_labels_teach_in_retraining_alone(places: Path) -> None:
    seen: dict[str, list[float]] = {}
    bench = bench_with(places, "cache", NARROW)
    for said in train(bench, Options(**NARROW)):
        if isinstance(said, dict) and "trusted" in said:
            seen.setdefault(bench.phase.name, []).append(float(said["trusted"]) * float(said["self_taught"]))
    assert set(seen["adapt 1"]) == {0.0}
    assert min(seen["retrain 1.1"]) > 0
