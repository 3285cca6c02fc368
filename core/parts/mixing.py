"""ClassMix: paste half of the source's classes onto the target (Olsson et al., Tranheden et al. 2021)."""

import numpy as np
import torch
from torch import Tensor

from core.networks.outputs import Batch
from core.parts.pseudo_labels import Pseudo
from geo_io.legend import IGNORE


def class_mix(source: Batch, target: Batch, pseudo: Pseudo, generator: np.random.Generator) -> Batch:
    """A batch of target crops with the pixels of ceil(n/2) of each source crop's n classes pasted in.

    Pasted pixels carry the source's label and weight, the others the pseudo label and its weight.
    Unlabelled source pixels (255) are never pasted, so nodata never is.
    """
    pasted = torch.stack([_chosen_classes(label, generator) for label in source.label])
    return Batch(
        image=torch.where(pasted.unsqueeze(1), source.image, target.image),
        label=torch.where(pasted, source.label, pseudo.label),
        weight=torch.where(pasted, source.weight, pseudo.weight),
        valid=pasted | target.valid,
    )


def _chosen_classes(label: Tensor, generator: np.random.Generator) -> Tensor:
    """(h, w) -> (h, w) bool: the pixels of half of the classes present, rounded up."""
    present = [int(c) for c in torch.unique(label) if c != IGNORE]
    chosen = generator.permutation(present)[: (len(present) + 1) // 2]
    return torch.isin(label, torch.as_tensor(chosen, dtype=label.dtype, device=label.device))
