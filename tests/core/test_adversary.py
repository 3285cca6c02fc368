"""T-ADV-1, 3, 6 and 7: who receives which gradient."""

import pytest
import torch
from engines import bench_for, draw, job_for
from torch import Tensor, nn

from core.bench import Bench
from core.networks.outputs import Outputs
from core.parts import adversary as adversaries
from core.parts.adversary import Adversary

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


def test_learning_moves_the_discriminator_and_never_the_segmentor(bench: Bench) -> None:
    adversary, source, target = Adversary(bench, [1.0]), logits(0), logits(1)
    before = [p.clone() for p in adversary.networks.parameters()]
    adversary.learn(Outputs(source), EVERYWHERE, Outputs(target), EVERYWHERE)
    assert source.grad is None
    assert target.grad is None
    changed = [not torch.equal(a, b) for a, b in zip(before, adversary.networks.parameters(), strict=True)]
    assert any(changed)


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


@pytest.mark.parametrize(("gan", "expected"), [("bce", 0.6931472), ("lsgan", 0.0)])
def test_a_discriminator_that_says_nothing(bench: Bench, gan: str, expected: float) -> None:
    adversary = Adversary(bench, [1.0], gan=gan)  # type: ignore[arg-type]
    for p in adversary.networks.parameters():
        p.data.zero_()
    assert adversary.fool(Outputs(logits(0)), EVERYWHERE).item() == pytest.approx(expected)


def test_an_auxiliary_level_of_weight_nought_changes_no_gradient(bench: Bench) -> None:
    def gradient(weights: list[float]) -> Tensor:
        adversary, main, aux = Adversary(bench, weights), logits(0), logits(1)
        bench.backward(adversary.fool(Outputs(main, [aux]), EVERYWHERE))
        assert main.grad is not None
        return main.grad

    assert torch.equal(gradient([1.0]), gradient([1.0, 0.0]))


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
