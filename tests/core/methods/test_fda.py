"""FDA: its penalty, and the networks of multi-band transfer."""

from pathlib import Path
from typing import Any

import pytest
import torch
from engines import bench_for, draw, job_for
from torch import Tensor

from core.bench import Bench
from core.errors import BadInput
from core.methods import fda
from core.networks.outputs import Batch, Outputs
from core.networks.segmentor import Segmentor
from core.registry import choose

EVERYWHERE = torch.ones(1, 4, 4, dtype=torch.bool)


def bench_of(folder: Path, options: dict[str, Any], steps: int) -> Bench:
    draw(folder)
    return bench_for(job_for(folder, "fda", options, schedule={"steps": steps}), folder / "cache")


def test_the_penalty_is_one_where_nothing_is_known_and_leaves_nodata_out() -> None:
    unsure, certain = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    certain[:, 0] = 100.0
    assert fda.robust_entropy(unsure, EVERYWHERE, 2.0).item() == pytest.approx(1, abs=1e-5)
    assert fda.robust_entropy(certain, EVERYWHERE, 2.0).item() == pytest.approx(0, abs=1e-9)
    half = torch.zeros(1, 2, 4, 4)
    half[:, 0] = 2.0
    p = torch.softmax(half[0, :, 0, 0], 0)
    entropy = -(p * p.log2()).sum().item()
    assert fda.robust_entropy(half, EVERYWHERE, 1.5).item() == pytest.approx(entropy**3, rel=1e-4)
    valid = EVERYWHERE.clone()
    valid[:, 2:] = False
    certain[:, :, 2:] = 0.0
    assert fda.robust_entropy(certain, valid, 2.0).item() == pytest.approx(0, abs=1e-9)


def test_the_papers_training_is_seven_networks_known_beforehand() -> None:
    phases = fda.phases(fda.Options(betas=[0.01, 0.05, 0.09], rounds=2), 100)
    assert [phase.name for phase in phases] == [
        *(f"round {turn} beta {beta}" for turn in (0, 1) for beta in (0.01, 0.05, 0.09)),
        "round 2 beta 0.01",
    ]
    assert sum(phase.steps for phase in phases) == 100


@pytest.mark.parametrize(
    ("options", "problem"),
    [({"betas": [0.01, 0.05]}, "rounds"), ({"betas": [0.01, 0.01], "rounds": 1}, "once")],
)
def test_betas_that_would_be_trained_for_nothing_are_refused(
    options: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    draw(tmp_path)
    with pytest.raises(BadInput, match=problem):
        choose(job_for(tmp_path, "fda", options), "fda", options)


def test_the_student_sees_translated_source_and_the_target_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_of(tmp_path, {}, steps=1)
    seen, targets = [], []
    forward = Segmentor.forward

    def translated(source: Batch, target: Batch, beta: float) -> Batch:
        assert beta == 0
        targets.append(target.image)
        return source._replace(image=torch.full_like(source.image, 7.0))

    def watched(network: Segmentor, image: Tensor) -> Outputs:
        seen.append(image)
        return forward(network, image)

    monkeypatch.setattr(fda, "swap_amplitude", translated)
    training = fda.train(bench, fda.Options())
    monkeypatch.setattr(Segmentor, "forward", watched)
    next(training)
    assert (seen[-2] == 7).all()
    assert torch.equal(seen[-1], targets[0])


def test_each_network_starts_afresh_and_the_last_learns_the_mean_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"betas": [0.0, 0.1], "rounds": 1}
    bench = bench_of(tmp_path, options, steps=6)
    begun: dict[str, tuple[float, Tensor]] = {}
    taught = []
    swap, mean = fda.swap_amplitude, fda.mean_prediction

    def watched(source: Batch, target: Batch, beta: float) -> Batch:
        begun.setdefault(bench.phase.name, (beta, weights(bench.segmentor)))
        return swap(source, target, beta)

    def recorded(networks: Any, image: Tensor) -> Tensor:
        taught.append([weights(network) for network in networks])
        return mean(networks, image)

    monkeypatch.setattr(fda, "swap_amplitude", watched)
    monkeypatch.setattr(fda, "mean_prediction", recorded)
    ends, reported = {}, {}
    for losses in fda.train(bench, fda.Options(**options)):  # type: ignore[arg-type]  # a mapping of options
        ends[bench.phase.name], reported[bench.phase.name] = weights(bench.segmentor), set(losses)
    assert [beta for beta, _ in begun.values()] == [0.0, 0.1, 0.0]
    first = begun["round 0 beta 0"][1]
    assert all(torch.equal(first, start) for _, start in begun.values())
    assert not torch.equal(first, ends["round 0 beta 0"])
    assert len(taught) == 2
    for networks in taught:
        assert len(networks) == 2
        assert torch.equal(networks[0], ends["round 0 beta 0"])
        assert torch.equal(networks[1], ends["round 0 beta 0.1"])
    assert torch.equal(weights(bench.mapper), ends["round 1 beta 0"])
    assert reported["round 0 beta 0"] < reported["round 1 beta 0"]


def weights(network: Any) -> Tensor:
    return torch.cat([t.flatten().float() for t in network.state_dict().values()])


def test_the_mean_prediction_is_of_probabilities() -> None:
    logits = [torch.tensor([[[[9.0]], [[0.0]]]]), torch.tensor([[[[0.0]], [[1.0]]]])]
    networks: Any = [lambda image, z=z: Outputs(z + image) for z in logits]
    expected = sum(torch.softmax(z, 1) for z in logits) / 2
    assert torch.allclose(fda.mean_prediction(networks, torch.zeros(1, 1, 1, 1)), expected)
