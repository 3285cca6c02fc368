"""Where the sample's scenes lie, and how season and sensor turn one land into two domains."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from scipy import ndimage

from core.sample.drawing import Floats, Layout, Season, smooth_noise
from core.sample.scenery import draw_land
from geo_io.grid import Grid
from geo_io.legend import IGNORE
from geo_io.patch import Patch

BANDS = ("blue", "green", "red", "nir")
Four = tuple[float, float, float, float]


@dataclass(frozen=True)
class Sensor:
    """From surface reflectance to digital numbers (DN), bands in the order of BANDS."""

    gain: Four  # DN per unit of reflectance
    offset: Four  # DN
    mixing: tuple[Four, Four, Four, Four]  # row: a band as a sum of what the four filters let through
    gamma: Four  # exponent on reflectance
    haze: Four  # path reflectance, added
    haze_unevenness: float  # standard deviation of the haze, as a share of it, over some 250 m
    blur_px: float  # standard deviation of the point spread function
    noise_dn: float  # standard deviation


@dataclass(frozen=True)
class Place:
    """A scene to draw: where, on which grid, with what on it and seen how."""

    epsg: int
    corner: tuple[float, float]  # map x and y of the upper left corner
    gsd_m: float
    size_px: int
    layout: Layout
    season: Season
    sensor: Sensor
    wedge: bool  # slanted swath edges, nodata beyond


class Drawn(NamedTuple):
    """An image (4, h, w) uint16 with its validity and grid, and its labels (h, w), 255 under nodata."""

    image: Patch
    label: NDArray[np.uint8]


SOURCE_SEASON = Season(
    sun_azimuth_deg=150,
    sun_elevation_deg=48,
    shares={
        **{"river": 1, "lake": 1, "broadleaf": 0.65, "conifer": 0.35},
        **{"green crop": 0.5, "flowering crop": 0.14, "ripe crop": 0.14, "stubble": 0.04, "bare soil": 0.18},
        **{"meadow": 0.88, "dry grass": 0.12, "asphalt": 0.75, "concrete": 0.1, "gravel": 0.15},
        **{"red tiles": 0.6, "slate": 0.2, "grey sheet": 0.15, "white sheet": 0.05},
    },
    tint={},
)
TARGET_SEASON = Season(
    sun_azimuth_deg=105,
    sun_elevation_deg=43,
    shares={
        **{"river": 1, "lake": 1, "broadleaf": 0.7, "conifer": 0.3},
        **{"green crop": 0.43, "flowering crop": 0.09, "ripe crop": 0.17, "stubble": 0.14, "bare soil": 0.17},
        **{"meadow": 0.74, "dry grass": 0.26, "asphalt": 0.68, "concrete": 0.1, "gravel": 0.22},
        **{"red tiles": 0.5, "slate": 0.15, "grey sheet": 0.22, "white sheet": 0.13},
    },
    tint={
        "water": (1.05, 1.15, 1.2, 1.15),
        "forest": (0.985, 0.985, 1.025, 0.92),
        "cropland": (1.0, 1.0, 1.025, 0.97),
        "grassland": (1.0, 1.0, 1.025, 0.95),
    },
)
SOURCE_SENSOR = Sensor(
    gain=(10_000, 10_000, 10_000, 10_000),
    offset=(0, 0, 0, 0),
    mixing=((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)),
    gamma=(1, 1, 1, 1),
    haze=(0.004, 0.002, 0.001, 0),
    haze_unevenness=0.1,
    blur_px=0.6,
    noise_dn=16,
)
TARGET_SENSOR = Sensor(
    gain=(3500, 3200, 3000, 2700),
    offset=(60, 45, 40, 30),
    mixing=((0.95, 0.05, 0, 0), (0.05, 0.88, 0.05, 0.02), (0, 0.05, 0.91, 0.04), (0, 0.01, 0.06, 0.93)),
    gamma=(0.92, 0.92, 0.92, 0.88),
    haze=(0.043, 0.025, 0.0145, 0.0055),
    haze_unevenness=0.55,
    blur_px=0.75,
    noise_dn=10,
)
SOURCE = Place(
    epsg=32632,
    corner=(671_400, 5_344_600),
    gsd_m=1.0,
    size_px=900,
    layout=Layout(
        river=((-0.05, 0.22), (0.62, 1.05)),
        river_width_m=26,
        lake=(0.86, 0.84),
        lake_radius_m=48,
        roads=(((-0.05, 0.56), (1.05, 0.28)), ((0.55, -0.05), (0.80, 1.05)), ((0.05, -0.05), (0.32, 0.455))),
        town=(0.62, 0.37),
        town_radius_m=190,
        street_spacing_m=62,
        lot_m=20,
        house_m=(11, 15),
        sheds=9,
        field_ha=1.1,
        crop_share=0.72,
        forest_share=0.14,
        hedge_share=0.3,
    ),
    season=SOURCE_SEASON,
    sensor=SOURCE_SENSOR,
    wedge=True,
)
TARGET_LAYOUT = Layout(
    river=((0.30, -0.05), (0.16, 1.05)),
    river_width_m=20,
    lake=(0.87, 0.20),
    lake_radius_m=42,
    roads=(((-0.05, 0.78), (1.05, 0.52)), ((0.72, -0.05), (0.50, 1.05))),
    town=(0.60, 0.62),
    town_radius_m=180,
    street_spacing_m=66,
    lot_m=21,
    house_m=(14, 19),
    sheds=14,
    field_ha=1.7,
    crop_share=0.42,
    forest_share=0.30,
    hedge_share=0.15,
)
TARGETS = {
    "north": Place(32735, (612_000, 7_163_000), 1.4, 640, TARGET_LAYOUT, TARGET_SEASON, TARGET_SENSOR, False),
    "south": Place(
        epsg=32735,
        corner=(613_100, 7_159_500),
        gsd_m=1.4,
        size_px=640,
        layout=replace(
            TARGET_LAYOUT,
            river=((-0.05, 0.30), (1.05, 0.42)),
            lake=(0.24, 0.72),
            roads=(((0.20, -0.05), (0.62, 1.05)), ((-0.05, 0.60), (1.05, 0.84))),
            town=(0.50, 0.72),
            town_radius_m=175,
        ),
        season=TARGET_SEASON,
        sensor=TARGET_SENSOR,
        wedge=True,
    ),
}

Blend = TypeVar("Blend", Season, Sensor)


def blend(near: Blend, far: Blend, strength: float) -> Blend:
    """`near` at strength 0, `far` at 1, on the straight line between; up to 1.3 beyond it."""

    def mix(a: Any, b: Any) -> Any:
        if isinstance(a, Mapping):
            return {key: mix(a.get(key, (1.0,) * 4), b.get(key, (1.0,) * 4)) for key in [*a, *(b.keys() - a)]}
        if isinstance(a, tuple):
            return tuple(map(mix, a, b))
        return a + strength * (b - a)

    return replace(near, **{f.name: mix(getattr(near, f.name), getattr(far, f.name)) for f in fields(near)})


def expose(reflectance: Floats, sensor: Sensor, gsd_m: float, rng: np.random.Generator) -> NDArray[np.uint16]:
    """(4, h, w) surface reflectance -> (4, h, w) DN, never 0, which means nodata."""

    def column(values: Four) -> Floats:
        return np.array(values, np.float32)[:, None, None]

    shape = (reflectance.shape[1], reflectance.shape[2])
    seen = ndimage.gaussian_filter(reflectance, (0, sensor.blur_px, sensor.blur_px))
    seen = np.tensordot(np.array(sensor.mixing, np.float32), seen, axes=1) ** column(sensor.gamma)
    haze = column(sensor.haze) * np.clip(
        1 + sensor.haze_unevenness * smooth_noise(rng, shape, 250 / gsd_m), 0, 3
    )
    # What scatters light into the view also takes some of it away.
    signal = column(sensor.gain) * (seen * (1 - 2 * haze) + haze) + column(sensor.offset)
    noise = rng.normal(0, sensor.noise_dn, signal.shape)
    return np.asarray(np.clip(np.rint(signal + noise), 1, 65535), np.uint16)


def draw_place(place: Place, seed: int) -> Drawn:
    """The image and labels of one scene; the same seed draws the same."""
    land = draw_land(place.layout, place.season, place.size_px, place.gsd_m, seed)
    valid = np.ones(land.shape, bool)
    if place.wedge:
        swath = (land.x + 0.17 * land.y) / land.side_m
        valid = (swath > 0.10) & (swath < 1.10)
    light = np.random.default_rng([seed, 1])
    values = expose(land.reflectance(), place.sensor, place.gsd_m, light) * valid
    transform = Affine(place.gsd_m, 0, place.corner[0], 0, -place.gsd_m, place.corner[1])
    grid = Grid(CRS.from_epsg(place.epsg).to_wkt(), transform, place.size_px, place.size_px)
    return Drawn(Patch(values, valid, grid), np.where(valid, land.label, IGNORE).astype(np.uint8))


def draw_target(name: str, seed: int, strength: float = 1.0) -> Drawn:
    """The target scene `name`, as far from the source in season and sensor as `strength` (0 to 1.3) says."""
    place = TARGETS[name]
    season = blend(SOURCE_SEASON, place.season, strength)
    sensor = blend(SOURCE_SENSOR, place.sensor, strength)
    return draw_place(
        replace(place, season=season, sensor=sensor), seed + 101 * (1 + list(TARGETS).index(name))
    )
