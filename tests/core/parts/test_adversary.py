"""T-ADV-1, 3, 6 and 7: who receives which gradient."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from engines import DEEPLABV2, bench_for, draw, job_for
from torch import Tensor, nn

from core.bench import Bench
from core.networks.outputs import Outputs
from core.parts import adversary as adversaries
from core.parts.adversary import Adversary, predictions
from core.registry import choose

K, SIDE = 3, 64


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("places")
    draw(folder)
    bench = bench_for(job_for(folder, "adaptsegnet"), folder / "cache")
    bench.phase = bench.phases[0]
    return bench


def logits(seed: int) -> Tensor:
    return torch.randn(2, K, SIDE, SIDE, generator=torch.Generator().manual_seed(seed)).requires_grad_()


EVERYWHERE = torch.ones(2, SIDE, SIDE, dtype=torch.bool)


def gradients(network: nn.Module) -> list[Tensor | None]:
    return [p.grad for p in network.parameters()]


def test_fooling_moves_the_segmentor_and_never_the_discriminator(bench: Bench) -> None:
    adversary, target = Adversary(bench, [1.0]), logits(0)
    bench.backward(adversary.fool(Outputs(target), EVERYWHERE))
    assert target.grad is not None
    assert target.grad.abs().max() > 0
    assert all(grad is None for grad in gradients(adversary.networks))
    assert all(p.requires_grad for p in adversary.networks.parameters()), "it must learn again afterwards"


def test_learning_moves_every_discriminator_and_never_the_segmentor(bench: Bench) -> None:
    adversary, source, target = Adversary(bench, [1.0, 0.2]), logits(0), logits(1)
    before = [p.clone() for p in adversary.networks.parameters()]
    adversary.learn(Outputs(source, [source]), EVERYWHERE, Outputs(target, [target]), EVERYWHERE)
    assert source.grad is None
    assert target.grad is None
    assert not any(torch.equal(a, b) for a, b in zip(before, adversary.networks.parameters(), strict=True))


def sure_of(which: int) -> Tensor:
    """Logits of one class everywhere: two classes' are as separable as can be."""
    return (4.0 * torch.eye(K)[which]).view(1, K, 1, 1).repeat(2, 1, SIDE, SIDE)


@pytest.mark.parametrize("gan", ["bce", "lsgan"])
def test_each_discriminator_learns_to_call_the_source_0_and_the_target_1(bench: Bench, gan: str) -> None:
    """The auxiliary level's domains are the other way round, so that none learns from another's maps."""
    adversary = Adversary(bench, [1.0, 0.2], lr=2e-3, gan=gan, width=16)  # type: ignore[arg-type]
    source, target = Outputs(sure_of(0), [sure_of(1)]), Outputs(sure_of(1), [sure_of(0)])
    losses = [adversary.learn(source, EVERYWHERE, target, EVERYWHERE).item() for _ in range(30)]
    assert losses[-1] < losses[0] / 2
    assert adversary.told(source, EVERYWHERE, target, EVERYWHERE) == 1

    def scores(outputs: Outputs) -> list[float]:
        levels = zip(adversary.networks, predictions(outputs), strict=True)
        return [network(level.softmax(1)).mean().item() for network, level in levels]

    middle = {"bce": 0.0, "lsgan": 0.5}[gan]
    assert max(scores(source)) < middle < min(scores(target))


@pytest.mark.parametrize("gan", ["bce", "lsgan"])
def test_fooling_pushes_the_target_to_where_the_source_is(bench: Bench, gan: str) -> None:
    """Towards 0: down without end where scores are logits, and from above where they are distances."""
    adversary = Adversary(bench, [3.0], view=lambda maps: maps, gan=gan, make=lambda: nn.Conv2d(1, 1, 1))  # type: ignore[arg-type]
    for p, value in zip(adversary.networks.parameters(), (1.0, 0.0), strict=True):
        p.data.fill_(value)  # the score is the map
    target = torch.full((1, 1, 4, 8), 2.0, requires_grad=True)
    bench.backward(adversary.fool(Outputs(target), torch.ones(1, 4, 8, dtype=torch.bool)))
    assert target.grad is not None
    expected = {"bce": 1 / (1 + math.exp(-2.0)), "lsgan": 2 * 2.0}[gan]
    assert target.grad.flatten().tolist() == pytest.approx([3 * expected / 32] * 32)


@pytest.mark.parametrize("gan", ["bce", "lsgan"])
def test_swapping_the_domain_labels_and_the_last_layers_sign_is_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, gan: str
) -> None:
    def gradient(swapped: bool) -> Tensor:
        adversary, target = Adversary(bench, [1.0], gan=gan), logits(0)  # type: ignore[arg-type]
        if swapped:
            monkeypatch.setattr(adversaries, "SOURCE", 1.0)
            last = [m for m in adversary.networks.modules() if isinstance(m, nn.Conv2d)][-1]
            last.weight.data.neg_()
            assert last.bias is not None
            # BCE mirrors about 0, least squares about 1/2.
            last.bias.data.neg_().add_(1.0 if gan == "lsgan" else 0.0)
        bench.backward(adversary.fool(Outputs(target), EVERYWHERE))
        assert target.grad is not None
        return target.grad

    assert torch.allclose(gradient(False), gradient(True), atol=1e-9)


