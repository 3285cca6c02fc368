"""Which pixels of a raster count: one rule from all the ways in which a file says "no data"."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from rasterio.io import DatasetReader
from rasterio.windows import Window

from geo_io.bands import alpha_index


@dataclass(frozen=True)
class NodataRule:
    """Combines nodata tags, a mask band, an alpha band and the user's own value.

    `when` says whether "all" or "any" of the bands must be nodata by tag, mask or value to make a pixel
    invalid. That NaN and infinity always do is left to the reader, who knows the type they end in.
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
        own_masks = [dataset.mask_flag_enums[i - 1] for i in indexes]
        spoken_for = {MaskFlags.all_valid, MaskFlags.nodata, MaskFlags.alpha}
        return cls(
            indexes=indexes,
            tags=tuple(dataset.nodatavals[i - 1] for i in indexes),
            user=user,
            mask=any(spoken_for.isdisjoint(flags) for flags in own_masks),
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

    def _is_nodata(self, band: NDArray[np.generic], tag: float | None) -> NDArray[np.bool_]:
        values = [_as_stored(value, band.dtype) for value in (tag, self.user) if value is not None]
        return np.isin(band, values)

    def __str__(self) -> str:
        """In plain words: "tag 0", "mask band", "alpha band 4", "NaN", "user value 0" or "none"."""
        tags = sorted({t for t in self.tags if t is not None and not np.isnan(t)})
        said = [f"tag {', '.join(f'{t:g}' for t in tags)}"] if tags else []
        said += ["mask band"] if self.mask else []
        said += [f"alpha band {self.alpha}"] if self.alpha else []
        said += [f"user value {self.user:g}"] if self.user is not None else []
        said += ["NaN"] if self.floating else []
        return " and ".join(said) or "none"


def _as_stored(value: float, dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    """`value` as a band of `dtype` holds it; NaN, which equals nothing, where it cannot."""
    with np.errstate(over="ignore", invalid="ignore"):
        stored = np.asarray(value).astype(dtype)
    return stored if dtype.kind == "f" or stored == value else np.asarray(np.nan)
