"""Outlines: valid, complete, and the same points on both sides of an edge."""

import numpy as np
import shapely
from drawn_ids import drawn_ids
from hypothesis import given
from hypothesis import strategies as st
from rasterio.features import shapes

from geo_io.components import label
from geo_io.id_rows import Ids
from geo_io.tracing import outlines


@given(drawn_ids(), st.integers(0, 2**16))
def test_outlines_tile_the_raster_and_share_their_corners(ids: Ids, seed: int) -> None:
    band = label(ids, 4)
    cuts = np.random.default_rng(seed).random((2, ids.shape[1] + 1)) < 0.3
    found = outlines(band.of_pixel, *cuts)
    assert shapely.is_valid(found).all()
    assert shapely.area(found).tolist() == band.size.tolist()
    assert shapely.coverage_is_valid(found)
    for theirs, number in shapes(band.of_pixel):
        assert shapely.equals(shapely.geometry.shape(theirs), found[int(number)])


def test_an_outline_that_touches_itself_is_a_ring_with_a_hole() -> None:
    labels = np.array([[0, 1, 1], [1, 2, 1], [1, 1, 1]], np.int32)
    ring = outlines(labels)[1]
    assert (shapely.is_valid(ring), shapely.get_num_interior_rings(ring)) == (True, 1)


def test_corners_are_where_areas_meet_and_along_cuts_where_asked() -> None:
    labels = np.array([[0, 0, 0, 0], [1, 1, 2, 2]], np.int32)
    upper = outlines(labels)[0]
    assert [2, 1] in shapely.get_coordinates(upper).tolist()
    assert shapely.get_num_coordinates(upper) == 6
    cut = np.array([False, True, False, False, False])
    assert [1, 0] in shapely.get_coordinates(outlines(labels, cut)[0]).tolist()
    assert [1, 2] in shapely.get_coordinates(outlines(labels, None, cut)[1]).tolist()
