"""The teacher: a moving average of the student that labels the target (Tarvainen & Valpola 2017)."""

import copy
from typing import Any, Literal

import torch
from torch import Tensor, nn

TeacherNorm = Literal["batch", "copy", "ema"]


class Teacher:
    """Exponential moving average of a student's parameters.

    `norm` says which batch-norm statistics it labels with: `batch`, those of the batch at hand (the
    DAFormer family); `copy`, the student's running ones; `ema`, their moving average, with which a
    teacher of `batch` makes maps.
    """

    def __init__(self, student: nn.Module, momentum: float, norm: TeacherNorm = "ema") -> None:
        self.network = copy.deepcopy(student).requires_grad_(False)
        self.momentum, self.norm, self.updates = momentum, norm, 0

    @torch.no_grad()
    def follow(self, student: nn.Module) -> None:
        """Move towards the student: momentum min(1 - 1/(t + 1), momentum), so that step 0 copies it."""
        keep = min(1 - 1 / (self.updates + 1), self.momentum)
        for mine, its in zip(self.network.parameters(), student.parameters(), strict=True):
            mine.lerp_(its, 1 - keep)
        for buffer, its_buffer in zip(self.network.buffers(), student.buffers(), strict=True):
            if self.norm == "copy" or not buffer.is_floating_point():
                buffer.copy_(its_buffer)
            else:
                buffer.lerp_(its_buffer, 1 - keep)
        self.updates += 1

    @torch.no_grad()
    def probabilities(self, image: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, k, h, w): softmax, without dropout. The image is the un-augmented one."""
        self.network.eval()
        if self.norm == "batch":
            _batch_statistics(self.network)
        logits: Tensor = self.network(image).logits
        return torch.softmax(logits.float(), 1)

    def state_dict(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.updates = state["updates"]


def _batch_statistics(network: nn.Module) -> None:
    """Batch norms of an otherwise evaluating network use the batch, which moves no running statistics."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.train()
            module.momentum = 0.0
