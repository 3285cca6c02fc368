"""Minimum mapping unit of a raster of any size: areas too small to be mapped fall to a neighbour."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from geo_io.components import Band, Connectivity, Ints, Pairs, Seams, join, label
from geo_io.id_rows import NODATA, IdRows, Ids

OWN = -1
"""Keeps its class."""


def sieve(rows: IdRows, least_px: int, connectivity: Connectivity = 4) -> Iterator[float | Ids]:
    """Give each component smaller than `least_px` the class of its largest neighbour, sizes as they were.

    Of equally large ones it is that whose first pixel, row by row, comes first. Where that neighbour is
    small itself, its own neighbour decides, and so on, as in GDAL's sieve; two small ones that are each
    other's largest neighbour keep their classes, and so do those that would follow them. Nodata is no
    neighbour and never filled.

    Three passes over `rows`; yields the share done in the first two, then the bands of the result, which
    does not depend on their height. Memory: a band, and what touches a cut between two.
    """
    seams = yield from join(rows, connectivity, 1 / 3)
    offers = [_across(seams, least_px)]
    for top, part in _parts(rows, seams, least_px, connectivity):
        offers.append(_offers(part, seams))
        yield (1 + top / rows.height) / 3
    outcome = _outcome(seams, offers)
    for _, part in _parts(rows, seams, least_px, connectivity):
        yield _new_values(part, outcome)[part.band.of_pixel]


class _Part(NamedTuple):
    """A band whose n components know how large they are in all, and whom they would fall to."""

    band: Band
    seam: Ints
    size: Ints
    first: Ints
    neighbour: Ints
    """The largest, itself for a component that stays or has none (n,)."""
    end: Ints
    """Where neighbours of neighbours lead inside of the band: what stays, a seam, or OWN (n,)."""


def _parts(
    rows: IdRows, seams: Seams, least_px: int, connectivity: Connectivity
) -> Iterator[tuple[int, _Part]]:
    """(rows done, part) of each band."""
    done = 0
    for number, ids in enumerate(rows):
        band = label(ids, connectivity, done)
        seam = seams.of(number, len(band.value))
        on = seam >= 0
        size, first = band.size, band.first
        size[on], first[on] = seams.size[seam[on]], seams.first[seam[on]]
        small = (size < least_px) & (band.value != NODATA)
        neighbour = _largest(band.contacts, small, size, first)
        follow = np.where(on, np.arange(len(on)), neighbour)
        done += len(ids)
        yield done, _Part(band, seam, size, first, neighbour, _lead(follow))


def _largest(contacts: Pairs, small: np.ndarray, size: Ints, first: Ints) -> Ints:
    """The largest of each small component's neighbours, itself for any other."""
    count = len(size)
    order = np.lexsort((first, -size))
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    best = np.full(count, count)
    for one, other in (contacts, contacts[::-1]):
        chosen = small[one]
        np.minimum.at(best, one[chosen], rank[other[chosen]])
    found = best < count
    result = np.arange(count)
    result[found] = order[best[found]]
    return result


def _lead(to: Ints) -> Ints:
    """Where each chain ends: at what points at itself, or OWN where it runs in a circle.

    Along a chain neighbours never become smaller, so that circles are of two.
    """
    start = to
    while not np.array_equal(further := to[to], to):
        to = further
    return np.where(start[to] == to, to, OWN)


class _Offers(NamedTuple):
    """Neighbours of small seam components: their size and first pixel, and what they lead to."""

    seam: Ints
    size: Ints
    first: Ints
    leads_to: Ints
    """A seam component; or beyond their number a class; or, after 256 of these, nothing."""


def _offers(part: _Part, seams: Seams) -> _Offers:
    """The best neighbour inside of a band of each small seam component there."""
    count = len(seams.size)
    mine = np.flatnonzero((part.seam >= 0) & (part.neighbour != np.arange(len(part.seam))))
    best = part.neighbour[mine]
    end = part.end[best]
    leads_to = np.where(part.seam[end] >= 0, part.seam[end], count + part.band.value[end].astype(np.int64))
    leads_to[end == OWN] = count + 256
    return _Offers(part.seam[mine], part.size[best], part.first[best], leads_to)


def _across(seams: Seams, least_px: int) -> _Offers:
    """Neighbours on the other side of a cut."""
    one, other = (np.concatenate([a, b]).astype(np.int64) for a, b in (seams.contacts, seams.contacts[::-1]))
    small = seams.size[one] < least_px
    one, other = one[small], other[small]
    return _Offers(one, seams.size[other], seams.first[other], other)


def _outcome(seams: Seams, offers: list[_Offers]) -> Ints:
    """The class that each seam component ends with, OWN where it keeps its own."""
    count = len(seams.size)
    seam, size, first, leads_to = (np.concatenate(column) for column in zip(*offers, strict=True))
    order = np.lexsort((first, -size, seam))
    seam, leads_to = seam[order], leads_to[order]
    best = np.flatnonzero(np.diff(seam, prepend=-1))
    to = np.arange(count + 257)
    to[seam[best]] = np.where(leads_to[best] == seam[best], count + 256, leads_to[best])
    ends = np.concatenate([seams.value.astype(np.int64), np.arange(256), [OWN]])
    end = _lead(to)[:count]
    return np.where(end == OWN, OWN, ends[end])


def _new_values(part: _Part, outcome: Ints) -> Ids:
    """The classes of a band's components."""
    own = part.band.value
    at_end = part.seam[part.end]
    beyond = outcome[at_end] if len(outcome) else at_end
    follows = np.where(at_end >= 0, beyond, own[part.end])
    follows = np.where((follows == OWN) | (part.end == OWN), own, follows)
    return follows.astype(np.uint8)
