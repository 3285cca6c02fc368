"""A canvas for land: cover types, tones and heights, and what the sun makes of them.

Everything is in metres and drawn from an explicit generator, so that one layout can be drawn
at any pixel size.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

CLASSES = ("water", "forest", "cropland", "grassland", "road", "building")

# Cover type -> its class and its surface reflectance (0 to 1) in blue, green, red, near infrared.
COVERS: dict[str, tuple[str, tuple[float, float, float, float]]] = {
    "river": ("water", (0.045, 0.060, 0.045, 0.020)),
    "lake": ("water", (0.030, 0.038, 0.024, 0.010)),
    "broadleaf": ("forest", (0.024, 0.050, 0.030, 0.330)),
    "conifer": ("forest", (0.018, 0.032, 0.022, 0.210)),
    "green crop": ("cropland", (0.032, 0.072, 0.048, 0.430)),
    "flowering crop": ("cropland", (0.045, 0.135, 0.125, 0.380)),
    "ripe crop": ("cropland", (0.068, 0.112, 0.145, 0.300)),
    "stubble": ("cropland", (0.095, 0.140, 0.185, 0.270)),
    "bare soil": ("cropland", (0.070, 0.098, 0.130, 0.185)),
    "meadow": ("grassland", (0.040, 0.090, 0.068, 0.340)),
    "dry grass": ("grassland", (0.080, 0.122, 0.150, 0.262)),
    "asphalt": ("road", (0.074, 0.092, 0.108, 0.128)),
    "concrete": ("road", (0.140, 0.172, 0.200, 0.230)),
    "gravel": ("road", (0.100, 0.142, 0.190, 0.240)),
    "red tiles": ("building", (0.075, 0.100, 0.205, 0.250)),
    "slate": ("building", (0.102, 0.096, 0.088, 0.090)),
    "grey sheet": ("building", (0.170, 0.178, 0.186, 0.200)),
    "white sheet": ("building", (0.330, 0.345, 0.350, 0.345)),
}
NAMES = list(COVERS)
CLASS_OF = np.array([CLASSES.index(name) for name, _ in COVERS.values()], np.uint8)
SPECTRA = np.array([spectrum for _, spectrum in COVERS.values()], np.float32)

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """What lies where. Points are shares of the scene's width and height, from its upper left corner."""

    river: tuple[Point, Point]
    river_width_m: float
    lake: Point
    lake_radius_m: float
    roads: tuple[tuple[Point, Point], ...]
    town: Point
    town_radius_m: float
    street_spacing_m: float
    lot_m: float  # along the street
    house_m: tuple[float, float]  # typical width and length
    sheds: int
    field_ha: float
    crop_share: float  # of the parcels; the others are grassland
    forest_share: float  # of the scene
    hedge_share: float  # of the parcels' borders


@dataclass(frozen=True)
class Season:
    """Sun, and what the land looks like at that time of year."""

    sun_azimuth_deg: float  # clockwise from north
    sun_elevation_deg: float
    shares: Mapping[str, float]  # cover type -> its weight among those of its class
    tint: Mapping[str, tuple[float, float, float, float]]  # class -> factor on reflectance, band by band


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], scale_px: float) -> Floats:
    """(h, w) of zero mean and unit variance that varies over `scale_px` pixels."""
    scale = max(scale_px, 1.0)
    coarse = rng.normal(size=[math.ceil(n / scale) + 3 for n in shape]).astype(np.float32)
    fine = ndimage.zoom(coarse, scale, order=3)[: shape[0], : shape[1]]
    return np.asarray((fine - fine.mean()) / fine.std(), np.float32)


