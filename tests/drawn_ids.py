"""Class ids drawn for what works band by band."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geo_io.id_rows import IdRows, Ids

SIDE = 14

# A busy machine is no finding.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def rows_of(ids: Ids, step: int) -> IdRows:
    return IdRows(lambda first, last: ids[first:last], *ids.shape, step)


def made(said: Iterable[Any]) -> Ids:
    """The bands among what is yielded, as one."""
    return np.concatenate([part for part in said if not isinstance(part, float)])


@st.composite
def drawn_ids(draw: st.DrawFn) -> Ids:
    """Two to four classes and nodata, sometimes in blocks of pixels."""
    shape = st.tuples(st.integers(1, SIDE), st.integers(1, SIDE))
    values = st.sampled_from([0, 1, 2, 255] if draw(st.booleans()) else [0, 1])
    ids = draw(arrays(np.uint8, shape, elements=values))
    side = draw(st.integers(1, 3))
    return ids.repeat(side, 0).repeat(side, 1)[:SIDE, :SIDE]
