"""FCAN's domain classifier: what it sees, and what it is made of."""

import torch
from torch import nn

from core.networks.domain_classifier import DomainClassifier


def test_a_verdict_for_every_cell_however_few() -> None:
    network = DomainClassifier(6, width=8)
    for height, width in ((1, 1), (4, 7), (33, 20)):
        assert network(torch.randn(2, 6, height, width)).shape == (2, 1, height, width)


def test_a_cell_is_judged_by_itself_and_its_neighbours_at_one_to_four_cells() -> None:
    torch.manual_seed(0)
    features = torch.randn(1, 3, 21, 21, requires_grad=True)
    DomainClassifier(3, width=8)(features)[0, 0, 10, 10].backward()
    assert features.grad is not None
    seen = {(int(row) - 10, int(col) - 10) for row, col in features.grad[0].abs().sum(0).nonzero()}
    assert seen == {(d * row, d * col) for d in (1, 2, 3, 4) for row in (-1, 0, 1) for col in (-1, 0, 1)}


def test_it_has_the_papers_size_raw_scores_and_no_normalisation() -> None:
    network = DomainClassifier(2048)
    assert sum(p.numel() for p in network.parameters()) == 4 * (2048 * 128 * 9 + 128) + 4 * 128 + 1
    assert {type(module) for module in network.modules()} == {DomainClassifier, nn.ModuleList, nn.Conv2d}
    torch.manual_seed(0)
    scores = DomainClassifier(3, width=8)(50 * torch.randn(1, 3, 9, 9))
    assert scores.min() < 0 < 1 < scores.max()
