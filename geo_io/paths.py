"""Paths that users give, checked before other libraries make of them what they like."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geo_io.errors import BadInput


def existing(path: Path) -> Path:
    """`path`. Raises BadInput where nothing is there."""
    try:
        there = path.exists()
    except OSError as fault:
        raise BadInput(path, f"cannot be looked up ({fault.strerror})", "check the path") from None
    if not there:
        raise BadInput(path, "does not exist", "check the path")
    return path


def plain(path: Path) -> Path:
    """`path` of a vector file. Raises BadInput where pyogrio would open another one.

    It takes what follows `!` for a file in an archive, and drops what follows `;`, and line breaks.
    """
    from pyogrio.util import vsi_path  # here, because it loads geopandas where that is installed

    if not vsi_path(path).endswith(str(path)):
        problem = "cannot be opened as vector data under a path with ! or ; or line breaks"
        raise BadInput(path, problem, "rename the file or the folder that has them in its name")
    return path


@contextmanager
def vector_data(path: Path, *more: type[Exception]) -> Iterator[None]:
    """Raises BadInput for what pyogrio and shapely raise, and for `more`, while `path` is read."""
    from pyogrio.errors import DataLayerError, DataSourceError  # here, as above
    from shapely.errors import GEOSException

    try:
        yield
    except (DataSourceError, DataLayerError, ValueError, GEOSException, *more) as fault:
        raise BadInput(path, f"cannot be read as vector data ({fault})", "export it as GeoPackage") from None
