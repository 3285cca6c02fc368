"""T-EMA-1 to T-EMA-3: the moving average, its gradients and its batch-norm statistics."""

import pytest
import torch
from torch import Tensor, nn

from core.networks.outputs import Outputs
from core.parts.normalisation import renew_statistics
from core.parts.teacher import Teacher


class Net(nn.Module):
    """A convolution, a batch norm and dropout: everything that has a mode."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Dropout(0.5))

    def forward(self, image: Tensor) -> Outputs:
        return Outputs(self.layers(image))


@pytest.fixture
def student() -> Net:
    torch.manual_seed(0)
    return Net()


def norm(network: nn.Module) -> nn.BatchNorm2d:
    return next(m for m in network.modules() if isinstance(m, nn.BatchNorm2d))


def test_momentum_rises_as_a_running_mean_until_it_reaches_its_own(student: Net) -> None:
    teacher = Teacher(student, 0.9)
    weight = next(student.parameters())
    seen = []
    for step in range(5):
        weight.data.fill_(float(step))
        seen.append(float(step))
        teacher.follow(student)
        mean = sum(seen) / len(seen)
        assert next(teacher.network.parameters()).flatten()[0].item() == pytest.approx(mean, abs=1e-6)
    teacher.updates = 10_000
    before = next(teacher.network.parameters()).flatten()[0].item()
    weight.data.fill_(100.0)
    teacher.follow(student)
    after = next(teacher.network.parameters()).flatten()[0].item()
    assert after == pytest.approx(0.9 * before + 0.1 * 100, rel=1e-5)


def test_a_teacher_has_no_gradients_and_survives_a_save(student: Net) -> None:
    teacher = Teacher(student, 0.9)
    teacher.follow(student)
    assert not any(p.requires_grad for p in teacher.network.parameters())
    assert not teacher.probabilities(torch.randn(1, 2, 4, 4)).requires_grad
    other = Teacher(Net(), 0.9)
    other.load_state_dict(teacher.state_dict())
    assert other.updates == 1
    for a, b in zip(teacher.network.state_dict().values(), other.network.state_dict().values(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(("policy", "expected"), [("copy", 8.0), ("ema", 4.0), ("batch", 4.0)])
def test_each_policy_keeps_running_statistics_for_maps(student: Net, policy: str, expected: float) -> None:
    teacher = Teacher(student, 0.5, policy)  # type: ignore[arg-type]  # parametrised
    teacher.follow(student)
    norm(student).running_mean.fill_(8.0)  # type: ignore[union-attr]  # this norm tracks statistics
    teacher.follow(student)
    assert norm(teacher.network).running_mean[0].item() == pytest.approx(expected)  # type: ignore[index]


def test_batch_policy_labels_with_the_batch_and_leaves_the_statistics(student: Net) -> None:
    image = 5 + 3 * torch.randn(2, 2, 16, 16)
    by_batch, by_running = Teacher(student, 0.9, "batch"), Teacher(student, 0.9, "ema")
    assert not torch.allclose(by_batch.probabilities(image), by_running.probabilities(image), atol=1e-3)
    assert norm(by_batch.network).running_mean.abs().max() == 0  # type: ignore[union-attr]
    assert torch.equal(by_batch.probabilities(image), by_batch.probabilities(image)), "dropout must be off"


def test_renewed_statistics_are_the_mean_over_the_images_and_nothing_else_changes(student: Net) -> None:
    images = [torch.randn(4, 2, 8, 8) + shift for shift in (0.0, 3.0)]
    before = [p.clone() for p in student.parameters()]
    renew_statistics(student, images)
    expected = torch.stack([student.layers[0](image).mean((0, 2, 3)) for image in images]).mean(0)
    assert torch.allclose(norm(student).running_mean, expected, atol=1e-5)  # type: ignore[arg-type]
    assert norm(student).momentum == 0.1
    assert all(torch.equal(a, b) for a, b in zip(before, student.parameters(), strict=True))
