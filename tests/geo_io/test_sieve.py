"""The sieve: whatever the bands, and beside GDAL's."""

import numpy as np
import pytest
from drawn_ids import drawn_ids, made, rows_of
from hypothesis import given
from hypothesis import strategies as st
from rasterio.features import sieve as gdal_sieve
from scipy import ndimage

from geo_io.components import Connectivity
from geo_io.id_rows import Ids
from geo_io.sieve import sieve


def sieved(ids: Ids, least_px: int, step: int = 99, connectivity: Connectivity = 4) -> Ids:
    return made(sieve(rows_of(ids, step), least_px, connectivity))


@given(drawn_ids(), st.integers(1, 12), st.integers(1, 5), st.sampled_from([4, 8]))
def test_the_height_of_bands_changes_nothing(
    ids: Ids, least_px: int, step: int, connectivity: Connectivity
) -> None:
    whole = sieved(ids, least_px, 99, connectivity)
    assert np.array_equal(sieved(ids, least_px, step, connectivity), whole)


@given(drawn_ids(), st.integers(1, 12), st.integers(1, 5))
def test_nodata_is_neither_filled_nor_spread(ids: Ids, least_px: int, step: int) -> None:
    assert np.array_equal(sieved(ids, least_px, step) == 255, ids == 255)


@pytest.mark.parametrize("connectivity", [4, 8])
def test_smooth_maps_with_noise_come_out_as_from_gdal(connectivity: Connectivity) -> None:
    """GDAL differs only in which of two equally large neighbours it takes."""
    rng = np.random.default_rng(0)
    field = ndimage.gaussian_filter(rng.normal(size=(200, 150)), 6)
    ids = np.digitize(field, np.quantile(field, [0.3, 0.6, 0.8])).astype(np.uint8)
    strewn = rng.random(ids.shape) < 0.03
    ids[strewn] = rng.integers(0, 4, int(strewn.sum()))
    ids[80:95, 40:70] = 255
    theirs = gdal_sieve(ids, 12, mask=(ids != 255).astype(np.uint8), connectivity=connectivity)
    assert (theirs != ids).mean() > 0.01
    assert (sieved(ids, 12, 17, connectivity) != theirs).mean() < 0.0005


def test_a_small_area_falls_to_its_largest_neighbour_however_that_lies() -> None:
    ids = np.zeros((9, 9), np.uint8)
    ids[:, 4:] = 1
    ids[3:5, 3] = 2
    assert (sieved(ids, 3, 4)[3:5, 3] == 1).all()
    ids[:, 6:] = 255
    assert (sieved(ids, 3, 4)[3:5, 3] == 0).all()


def test_of_equally_large_neighbours_the_first_is_taken() -> None:
    ids = np.array([[1, 1, 1, 2, 0, 0, 0]], np.uint8)
    assert sieved(ids, 2).tolist() == [[1, 1, 1, 1, 0, 0, 0]]
    assert sieved(ids.T.copy(), 2, 1).T.tolist() == [[1, 1, 1, 1, 0, 0, 0]]


@pytest.mark.parametrize("step", range(1, 8))
def test_the_first_is_the_one_that_begins_first_not_the_one_whose_last_piece_does(step: int) -> None:
    ids = np.full((7, 4), 255, np.uint8)
    ids[:, 0] = 1
    ids[1:6, 2] = ids[1:3, 3] = 2
    ids[3, 1] = 0
    assert sieved(ids, 2, step)[3, 1] == 1


def test_small_areas_among_small_ones_follow_the_larger_to_one_that_stays() -> None:
    ids = np.array([[0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]], np.uint8)
    assert sieved(ids, 5).tolist() == [[3] * 11]
    assert sieved(ids.T.copy(), 5, 1).T.tolist() == [[3] * 11]


def test_where_all_are_small_each_keeps_its_class() -> None:
    ids = np.array([[0, 1, 1, 2, 2, 255, 1]], np.uint8)
    assert np.array_equal(sieved(ids, 5), ids)
    assert np.array_equal(sieved(ids.T.copy(), 5, 1).T, ids)


@pytest.mark.parametrize("step", range(1, 13))
def test_what_leads_to_two_small_ones_keeps_its_class_too(step: int) -> None:
    ids = np.full((12, 3), 255, np.uint8)
    ids[:6, 0] = [2, 2, 2, 1, 1, 0]
    ids[5:, 2] = 3
    assert np.array_equal(sieved(ids, 5, step), ids)


def test_shares_of_the_work_are_told() -> None:
    ids = np.zeros((10, 3), np.uint8)
    shares = [said for said in sieve(rows_of(ids, 4), 2) if isinstance(said, float)]
    assert shares == pytest.approx([0.4 / 3, 0.8 / 3, 1 / 3, 1.4 / 3, 1.8 / 3, 2 / 3])