@pytest.mark.parametrize(("gan", "fooling", "caught"), [("bce", 0.6931472, 0.6931472), ("lsgan", 0.0, 0.5)])
def test_a_discriminator_that_says_nothing(bench: Bench, gan: str, fooling: float, caught: float) -> None:
    """Least squares: 0 is right of the source and wrong of the target, each of which counts by half."""
    adversary = Adversary(bench, [1.0], gan=gan)  # type: ignore[arg-type]
    for p in adversary.networks.parameters():
        p.data.zero_()
    source, target = Outputs(logits(0)), Outputs(logits(1))
    assert adversary.fool(target, EVERYWHERE).item() == pytest.approx(fooling)
    assert adversary.learn(source, EVERYWHERE, target, EVERYWHERE).item() == pytest.approx(caught)


def test_an_auxiliary_level_of_weight_nought_changes_no_gradient(bench: Bench) -> None:
    def gradient(weights: list[float]) -> Tensor:
        adversary, main, aux = Adversary(bench, weights), logits(0), logits(1)
        bench.backward(adversary.fool(Outputs(main, [aux]), EVERYWHERE))
        assert main.grad is not None
        return main.grad

    assert torch.equal(gradient([1.0]), gradient([1.0, 0.0]))


@pytest.mark.parametrize(
    ("name", "options", "aux"),
    [
        ("adaptsegnet", {"adversarial": 1.0}, "adversarial_aux"),
        ("advent", {"weight": 1.0}, "weight_aux"),
        ("advent", {"variant": "minent", "weight": 1.0}, "weight_aux"),
    ],
)
def test_two_levels_of_which_the_auxiliary_weighs_nought_are_one_bit_for_bit(
    tmp_path: Path, name: str, options: dict[str, Any], aux: str
) -> None:
    draw(tmp_path)

    def trained(levels: str, weights: dict[str, float]) -> dict[str, Tensor]:
        job = job_for(
            tmp_path,
            name,
            {"levels": levels} | options | weights,
            network=DEEPLABV2,
            schedule={"steps": 2, "weight_decay": 0.0},
        )
        working, method = bench_for(job, tmp_path / "cache"), choose(job, name, job.method.options)
        for _ in method.module.train(working, method.options):
            pass
        return working.segmentor.state_dict()

    def changed(a: dict[str, Tensor], b: dict[str, Tensor]) -> set[str]:
        """Which parts differ: the encoder, the classifier, the auxiliary head."""
        return {key.split(".")[1] for key in a if not torch.equal(a[key], b[key])}

    nothing = {"supervised_aux": 0.0, aux: 0.0}
    single, multi = trained("single", {"supervised_aux": 9.0, aux: 9.0}), trained("multi", nothing)
    untrained = bench_for(job_for(tmp_path, name, network=DEEPLABV2), tmp_path / "cache")
    assert changed(single, untrained.segmentor.state_dict()) == {"encoder", "classifier"}
    assert not changed(multi, single)
    for each in nothing:
        assert "auxiliary" in changed(trained("multi", nothing | {each: 1.0}), single), each


def test_nodata_is_invisible_to_both_losses(bench: Bench) -> None:
    valid = EVERYWHERE.clone()
    valid[:, :, SIDE // 2 :] = False

    def losses(fill: float) -> tuple[float, float, Tensor]:
        adversary = Adversary(bench, [1.0])
        source, target = logits(0).detach(), logits(1).detach()
        for z in (source, target):
            z[:, 0, :, SIDE // 2 :] = fill
        target.requires_grad_()
        fooling = bench.backward(adversary.fool(Outputs(target), valid))
        caught = adversary.learn(Outputs(source), valid, Outputs(target), valid)
        assert target.grad is not None
        return fooling.item(), caught.item(), target.grad

    (f0, c0, g0), (f1, c1, g1) = losses(0.0), losses(50.0)
    assert (f0, c0) == (f1, c1)
    assert torch.equal(g0[..., : SIDE // 2], g1[..., : SIDE // 2])
    assert g0[..., SIDE // 2 :].abs().max() == 0


def test_a_level_that_the_network_lacks_is_refused_in_words(bench: Bench) -> None:
    with pytest.raises(adversaries.BadInput, match="deeplabv2"):
        Adversary(bench, [1.0, 0.1]).fool(Outputs(logits(0)), EVERYWHERE)


@pytest.mark.parametrize("gan", ["bce", "lsgan"])
def test_what_a_discriminator_tells_is_a_share_of_the_cells_that_count(bench: Bench, gan: str) -> None:
    """Source cells score low and target cells high; the right half of the target's is nodata."""
    adversary = Adversary(bench, [1.0], view=lambda maps: maps, gan=gan, make=lambda: nn.Conv2d(1, 1, 1))  # type: ignore[arg-type]
    for p, value in zip(adversary.networks.parameters(), (1.0, 0.0), strict=True):
        p.data.fill_(value)  # the score is the map
    source, target = torch.full((1, 1, 4, 8), -1.0), torch.full((1, 1, 4, 8), 2.0)
    everywhere = torch.ones(1, 4, 8, dtype=torch.bool)
    left = everywhere.clone()
    left[..., 4:] = False

    def told(of_target: Tensor) -> float:
        return adversary.told(Outputs(source), everywhere, Outputs(of_target), left).item()

    assert told(target) == 1
    target[..., 4:] = -9
    assert told(target) == 1, "nodata does not count"
    target[..., :2] = -9
    assert told(target) == 0.75, "half of the target's and all of the source's"
    assert told(-target) == 0.75
    assert told(torch.full_like(target, -9)) == 0.5, "all is taken for the source: a coin toss"
