"""Which values are shown black and which white, alone or shared between layers."""

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal

from geo_io.glance import CUTS, Limits


class Stretch(QObject):
    """Limits by band name: percentiles that leave out `cut` percent at each end, or set by hand.

    Two layers that share one show the same value in the same grey.

    The layer it was made for fills it in; a sharing layer's own limits stand in for bands it does not have.
    It has no parent: it lives as long as a layer that shows it, which may be longer than that one.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.cut = CUTS[0]
        self._limits: dict[str, Limits] = {}
        self._measured: dict[str, Mapping[float, Limits]] = {}
        self._fixed: set[str] = set()

    def limits(self, band: str) -> Limits | None:
        """Low and high; None where it is not known yet."""
        return self._limits.get(band)

    def measured(self, limits: Mapping[str, Mapping[float, Limits]]) -> None:
        """Take percentiles as read from the raster, except for bands whose limits were set by hand."""
        self._measured.update(limits)
        self._take({band: cuts[self.cut] for band, cuts in limits.items() if band not in self._fixed})

    def set_limits(self, band: str, low: float, high: float) -> None:
        """Limits by hand."""
        self._fixed.add(band)
        self._take({band: (low, high)})

    @property
    def by_hand(self) -> bool:
        """Whether any limits were set by hand."""
        return bool(self._fixed)

    def set_cut(self, cut: float) -> None:
        """Leave out another share, one of `CUTS`; limits set by hand are forgotten."""
        self.cut = cut
        self._fixed.clear()
        self._limits = {band: cuts[cut] for band, cuts in self._measured.items()}
        self.changed.emit()

    def _take(self, limits: dict[str, Limits]) -> None:
        if any(self._limits.get(band) != pair for band, pair in limits.items()):
            self._limits.update(limits)
            self.changed.emit()
