"""Two maps that move as one, though their places may be far apart."""

from PySide6.QtCore import QObject, Slot

from app.map.view import MapView
from geo_io.ground import Point, from_latlon, latlon, units_m


class Link(QObject):
    """While it lives, either map takes the other's metres per pixel.

    Where `same_ground` is set it looks at the same latitude and longitude too; else it moves as many metres
    east and north as the other did, from where it was. `release` ends it.
    """

    def __init__(self, one: MapView, other: MapView, same_ground: bool = False) -> None:
        super().__init__(one)
        self.same_ground = same_ground
        self._views, self._busy = (one, other), False
        self._last: list[Point] = [one.center, other.center]
        one.view_changed.connect(self._one_moved)
        other.view_changed.connect(self._other_moved)
        self._follow(0)

    def release(self) -> None:
        """Let each map go its own way."""
        self._views[0].view_changed.disconnect(self._one_moved)
        self._views[1].view_changed.disconnect(self._other_moved)
        self.deleteLater()

    @Slot()
    def _one_moved(self) -> None:
        self._follow(0)

    @Slot()
    def _other_moved(self) -> None:
        self._follow(1)

    def _follow(self, leader: int) -> None:
        lead, follower = self._views[leader], self._views[1 - leader]
        if self._busy or lead.frame_of_map is None or follower.frame_of_map is None:
            return
        self._busy = True
        try:
            follower.look_at(self._center(leader), lead.metres_per_px)
        finally:
            self._busy = False
            self._last = [view.center for view in self._views]

    def _center(self, leader: int) -> Point:
        """Where the follower is to look."""
        lead, follower = self._views[leader], self._views[1 - leader]
        if self.same_ground and follower.crs_wkt is not None:
            place = latlon(*lead.center, lead.crs_wkt)
            return (place and from_latlon(*place, follower.crs_wkt)) or follower.center
        before, now, here = self._last[leader], lead.center, follower.center
        east, north = units_m(*now, lead.crs_wkt)
        by_east, by_north = units_m(*here, follower.crs_wkt)
        return (
            here[0] + (now[0] - before[0]) * east / by_east,
            here[1] + (now[1] - before[1]) * north / by_north,
        )
