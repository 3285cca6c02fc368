"""Feature distance: keep what the encoder knew of objects before training (Hoyer et al. 2022, eq. 8-11)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from core.bench import Bench
from core.errors import BadInput
from core.job import Job
from core.networks.outputs import Batch, Outputs

LEAST_SHARE = 0.75
"""Least share of a feature's cell that a chosen class must cover for the cell to count."""


class FeatureDistance:
    """The distance of the encoder's last features from those of the untrained encoder, in evaluation mode.

    Off, at no cost, without weight or without classes: whole fields have no shape that is worth keeping.
    """

    def __init__(self, bench: Bench, weight: float, classes: list[str]) -> None:
        ids = {name: i for i, name in enumerate(bench.job.legend.names)}
        self.weight, self.classes = weight, [ids[name] for name in dict.fromkeys(classes) if weight]
        self.initial = bench.fresh().eval().requires_grad_(False) if self.classes else None

    def loss(self, seen: Outputs, source: Batch) -> Tensor:
        """Weight x mean length of the difference where a chosen class fills the cell; 0 where none does."""
        if self.initial is None or seen.features is None:
            return torch.zeros((), device=source.image.device)
        with torch.no_grad():
            before = self.initial.features(source.image).float()
        each: Tensor = torch.linalg.vector_norm(seen.features.float() - before, dim=1)
        counted = cells_of(self.classes, source.label, each)
        return self.weight * (each * counted).sum() / counted.sum().clamp(min=1)


def cells_of(classes: list[int], label: Tensor, like: Tensor) -> Tensor:
    """(b, h, w), (b, h', w') -> (b, h', w') bool: the cells that one of the classes fills.

    Unlabelled pixels and nodata count as another class. Where h is no multiple of h' the cells are
    stretched to cover the whole crop.
    """
    each = torch.stack([label == c for c in classes], 1).float()
    shares = F.adaptive_avg_pool2d(each, (like.shape[-2], like.shape[-1]))
    return (shares >= LEAST_SHARE).any(1)


def check_feature_distance(job: Job, weight: float, classes: list[str]) -> None:
    """Raises BadInput for a class that the legend lacks, and where nothing was learnt that could be kept."""
    names = job.legend.names
    unknown = next((name for name in classes if name not in names), None)
    if unknown is not None:
        problem = f"the legend has no class {unknown!r}"
        raise BadInput("method.options.feature_classes", problem, f"classes are {', '.join(names)}")
    if weight and classes and job.network.weights is None:
        problem = "has nothing to keep: the encoder is not pretrained (network.weights: null)"
        raise BadInput("method.options.feature_distance", problem, "set it to 0, or give the encoder weights")
