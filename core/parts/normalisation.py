"""AdaBN: batch-norm statistics of another domain under unchanged weights (Li et al. 2018)."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@torch.no_grad()
def renew_statistics(network: nn.Module, images: Iterable[Tensor]) -> None:
    """Replace the running statistics by their plain mean over `images`, each (b, c, h, w).

    Parameters do not change, and only batch norms leave evaluation mode: dropout stays off.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch: None accumulates the plain mean
        norm.train()
    for image in images:
        network(image)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
