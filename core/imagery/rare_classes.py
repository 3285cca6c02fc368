"""Rare-class sampling: draw the crops that hold what is rare (Hoyer et al. 2022, DAFormer, eq. 5-6)."""

import numpy as np
from numpy.typing import NDArray

LEAST_EFFECTIVE = 0.75
"""Least effective number of classes, as a share of the classes present.

The paper's T = 0.01 is tuned to 19 classes; with five of them it draws one class alone.
"""


def class_probabilities(counts: NDArray[np.int64], temperature: float | None = None) -> NDArray[np.float64]:
    """(k,) labelled pixels by class -> (k,) probability of drawing each: softmax((1 - f_c) / T).

    An absent class has probability 0. Temperature None: the lowest at which the effective number of
    classes, exp(entropy), reaches 0.75 of those present. Raises ValueError where there are no pixels.
    """
    present = counts > 0
    if not present.any():
        raise ValueError("no labelled pixels")
    rarity = 1 - counts / counts.sum()
    if temperature is not None:
        return _softmax(rarity / temperature, present)
    for automatic in np.geomspace(0.01, 100, 200):
        p = _softmax(rarity / automatic, present)
        if np.exp(-(p[present] * np.log(p[present] + 1e-300)).sum()) >= LEAST_EFFECTIVE * present.sum():
            break
    return p


def _softmax(z: NDArray[np.float64], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    z = np.where(present, z, -np.inf)
    e = np.exp(z - z.max())
    total: NDArray[np.float64] = e / e.sum()
    return total
