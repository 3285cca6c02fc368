"""T-MIX-1, T-AUG: ClassMix and photometric augmentation."""

import numpy as np
import pytest
import torch

from core.imagery.augment import blur, jitter_bands
from core.networks.outputs import Batch
from core.parts.mixing import class_mix
from core.parts.pseudo_labels import Pseudo


def crops(label: torch.Tensor, fill: float) -> Batch:
    image = torch.full((len(label), 2, *label.shape[1:]), fill)
    return Batch(image, label, (label != 255).float(), torch.ones_like(label, dtype=torch.bool))


@pytest.mark.parametrize("seed", range(8))
def test_half_of_the_classes_are_pasted_whole_and_never_the_unlabelled(seed: int) -> None:
    label = torch.randint(0, 5, (2, 12, 12), generator=torch.Generator().manual_seed(seed))
    label[label == 4] = 255
    source, target = crops(label, 1.0), crops(torch.full_like(label, 255), 2.0)
    pseudo = Pseudo(torch.full_like(label, 7), torch.full(label.shape, 0.25))
    mixed = class_mix(source, target, pseudo, np.random.default_rng(seed))
    for i in range(2):
        pasted = mixed.image[i, 0] == 1
        chosen, left = set(label[i][pasted].tolist()), set(label[i][~pasted].tolist())
        assert len(chosen) == 2, "half of the four classes present"
        assert 255 not in chosen
        assert not chosen & left, "a class is pasted whole or not at all"
        assert torch.equal(mixed.label[i][pasted], label[i][pasted])
        assert (mixed.label[i][~pasted] == 7).all()
        assert (mixed.weight[i][pasted] == 1).all()
        assert (mixed.weight[i][~pasted] == 0.25).all()
        assert (mixed.image[i][:, ~pasted] == 2).all()


def test_what_is_pasted_keeps_its_place_in_every_band_and_its_own_label_and_weight() -> None:
    at = torch.Generator().manual_seed(0)
    image, weight = torch.randn(2, 3, 5, 24, 40, generator=at), torch.rand(3, 3, 24, 40, generator=at)
    label = torch.randint(0, 6, (3, 3, 24, 40), generator=at)
    valid = torch.rand(2, 3, 24, 40, generator=at) > 0.2
    label[0][~valid[0] | (label[0] == 5)] = 255
    source, target = (
        Batch(image[0], label[0], weight[0], valid[0]),
        Batch(image[1], label[1], weight[1], valid[1]),
    )
    pseudo = Pseudo(label[2], weight[2])
    mixed = class_mix(source, target, pseudo, np.random.default_rng(0))
    pasted = (mixed.image == source.image).all(1)
    for i in range(3):
        chosen = set(source.label[i][pasted[i]].tolist())
        assert len(chosen) == 3, "half of the five classes present"
        assert 255 not in chosen
        assert torch.equal(pasted[i], torch.isin(source.label[i], torch.tensor(list(chosen))))
    assert torch.equal(mixed.image, torch.where(pasted.unsqueeze(1), source.image, target.image))
    assert torch.equal(mixed.label, torch.where(pasted, source.label, pseudo.label))
    assert torch.equal(mixed.weight, torch.where(pasted, source.weight, pseudo.weight))
    assert torch.equal(mixed.valid, pasted | target.valid)


def test_an_odd_number_of_classes_is_rounded_up() -> None:
    label = torch.tensor([[[0, 1, 2, 255]]])
    pseudo = Pseudo(torch.full_like(label, 255), torch.zeros(label.shape))
    mixed = class_mix(crops(label, 1.0), crops(label, 2.0), pseudo, np.random.default_rng(0))
    assert (mixed.image[0, 0] == 1).sum() == 2


def test_with_no_trust_only_pasted_pixels_teach() -> None:
    label = torch.randint(0, 4, (1, 8, 8), generator=torch.Generator().manual_seed(0))
    pseudo = Pseudo(torch.zeros_like(label), torch.zeros(label.shape))
    mixed = class_mix(crops(label, 1.0), crops(label, 2.0), pseudo, np.random.default_rng(0))
    assert torch.equal(mixed.weight > 0, mixed.image[:, 0] == 1)


@pytest.mark.parametrize("change", [lambda b, g: jitter_bands(b, 0.5, g), lambda b, g: blur(b, 1.0, g)])
def test_photometry_changes_no_label_keeps_nodata_at_zero_and_repeats(change) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    valid = torch.rand(3, 16, 16) > 0.3
    label = torch.randint(0, 3, (3, 16, 16))
    batch = Batch(torch.randn(3, 4, 16, 16) * valid.unsqueeze(1), label, torch.ones(3, 16, 16), valid)
    found = change(batch, np.random.default_rng(1))
    assert not torch.equal(found.image, batch.image)
    assert (found.image * ~valid.unsqueeze(1)).abs().max() == 0
    assert torch.equal(found.label, batch.label)
    assert torch.equal(found.image, change(batch, np.random.default_rng(1)).image)
