"""Class colours that hold for any colour vision, and how alike two colours look. No Qt here."""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

OKABE_ITO = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#f0e442")
"""Okabe and Ito (2008), without black, which the map's outlines use."""
TOL_MUTED = (
    *("#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677", "#882255", "#aa4499"),
    "#dddddd",
)
"""Paul Tol's muted scheme (2021), for more classes than Okabe and Ito have colours."""

LEAST_DIFFERENCE = 12.0
"""CIE 1976 colour difference below which two areas of a map are easily taken for one."""

# Machado, Oliveira and Fernandes (2009), complete deuteranopia, on linear RGB.
_DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
_RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = _RGB_TO_XYZ.sum(axis=1)

_Floats = NDArray[np.float64]


def next_color(used: Sequence[str]) -> str:
    """The first colour of the two palettes that nobody takes for one of `used`; else the most unlike one."""

    def nearest(color: str) -> float:
        return min((difference(color, other) for other in used), default=np.inf)

    fitting = (color for color in (*OKABE_ITO, *TOL_MUTED) if nearest(color) >= LEAST_DIFFERENCE)
    return next(fitting, None) or max(_web_colors(), key=nearest)


def palette_of(size: int) -> list[str]:
    """`size` colours, told apart as well as the palettes allow."""
    colors: list[str] = []
    for _ in range(size):
        colors.append(next_color(colors))
    return colors


def alike(colors: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The positions of any two colours that are too alike, to ordinary eyes or under deuteranopia."""
    for a, b in combinations(range(len(colors)), 2):
        if difference(colors[a], colors[b]) < LEAST_DIFFERENCE:
            yield a, b


def _web_colors() -> list[str]:
    """The 216 colours that mix six levels of red, green and blue."""
    return [f"#{51 * r:02x}{51 * g:02x}{51 * b:02x}" for r in range(6) for g in range(6) for b in range(6)]


def difference(a: str, b: str) -> float:
    """CIE 1976 difference of two colours #rrggbb, to whoever sees less of it: ordinary or deuteranope."""
    return min(math.dist(x, y) for x, y in zip(_as_seen(a), _as_seen(b), strict=True))


@cache
def _as_seen(color: str) -> tuple[list[float], list[float]]:
    """L*a*b* of a colour to ordinary eyes, and to a deuteranope."""
    linear = _linear(color)
    return _lab(linear), _lab(np.clip(_DEUTERANOPIA @ linear, 0, 1))


def _linear(color: str) -> _Floats:
    encoded = np.array(list(bytes.fromhex(color[1:])), float) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _lab(linear: _Floats) -> list[float]:
    t = _RGB_TO_XYZ @ linear / _WHITE
    x, y, z = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return [float(116 * y - 16), float(500 * (x - y)), float(200 * (y - z))]
