"""What is compared: a registry of pairs of results, ours and theirs, and the table of their differences."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from benchmarks.authors.clones import Clones

AGREE = 1e-5

Pair = tuple[Sequence[Tensor], Sequence[Tensor]]
"""What ours and theirs made of the same weights and inputs, in the same order."""


class Comparison(NamedTuple):
    """`differs` says why the two sides are not meant to agree; empty: they are."""

    repo: str
    what: str
    ours: str
    remark: str
    differs: str
    run: Callable[[Clones], Pair]


class Difference(NamedTuple):
    """The largest one, absolute and over the largest magnitude on their side."""

    absolute: float
    relative: float

    @property
    def agrees(self) -> bool:
        return self.relative <= AGREE


COMPARISONS: list[Comparison] = []


def compare(
    repo: str, what: str, ours: str, remark: str = "", differs: str = ""
) -> Callable[[Callable[[Clones], Pair]], Callable[[Clones], Pair]]:
    """Registers a function that gives both sides' results."""

    def register(run: Callable[[Clones], Pair]) -> Callable[[Clones], Pair]:
        COMPARISONS.append(Comparison(repo, what, ours, remark, differs, run))
        return run

    return register


def difference(pair: Pair) -> Difference:
    """Raises ValueError for different shapes or counts, and what is not finite: they are no small one."""
    worst = Difference(0.0, 0.0)
    for mine, its in zip(*pair, strict=True):
        a, b = torch.as_tensor(mine).detach().double(), torch.as_tensor(its).detach().double()
        if a.shape != b.shape:
            raise ValueError(f"shapes {tuple(a.shape)} and {tuple(b.shape)}")
        absolute = float((a - b).abs().max())
        if not math.isfinite(absolute):
            raise ValueError("values that are not finite")
        scale = float(b.abs().max())
        worst = Difference(
            max(worst.absolute, absolute), max(worst.relative, absolute / scale if scale else absolute)
        )
    return worst


def line(c: Comparison, found: Difference, commit: str) -> str:
    agree = "yes" if found.agrees else "no, as intended" if c.differs else "**no**"
    because = " ".join(part for part in (c.remark, c.differs) if part)
    return (
        f"| {c.what} | {c.repo} `{commit}` | `{c.ours}` | {found.absolute:.1e} | {found.relative:.1e} "
        f"| {agree} | {because} |"
    )
