"""Which pixels of a raster count: one rule from all the ways in which a file says "no data"."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from geo_io.bands import alpha_index, nine_windows

_ROUNDING = 4 * float(np.finfo(np.float32).eps)
_LARGEST = 1e30
_READABLE_PX = 2**22


@dataclass(frozen=True)
class NodataRule:
    """Combines nodata tags, a mask band, an alpha band and the user's own value.

    `when` says whether "all" or "any" of the bands must be nodata by tag, mask or value to make a pixel
    invalid. That what is no number always does is left to the reader, who knows the type it ends in.
    """

    indexes: tuple[int, ...]
    tags: tuple[float | None, ...]
    user: float | None
    mask: bool
    alpha: int | None
    floating: bool
    when: str

    @classmethod
    def of(
        cls, dataset: DatasetReader, indexes: tuple[int, ...], user: float | None = None, when: str = "all"
    ) -> "NodataRule":
        """The rule of `dataset` for its bands `indexes` (1-based)."""
        alpha = alpha_index(dataset)
        return cls(
            indexes=indexes,
            tags=tuple(dataset.nodatavals[i - 1] for i in indexes),
            user=user,
            mask=any(_is_mask(set(dataset.mask_flag_enums[i - 1])) for i in indexes),
            alpha=None if alpha in indexes else alpha,
            floating=any(np.dtype(dataset.dtypes[i - 1]).kind == "f" for i in indexes),
            when=when,
        )

    def valid(
        self, dataset: DatasetReader, raw: NDArray[np.generic], window: Window | None = None
    ) -> NDArray[np.bool_]:
        """(c, h, w) raw values read from `window` (decimated to that shape) -> (h, w) validity."""
        wrong = np.stack([self._is_nodata(band, tag) for band, tag in zip(raw, self.tags, strict=True)])
        if self.mask:
            wrong |= dataset.read_masks(list(self.indexes), window=window, out_shape=raw.shape) == 0
        combine = np.any if self.when == "any" else np.all
        invalid = np.asarray(combine(wrong, axis=0))
        if self.alpha:
            invalid |= dataset.read(self.alpha, window=window, out_shape=raw.shape[1:]) == 0
        return ~invalid

    def masks_some(self, overview: DatasetReader) -> bool:
        """Whether the mask of an overview hides anything, looked at whole where that is cheap."""
        whole = overview.width * overview.height <= _READABLE_PX
        windows = [None] if whole else nine_windows(overview)
        try:
            return any((overview.read_masks(self.indexes[0], window=w) == 0).any() for w in windows)
        except RasterioError:
            return False  # damaged: not to be used

    def _is_nodata(self, band: NDArray[np.generic], tag: float | None) -> NDArray[np.bool_]:
        values = [value for value in (tag, self.user) if value is not None]
        if band.dtype.kind != "f":
            return np.isin(band, [_as_stored(value, band.dtype) for value in values])
        wrong = np.zeros(band.shape, bool)
        for value in values:  # as GDAL: written as text, a number loses some of its digits
            stray = abs(value) * _ROUNDING
            with np.errstate(over="ignore"):
                least, most = np.array([value - stray, value + stray]).astype(band.dtype)
            wrong |= (band >= least) & (band <= most)
        return wrong

    def __str__(self) -> str:
        """In plain words: "tag 0", "mask band", "alpha band 4", "NaN", "user value 0" or "none"."""
        tags = sorted({t for t in self.tags if t is not None and not np.isnan(t)})
        said = [f"tag {', '.join(f'{t:g}' for t in tags)}"] if tags else []
        said += ["mask band"] if self.mask else []
        said += [f"alpha band {self.alpha}"] if self.alpha else []
        said += [f"user value {self.user:g}"] if self.user is not None else []
        said += ["NaN"] if self.floating else []
        return " and ".join(said) or "none"


def numbers(values: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """(c, h, w) -> (h, w): where every band holds a number to compute with.

    NaN and infinity are none, nor is what lies near the end of float32's range: a nodata value undeclared.
    """
    return np.asarray((np.abs(values) < _LARGEST).all(axis=0))


def _is_mask(flags: set[MaskFlags]) -> bool:
    """Whether there is more to a band's mask than its tag or an alpha band say."""
    if MaskFlags.per_dataset in flags:  # with `nodata`: a value for all bands together, NODATA_VALUES
        return MaskFlags.alpha not in flags
    return flags.isdisjoint({MaskFlags.all_valid, MaskFlags.nodata, MaskFlags.alpha})


def _as_stored(value: float, dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    """`value` as a band of the integer type `dtype` holds it; NaN, which equals nothing, where it cannot."""
    with np.errstate(over="ignore", invalid="ignore"):
        stored = np.asarray(value).astype(dtype)
    return stored if stored == value else np.asarray(np.nan)