class Land:
    """A scene being painted, later layers over earlier ones: cover (h, w), tone (h, w), height_m (h, w)."""

    def __init__(self, layout: Layout, season: Season, size_px: int, gsd_m: float, seed: int) -> None:
        self.layout, self.season, self.gsd_m = layout, season, gsd_m
        self.shape, self.side_m = (size_px, size_px), size_px * gsd_m
        self.rng = np.random.default_rng(seed)
        centres = (np.arange(size_px, dtype=np.float32) + 0.5) * gsd_m
        self.y, self.x = np.meshgrid(centres, centres, indexing="ij")
        self.cover = np.zeros(self.shape, np.uint8)
        self.tone = np.ones(self.shape, np.float32)
        self.height_m = np.zeros(self.shape, np.float32)

    @property
    def label(self) -> NDArray[np.uint8]:
        return CLASS_OF[self.cover]

    def noise(self, scale_m: float) -> Floats:
        return smooth_noise(self.rng, self.shape, scale_m / self.gsd_m)

    def pick(self, class_name: str, count: int) -> NDArray[np.uint8]:
        """`count` cover types of a class, as often as the season has them."""
        ids = [i for i, name in enumerate(NAMES) if COVERS[name][0] == class_name]
        weights = np.array([self.season.shares.get(NAMES[i], 0.0) for i in ids])
        return self.rng.choice(np.array(ids, np.uint8), size=count, p=weights / weights.sum())

    def paint(self, where: Mask, cover: ArrayLike, tone: ArrayLike = 1.0, height_m: ArrayLike = 0.0) -> None:
        for layer, value in ((self.cover, cover), (self.tone, tone), (self.height_m, height_m)):
            layer[where] = np.broadcast_to(np.asarray(value, layer.dtype), self.shape)[where]

    def distance_m(self, ends: tuple[Point, Point], swing_m: float, wave_m: float) -> Floats:
        """(h, w) metres to a path between two points that swings to both sides of the straight line."""
        start, end = np.array(ends) * self.side_m
        length = float(np.hypot(*(end - start)))
        along = np.linspace(0, 1, int(3 * length / self.gsd_m))
        phase, ratio = self.rng.uniform(0, 2 * math.pi, 2), self.rng.uniform(1.6, 2.2)
        turns = 2 * math.pi * length / wave_m
        swing = swing_m * (np.sin(turns * along + phase[0]) + 0.4 * np.sin(ratio * turns * along + phase[1]))
        normal = np.array([start[1] - end[1], end[0] - start[0]]) / length
        path = start + along[:, None] * (end - start) + swing[:, None] * normal
        cols, rows = (path / self.gsd_m).astype(int).T
        inside = (cols >= 0) & (rows >= 0) & (cols < self.shape[1]) & (rows < self.shape[0])
        away = np.ones(self.shape, bool)
        away[rows[inside], cols[inside]] = False
        return np.asarray(ndimage.distance_transform_edt(away) * self.gsd_m, np.float32)

    def crowns(self, spacing_m: float) -> tuple[Floats, Floats]:
        """Tree crowns all over the scene: their domes (h, w) from 0 to 1 and a tone for each tree (h, w)."""
        step = spacing_m / self.gsd_m
        rows, cols = np.mgrid[0 : self.shape[0] : step, 0 : self.shape[1] : step].reshape(2, -1)
        jitter = self.rng.uniform(-0.4, 0.4, (2, rows.size)) * step
        spots = np.clip(np.rint(np.stack([rows, cols]) + jitter).astype(int), 0, self.shape[0] - 1)
        ground = np.ones(self.shape, bool)
        ground[tuple(spots)] = False
        away, nearest = ndimage.distance_transform_edt(ground, return_indices=True)
        dome = np.sqrt(np.clip(1 - (away / (0.75 * step)) ** 2, 0, 1))
        each = self.rng.normal(1, 0.13, self.shape)[tuple(nearest)]
        return dome.astype(np.float32), each.astype(np.float32)

    def reflectance(self) -> Floats:
        """(4, h, w) surface reflectance: the covers' spectra under the season's sun, its shadows included."""
        tint = np.array([self.season.tint.get(name, (1.0,) * 4) for name in CLASSES], np.float32)
        spectra = (SPECTRA * tint[CLASS_OF])[self.cover].transpose(2, 0, 1) * self.tone
        azimuth = math.radians(self.season.sun_azimuth_deg)
        toward = np.array([-math.cos(azimuth), math.sin(azimuth)])
        down, right = np.gradient(self.height_m, self.gsd_m)
        facing = -np.clip(down * toward[0] + right * toward[1], -0.7, 0.7)
        shade = ndimage.gaussian_filter(self._shadow(toward).astype(np.float32), 0.6)
        # Skylight is blue: shadows keep more of the blue than of the infrared.
        kept = np.array([0.50, 0.42, 0.38, 0.32], np.float32)[:, None, None]
        lit = 1 + 0.5 * facing * (1 - shade)
        return np.asarray(spectra * lit * (1 - shade * (1 - kept)), np.float32)

    def _shadow(self, toward: NDArray[np.float64]) -> Mask:
        rise_m = math.tan(math.radians(self.season.sun_elevation_deg)) * self.gsd_m
        reach = math.ceil(float(self.height_m.max()) / rise_m)
        padded = np.pad(self.height_m, reach, mode="edge")
        shadow = np.zeros(self.shape, bool)
        for step in range(1, reach + 1):
            row, col = reach + np.rint(step * toward).astype(int)
            occluder = padded[row : row + self.shape[0], col : col + self.shape[1]]
            shadow |= occluder > self.height_m + step * rise_m
        return shadow
