"""Connected areas of one class in a raster of any size: those of a band, and how they go on across cuts.

Bands are labelled each by itself, by runs of equal pixels. Only an area that touches a cut between two bands
is remembered (`Seams`): the rest is known wholly once its band is seen.
"""

from collections.abc import Generator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo_io.id_rows import NODATA, IdRows, Ids

Connectivity = Literal[4, 8]
Ints = NDArray[np.int64]
Pairs = tuple[NDArray[Any], NDArray[Any]]


class Band(NamedTuple):
    """The components of a band, n of them, those of NODATA among them."""

    of_pixel: NDArray[np.int32]
    value: Ids
    size: Ints
    """Pixels (n,)."""
    first: Ints
    """Each component's first pixel, row by row, counted from the raster's first (n,)."""
    contacts: Pairs
    """Numbers of two components of different classes that touch; perhaps repeatedly; none of NODATA."""


def label(ids: Ids, connectivity: Connectivity, top: int = 0) -> Band:
    """The components of rows (h, w), the first of which is the raster's row `top`."""
    begins = np.ones(ids.shape, bool)
    begins[:, 1:] = ids[:, 1:] != ids[:, :-1]
    starts = np.flatnonzero(begins)
    run = (np.cumsum(begins, dtype=np.int32) - np.int32(1)).reshape(ids.shape)
    value, length = ids.ravel()[starts], np.diff(starts, append=ids.size)
    beside = np.flatnonzero(starts[1:] % ids.shape[1])
    above, below = _touching(run, begins, connectivity)
    same = value[above] == value[below]
    component, count = _joined(len(starts), above[same], below[same])
    first, value_of = np.empty(count, np.int64), np.empty(count, np.uint8)
    first[component[::-1]], value_of[component] = starts[::-1], value
    size = np.bincount(component, length, count).astype(np.int64)
    ends = np.concatenate([beside, above[~same]]), np.concatenate([beside + 1, below[~same]])
    seen = (value[ends[0]] != NODATA) & (value[ends[1]] != NODATA)
    contacts = component[ends[0][seen]], component[ends[1][seen]]
    return Band(component[run], value_of, size, first + top * ids.shape[1], contacts)


def _touching(run: NDArray[Any], begins: NDArray[np.bool_], connectivity: Connectivity) -> Pairs:
    """Runs above and below that touch, each pair once or little more."""
    shifts = [(slice(None), slice(None))]
    if connectivity == 8:
        shifts += [(slice(None, -1), slice(1, None)), (slice(1, None), slice(None, -1))]
    found = []
    for left, right in shifts:
        changes = begins[:-1, left] | begins[1:, right]
        found.append((run[:-1, left][changes], run[1:, right][changes]))
    return np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])


def _joined(count: int, one: NDArray[Any], other: NDArray[Any]) -> tuple[NDArray[np.int32], int]:
    """Group (count,) of each node where edges join `one` to `other`, and the number of groups."""
    edges = coo_array((np.ones(len(one), bool), (one, other)), (count, count))
    groups, group = connected_components(edges, directed=False)
    return group, int(groups)


@dataclass(frozen=True)
class Seams:
    """The components that touch a cut between bands, s of them, put together across all cuts."""

    members: list[tuple[Ints, Ints]]
    """Band -> its components that touch a cut, and the seam component that each is part of."""
    value: Ids
    size: Ints
    first: Ints
    last_band: Ints
    contacts: Pairs
    """Seam components of different classes that touch across a cut; none of NODATA."""

    def of(self, number: int, count: int) -> Ints:
        """The seam component of each of the `count` components of a band, -1 where it touches no cut."""
        found = np.full(count, -1)
        inside, part_of = self.members[number]
        found[inside] = part_of
        return found


def join(rows: IdRows, connectivity: Connectivity, share: float) -> Generator[float, None, Seams]:
    """Read all bands once, `share` of the work; yields how much is done, returns what touches cuts."""
    members: list[_Members] = []
    edges: list[Pairs] = []
    offset, top, above = 0, 0, None
    for number, ids in enumerate(rows):
        band = label(ids, connectivity, top)
        cut = ([band.of_pixel[0]] if number else []) + ([band.of_pixel[-1]] if number + 1 < len(rows) else [])
        touching = np.unique(np.concatenate(cut)).astype(np.int64) if cut else np.empty(0, np.int64)
        place = np.full(len(band.value), -1)
        place[touching] = offset + np.arange(len(touching))
        if above is not None:
            edges.append(_across(above, place[band.of_pixel[:1]], connectivity))
        above = place[band.of_pixel[-1:]]
        members.append(_Members(touching, band.value[touching], band.size[touching], band.first[touching]))
        offset, top = offset + len(touching), top + len(ids)
        yield share * top / rows.height
    return _seams(members, edges)


class _Members(NamedTuple):
    """The components of a band that touch a cut."""

    inside: Ints
    value: Ids
    size: Ints
    first: Ints


def _across(above: Ints, below: Ints, connectivity: Connectivity) -> Pairs:
    """Entries of two rows (1, w) on both sides of a cut that touch."""
    both = np.concatenate([above, below])
    begins = np.ones(both.shape, bool)
    begins[:, 1:] = both[:, 1:] != both[:, :-1]
    return _touching(both, begins, connectivity)


def _seams(members: list[_Members], edges: list[Pairs]) -> Seams:
    """Members, joined where they are of one class and touch across a cut."""
    value, size, first = (np.concatenate([m[i] for m in members]) for i in (1, 2, 3))
    one, other = (np.concatenate([*(e[i] for e in edges), np.empty(0, np.int64)]) for i in (0, 1))
    same = value[one] == value[other]
    part_of, count = _joined(len(value), one[same], other[same])
    values, firsts = np.empty(count, np.uint8), np.full(count, np.iinfo(np.int64).max)
    values[part_of] = value
    np.minimum.at(firsts, part_of, first)
    sizes, last = np.zeros(count, np.int64), np.zeros(count, np.int64)
    np.add.at(sizes, part_of, size)
    bounds = np.cumsum([0, *(len(m.inside) for m in members)])
    split = [part_of[a:b].astype(np.int64) for a, b in pairwise(bounds)]
    for number, found in enumerate(split):
        last[found] = number
    seen = ~same & (value[one] != NODATA) & (value[other] != NODATA)
    contacts = part_of[one[seen]], part_of[other[seen]]
    return Seams(
        [(m.inside, found) for m, found in zip(members, split, strict=True)],
        values,
        sizes,
        firsts,
        last,
        contacts,
    )
