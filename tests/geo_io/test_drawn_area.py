import shapely

from geo_io.drawn_area import rings_of, wkt_of
from geo_io.ground import Ring

LEFT: Ring = [(0, 0), (4, 0), (4, 4), (0, 4)]
RIGHT: Ring = [(10, 0), (14, 0), (14, 4), (10, 4)]
OVER: Ring = [(3, 1), (8, 1), (8, 2), (3, 2)]


def test_rings_come_back_as_they_were_drawn() -> None:
    wkt = wkt_of([LEFT, RIGHT])
    assert wkt is not None
    assert {frozenset(ring) for ring in rings_of(wkt)} == {frozenset(LEFT), frozenset(RIGHT)}


def test_rings_that_overlap_become_one() -> None:
    wkt = wkt_of([LEFT, OVER])
    assert len(rings_of(wkt)) == 1
    assert shapely.from_wkt(wkt).area == 16 + 4


def test_a_ring_that_crosses_itself_is_mended() -> None:
    wkt = wkt_of([[(0, 0), (4, 4), (4, 0), (0, 4)]])
    assert shapely.from_wkt(wkt).is_valid
    assert shapely.from_wkt(wkt).area == 8


def test_nothing_is_nothing() -> None:
    assert wkt_of([]) is None
    assert wkt_of([[(0, 0), (1, 1)]]) is None
    assert wkt_of([[(0, 0), (1, 1), (2, 2)]]) is None
    assert rings_of(None) == rings_of("") == rings_of("POLYGON ((") == rings_of("POINT (1 2)") == []
