"""The majority filter: against counting by hand, whatever the bands."""

import numpy as np
from drawn_ids import drawn_ids, made, rows_of
from hypothesis import given
from hypothesis import strategies as st

from geo_io.id_rows import Ids
from geo_io.majority import majority


def winner(ids: Ids, row: int, col: int, reach: int) -> int:
    around = ids[max(row - reach, 0) : row + reach + 1, max(col - reach, 0) : col + reach + 1]
    votes = np.bincount(around[around != 255], minlength=256)
    own = int(ids[row, col])
    return own if own == 255 or votes[own] == votes.max() else int(votes.argmax())


@given(drawn_ids(), st.sampled_from([1, 3, 5, 31]), st.integers(1, 6))
def test_each_pixel_takes_the_class_of_most_valid_pixels_around(ids: Ids, window: int, step: int) -> None:
    found = made(majority(rows_of(ids, step), window))
    expected = [[winner(ids, r, c, window // 2) for c in range(ids.shape[1])] for r in range(ids.shape[0])]
    assert found.tolist() == expected


def test_counts_beyond_sixteen_bits_do_not_matter() -> None:
    ids = np.ones((3, 70_000), np.uint8)
    ids[1, 69_000] = 0
    assert (made(majority(rows_of(ids, 3), 3)) == 1).all()
    ids[:, 69_000:] = 2
    assert np.array_equal(made(majority(rows_of(ids, 3), 3)), ids)
