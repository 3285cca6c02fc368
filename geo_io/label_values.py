"""Which values label files hold, to make a legend from: numbers, colours, attribute texts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from geo_io.blocks import Blocks, open_raster
from geo_io.errors import BadInput
from geo_io.grid import Box
from geo_io.legend import Value, value_key
from geo_io.paths import plain
from geo_io.raster import REMEDY, is_picture, palette
from geo_io.validity import NodataRule

_WHOLE_PX, _CELLS, _MOST_VALUES = 25_000_000, 96, 254
_GOLDEN = 0.6180339887


@dataclass(frozen=True)
class LabelValue:
    """A value, its share of the labelled pixels (in a vector file: of the features), its colour if any."""

    value: Value
    share: float
    color: str | None = None


@dataclass(frozen=True)
class LabelValues:
    """Values in ascending order. `sampled`: a large raster was looked at in places, so rare ones may lack."""

    values: tuple[LabelValue, ...]
    sampled: bool = False


def raster_values(path: Path, band: int = 1) -> LabelValues:
    """The values of a label raster, with the colours of its palette; colours of a picture.

    Raises BadInput for a file that cannot be read, lacks the band, holds no whole numbers or too many.
    """
    with open_raster(path, remedy=REMEDY) as dataset:
        if not 1 <= band <= dataset.count:
            raise BadInput(f"{path}, band {band}", "is not in the file", f"it has {dataset.count}")
        picture = is_picture(dataset) and not palette(dataset, band)
        indexes = (1, 2, 3) if picture else (band,)
        colors = palette(dataset, band)
        dtype = np.dtype(dataset.dtypes[indexes[0] - 1])
        blocks = Blocks.of(path, NodataRule.of(dataset, indexes), str(dtype), dtype)
        sampled = dataset.width * dataset.height > _WHOLE_PX
        box = Box(0, 0, dataset.width, dataset.height)
    try:
        counts = _tally(path, blocks, box, sampled)
    finally:
        blocks.close()
    return LabelValues(tuple(_described(counts, colors, picture)), sampled)


def vector_values(path: Path, attribute: str, layer: str | None = None) -> LabelValues:
    """The values of an attribute. Raises BadInput for a file or attribute that is not there, or too many."""
    import pyogrio  # here, because it loads geopandas where that is installed

    try:
        _, _, _, (column,) = pyogrio.raw.read(
            plain(path), layer=layer, columns=[attribute], read_geometry=False
        )
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as fault:
        raise BadInput(path, f"cannot be read as vector data ({fault})", "export it as GeoPackage") from None
    except ValueError:
        raise BadInput(f"{path}, attribute {attribute!r}", "does not exist", "choose another") from None
    counts: Counter[Value] = Counter()
    spelling: dict[Value, Value] = {}
    for value in column.tolist():
        if isinstance(value, (list, dict, np.ndarray)):
            raise BadInput(f"{path}, attribute {attribute!r}", "holds lists, not one class", "choose another")
        if value is not None and value == value:  # NaN, which stands for nothing, differs from itself
            own = _plain(value)
            counts[spelling.setdefault(value_key(own), own)] += 1
    _few_enough(f"{path}, attribute {attribute!r}", counts)
    total = counts.total()
    return LabelValues(tuple(LabelValue(v, counts[v] / total) for v in sorted(counts, key=_order)))


def _tally(path: Path, blocks: Blocks, box: Box, sampled: bool) -> Counter[int]:
    counts: Counter[int] = Counter()
    for cell in _some(list(blocks.cells(box)), sampled):
        values, valid = blocks.decode(Window(*cell))
        pixels = values[:, valid]
        if pixels.dtype.kind == "f" and not np.equal(np.mod(pixels, 1), 0).all():
            raise BadInput(path, "holds fractions, not classes", "labels are whole numbers or colours")
        found, n = np.unique(_codes(pixels), return_counts=True)
        counts.update(dict(zip(found.tolist(), n.tolist(), strict=True)))
        _few_enough(path, counts)
    if not counts:
        raise BadInput(path, "holds no labelled pixel", "check its nodata value")
    return counts


def _some(cells: list[Box], sampled: bool) -> Iterator[Box]:
    """All cells, or some spread evenly over the rows and columns."""
    chosen = {int(n * _GOLDEN % 1 * len(cells)) for n in range(_CELLS)} if sampled else range(len(cells))
    return (cells[i] for i in sorted(chosen))


def _codes(pixels: NDArray[np.generic]) -> NDArray[np.int64]:
    """(1, n) numbers or (3, n) red, green, blue -> (n,) numbers or colour codes."""
    whole = pixels.astype(np.int64)
    return np.asarray(whole[0] if len(whole) == 1 else whole[0] << 16 | whole[1] << 8 | whole[2])


def _few_enough(where: object, counts: Counter[Any]) -> None:
    if len(counts) > _MOST_VALUES:
        problem = f"holds more than {_MOST_VALUES} different values"
        raise BadInput(where, problem, "choose the band or attribute that holds the class")


def _described(counts: Counter[int], colors: dict[int, int], picture: bool) -> Iterator[LabelValue]:
    total = counts.total()
    for code in sorted(counts):
        color = code if picture else colors.get(code)
        text = None if color is None else f"#{color:06x}"
        yield LabelValue(text if picture and text else code, counts[code] / total, text)


def _plain(value: Any) -> Value:
    if isinstance(value, (bool, int)) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return str(value)


def _order(value: Value) -> tuple[bool, int, str]:
    return isinstance(value, str), value if isinstance(value, int) else 0, str(value).casefold()
