"""Imagery on the map."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from app.map import colours
from app.map.layers import Opened, Paint, RasterLayer
from app.map.stretch import Stretch
from geo_io.bands import natural_colours
from geo_io.glance import Limits
from geo_io.preview import Picture


class ImageLayer(RasterLayer):
    """An image in three bands, or one in grey. `bands` are names; none given, those called so.

    `stretch` may be another layer's, so that both show the same value in the same colour.
    """

    def __init__(
        self,
        path: Path,
        bands: Sequence[str] = (),
        stretch: Stretch | None = None,
        name: str = "",
        parent: QObject | None = None,
    ) -> None:
        super().__init__(path, name, parent)
        self.bands = tuple(bands)
        self.own_stretch = Stretch()
        self.stretch = stretch or self.own_stretch
        self.stretch.changed.connect(self.restyle)

    @property
    def band_names(self) -> tuple[str, ...]:
        """All that the file holds; none until it is open."""
        return self.opened.picture.bands if self.opened else ()

    def set_bands(self, bands: Sequence[str]) -> None:
        """Show three bands as red, green and blue, or one in grey."""
        if tuple(bands) != self.bands:
            self.bands = tuple(bands)
            self.reopen.emit()

    def set_stretch(self, stretch: Stretch | None) -> None:
        """Share another layer's stretch; None goes back to the layer's own."""
        stretch = stretch or self.own_stretch
        if stretch is not self.stretch:
            self.stretch.changed.disconnect(self.restyle)
            self.stretch = stretch
            self.stretch.changed.connect(self.restyle)
            self.restyle()

    def take(self, opened: Opened) -> None:
        self.bands = tuple(self._bands(opened.picture))
        self.own_stretch.measured(dict(zip(self.bands, opened.glance.limits, strict=False)))
        super().take(opened)

    def limits(self) -> list[Limits]:
        """Of the bands shown: the stretch's, the layer's own where that has none of that name."""
        known = (self.stretch.limits(band) or self.own_stretch.limits(band) for band in self.bands)
        return [pair or (0.0, 1.0) for pair in known]

    def _bands(self, picture: Picture) -> Sequence[str]:
        known = [band for band in self.bands if band in picture.bands]
        if known and len(known) == len(self.bands):
            return known
        return natural_colours(picture.bands)

    def _paint(self) -> Paint:
        limits = self.limits()
        return lambda values, valid: colours.stretched(values, valid, limits)
