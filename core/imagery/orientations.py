"""The eight orientations of a square (the dihedral group D4): an image from above has no up."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.terms import Orientations

ALL = (0, 4, 2, 6, 1, 5, 3, 7)
"""Quarter turns, modulo 4, and mirrored left to right from 4 on; each after those that it is most unlike."""
_OF: dict[Orientations, tuple[int, ...]] = {"all": tuple(range(8)), "mirrored": (0, 4), "none": (0,)}


def draw(which: Orientations, generator: np.random.Generator) -> int:
    """The number of one of them, at random."""
    choices = _OF[which]
    return choices[int(generator.integers(len(choices)))]


def turn_array(a: NDArray[Any], number: int) -> NDArray[Any]:
    """(..., s, s) -> same, in an orientation."""
    a = np.rot90(a, number % 4, axes=(-2, -1))
    return np.ascontiguousarray(a[..., ::-1] if number >= 4 else a)


def turn(maps: Tensor, number: int) -> Tensor:
    """(..., s, s) -> same, as `turn_array` does."""
    turned = torch.rot90(maps, number % 4, (-2, -1))
    return turned.flip(-1) if number >= 4 else turned


def turn_back(maps: Tensor, number: int) -> Tensor:
    """What `turn` made, (..., s, s), as it was before."""
    return torch.rot90(maps.flip(-1) if number >= 4 else maps, -(number % 4), (-2, -1))
