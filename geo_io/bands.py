"""What the bands of a file are called, and choosing among them."""

import difflib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rasterio.enums import ColorInterp
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from geo_io.errors import BadInput

_NAMING_COLORS = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.nir)


def named_bands(path: Path, dataset: DatasetReader, names: Sequence[str] | None = None) -> dict[str, int]:
    """Band name -> number (1 is the first), alpha only where `names` name it too.

    Raises BadInput where `names` do not fit.
    """
    alpha = alpha_index(dataset)
    indexes = [i for i in dataset.indexes if i != alpha]
    if names is None:
        given = [_own_name(dataset, i) for i in indexes]
        folded = [name.casefold() for name in given]
        named = zip(given, folded, indexes, strict=True)
        return {name if folded.count(fold) == 1 else f"band{i}": i for name, fold, i in named}
    if len(set(names)) < len(names):
        raise BadInput(path, f"band_names repeat a name ({', '.join(names)})", "give each band its own")
    if len(names) not in (dataset.count, len(indexes)):
        raise BadInput(
            path, f"has {len(indexes)} bands but {len(names)} band_names", "name every band, or none"
        )
    return dict(zip(names, dataset.indexes if len(names) == dataset.count else indexes, strict=True))


def _own_name(dataset: DatasetReader, index: int) -> str:
    description = (dataset.descriptions[index - 1] or "").strip()
    color = dataset.colorinterp[index - 1]
    return description or (color.name if color in _NAMING_COLORS else f"band{index}")


_NATURAL = (("red", "r", "b4", "b04"), ("green", "g", "b3", "b03"), ("blue", "b", "b2", "b02"))


def natural_colours(names: Sequence[str]) -> tuple[str, ...]:
    """The bands to show as red, green and blue: those called so, else the first three, else the first."""
    folded = {name.casefold(): name for name in reversed(names)}
    found = [next((folded[alias] for alias in aliases if alias in folded), None) for aliases in _NATURAL]
    if all(found):
        return tuple(name for name in found if name)
    return tuple(names[:3] if len(names) >= 3 else names[:1])


def choose(path: Path, named: dict[str, int], bands: Sequence[int | str] | None) -> dict[str, int]:
    """The entries of `named` that `bands` ask for, in that order. Raises BadInput for an unknown band."""
    if bands is None:
        return named
    if not bands:
        raise BadInput(path, "no band is chosen", f"choose from {', '.join(named)}")
    chosen = dict(_find(path, named, band) for band in bands)
    if len(chosen) < len(bands):
        raise BadInput(path, "a band is chosen twice", "list each band once")
    return chosen


def _find(path: Path, named: dict[str, int], band: int | str) -> tuple[str, int]:
    for name, index in named.items():
        if (band == index) if isinstance(band, int) else (band.strip().casefold() == name.casefold()):
            return name, index
    if isinstance(band, int):
        raise BadInput(
            f"{path}, band {band}",
            "is not in the file",
            f"its bands are {min(named.values())} to {max(named.values())}",
        )
    close = difflib.get_close_matches(band, named, n=1, cutoff=0.4)
    remedy = (
        f"did you mean {close[0]!r}? Its bands are {', '.join(named)}"
        if close
        else f"its bands are {', '.join(named)}"
    )
    raise BadInput(f"{path}, band {band!r}", "is not in the file", remedy)


def alpha_index(dataset: DatasetReader) -> int | None:
    """The 1-based number of the alpha band, None where there is none.

    GDAL marks the fourth band of any 8-bit file as alpha unless told otherwise, near infrared included. So
    a band that is not mostly opaque where it holds anything, in nine samples spread over the file, is none.
    """
    marked = marked_alpha(dataset)
    if marked is None:
        return None
    try:
        samples = np.concatenate([dataset.read(marked, window=w).ravel() for w in nine_windows(dataset)])
    except RasterioError:
        return marked  # damaged: the read that needs it will say where
    seen = samples[~np.isin(samples, (0, dataset.nodatavals[marked - 1] or 0))]
    if not seen.size:
        return marked
    bits = int(dataset.tags(marked, ns="IMAGE_STRUCTURE").get("NBITS", 8))
    opaque = {1, 255, 32767, 65535, 2**bits - 1}
    return marked if seen.max() in opaque and (seen == seen.max()).mean() >= 0.5 else None


def has_palette(dataset: DatasetReader, index: int) -> bool:
    """Whether band `index` (1-based) holds indexes into a colour table."""
    return dataset.colorinterp[index - 1] is ColorInterp.palette


def marked_alpha(dataset: DatasetReader) -> int | None:
    """The 1-based number of the band that the file calls alpha, whatever it holds."""
    colors = list(dataset.colorinterp)
    return colors.index(ColorInterp.alpha) + 1 if ColorInterp.alpha in colors else None


def nine_windows(dataset: DatasetReader) -> list[Window]:
    """Small ones, spread over the file."""
    height, width = dataset.shape
    rows, cols = ([round(side * share) for share in (0.1, 0.5, 0.9)] for side in (height, width))
    return [
        Window(c, r, min(64, width - c), min(64, height - r))
        for r in rows
        for c in cols
        if c < width and r < height
    ]
