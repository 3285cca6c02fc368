"""A landscape, painted layer by layer: fields, woods, water, roads, a town."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.sample.drawing import CLASSES, NAMES, Floats, Land, Layout, Mask, Season


def draw_land(layout: Layout, season: Season, size_px: int, gsd_m: float, seed: int) -> Land:
    """One scene of `size_px` x `size_px` pixels."""
    land = Land(layout, season, size_px, gsd_m, seed)
    river_m = land.distance_m(layout.river, 0.07 * land.side_m, 0.55 * land.side_m)
    road_m = np.stack([land.distance_m(ends, 14, 500) for ends in layout.roads])
    reach = np.hypot(land.x - layout.town[0] * land.side_m, land.y - layout.town[1] * land.side_m)
    town = reach < layout.town_radius_m * (1 + 0.12 * land.noise(90))
    parcels = _parcels(land, (road_m.min(0) > 4) & (river_m > 0.5 * layout.river_width_m + 6))
    _paint_fields(land, parcels)
    _paint_trees(land, parcels, town, river_m)
    _paint_water(land, river_m)
    _paint_town(land, town, road_m)
    return land


def _parcels(land: Land, open_ground: Mask) -> NDArray[np.int32]:
    """(h, w) parcel numbers: what roads and river leave, cut across its longer side until small enough."""
    turn = land.rng.uniform(-0.5, 0.5)
    bend = 7 * land.noise(120)
    u = (land.x * math.cos(turn) + land.y * math.sin(turn) + bend).ravel()
    v = (land.y * math.cos(turn) - land.x * math.sin(turn) + bend).ravel()
    pieces, count = ndimage.label(open_ground)
    todo = [np.flatnonzero(pieces == i) for i in range(count + 1)]
    numbers, number = np.zeros(land.x.size, np.int32), 0
    while todo:
        piece = todo.pop()
        if piece.size * land.gsd_m**2 < land.layout.field_ha * 1e4 * land.rng.uniform(0.7, 2.0):
            numbers[piece], number = number, number + 1
            continue
        along, across = (u, v) if np.ptp(u[piece]) > np.ptp(v[piece]) else (v, u)
        key = along[piece] + land.rng.normal(0, 0.07) * across[piece]
        upper = key > np.quantile(key, land.rng.uniform(0.35, 0.65))
        todo += [piece[upper], piece[~upper]]
    return numbers.reshape(land.shape)


def _paint_fields(land: Land, parcels: NDArray[np.int32]) -> None:
    """Crops in rows, each field its own way; grassland without."""
    rng, count = land.rng, int(parcels.max()) + 1
    crop = rng.random(count) < land.layout.crop_share
    cover = np.where(crop, land.pick("cropland", count), land.pick("grassland", count))
    angle = rng.uniform(0, math.pi) + rng.choice([0, math.pi / 2], count) + rng.normal(0, 0.2, count)
    period_m, depth = rng.uniform(5.5, 8.5, count), rng.uniform(0.09, 0.17, count)
    across = land.x * np.cos(angle)[parcels] + land.y * np.sin(angle)[parcels]
    rows = depth[parcels] * np.sin(2 * math.pi * across / period_m[parcels])
    wheels = -0.16 * (across % 21 < 2)
    turf = 0.07 * land.noise(6) + 0.09 * land.noise(22)
    texture = np.where(crop[parcels], rows + wheels + 0.03 * land.noise(15), turf)
    field_tone = np.exp(rng.normal(0, 0.10, count))[parcels] * (1 + 0.05 * land.noise(70))
    land.paint(np.ones(land.shape, bool), cover[parcels], field_tone * (1 + texture))
    margin = _borders(parcels, 1.5 / land.gsd_m)
    land.paint(margin, land.pick("grassland", count)[parcels], 0.95 + 0.1 * land.noise(6))


def _borders(parcels: NDArray[np.int32], width_px: float) -> Mask:
    inner = ndimage.maximum_filter(parcels, 3) == ndimage.minimum_filter(parcels, 3)
    return np.asarray(ndimage.distance_transform_edt(inner) < width_px)


def _paint_trees(land: Land, parcels: NDArray[np.int32], town: Mask, river_m: Floats) -> None:
    """Woods, hedges on some borders, trees along the river and in the gardens."""
    layout, rng, count = land.layout, land.rng, int(parcels.max()) + 1
    stand = rng.normal(size=count)[parcels]
    score = land.noise(130) + 0.7 * stand + 0.15 * land.noise(18)
    score[town | (river_m < layout.river_width_m)] = -9
    hedged = (rng.random(count) < layout.hedge_share)[parcels] & (land.noise(60) > -0.6)
    hedge = _borders(parcels, 3 / land.gsd_m) & hedged & ~town
    bank = (river_m < 0.5 * layout.river_width_m + 16) & (land.noise(35) > 0.5)
    wood = score > np.quantile(score, 1 - layout.forest_share)
    kind = land.pick("forest", count)[parcels]
    for where, spacing_m, top_m in ((wood, 8.5, 15), (hedge | bank, 6, 7)):
        dome, each = land.crowns(spacing_m)
        height_m = np.where(where, (0.55 + 0.45 * dome) * top_m * each, 0)
        land.paint(where, kind, each * (0.72 + 0.35 * dome), height_m)


def _paint_water(land: Land, river_m: Floats) -> None:
    layout = land.layout
    half_m = 0.5 * layout.river_width_m * (1 + 0.18 * land.noise(80))
    away = np.hypot(land.x - layout.lake[0] * land.side_m, 1.4 * (land.y - layout.lake[1] * land.side_m))
    shore_m = away - layout.lake_radius_m * (1 + 0.16 * land.noise(60))
    ripple = 1 + 0.03 * land.noise(5)
    bank = ((river_m < half_m + 9) | (shore_m < 7)) & (land.height_m < 1)
    land.paint(bank, NAMES.index("meadow"), 1.1 + 0.1 * land.noise(6))
    shallow = np.clip(1.6 - (half_m - river_m) / 10, 1, 1.6)
    land.paint(shore_m < 0, NAMES.index("lake"), ripple * np.clip(1.6 + shore_m / 15, 1, 1.6))
    land.paint(river_m < half_m, NAMES.index("river"), ripple * shallow)


def _paint_town(land: Land, town: Mask, road_m: Floats) -> None:
    """Gardens, streets on a bent grid, country roads, houses that face the streets, sheds at the roads."""
    layout, turn = land.layout, land.rng.uniform(0.2, 0.6)
    bend = 12 * land.noise(140)
    p = land.x * math.cos(turn) + land.y * math.sin(turn) + bend
    q = land.y * math.cos(turn) - land.x * math.sin(turn) + bend
    ground = town & (land.label != CLASSES.index("water"))
    _paint_gardens(land, ground, p, q)
    street_m = _off_line(p, layout.street_spacing_m)
    crossing_m = _off_line(q, 1.8 * layout.street_spacing_m)
    wear = 1 + 0.05 * land.noise(8)
    paving = land.pick("road", len(road_m) + 1)
    land.paint(ground & (np.minimum(street_m, crossing_m) < 3.2), paving[0], wear)
    for i, away_m in enumerate(road_m):
        land.paint(away_m < (4.5 if i == 0 else 3.2), paving[i + 1], wear)
    setback = abs(street_m - 13) < 0.8 * land.gsd_m
    lots = ground & setback & (_off_line(q, layout.lot_m) < 0.8 * land.gsd_m)
    _build(land, _centres(lots), _heading(p), layout.house_m, roof_m=5)
    nearest_m = road_m.min(0)
    roadside = np.argwhere((abs(nearest_m - 28) < land.gsd_m) & ~town)
    sheds = land.rng.permutation(roadside)[: layout.sheds]
    _build(land, sheds, _heading(nearest_m), (17, 38), roof_m=7)


def _paint_gardens(land: Land, ground: Mask, p: Floats, q: Floats) -> None:
    plot = ((p // 21).astype(int) * 7 + (q // 34).astype(int)) & 63
    lawn, tone = land.pick("grassland", 64)[plot], land.rng.normal(1, 0.08, 64)[plot]
    land.paint(ground, lawn, tone + 0.08 * land.noise(5))
    dome, each = land.crowns(11)
    height_m = (0.5 + 0.5 * dome) * 7 * each
    land.paint(ground & (each > 1.14) & (dome > 0.3), land.pick("forest", 64)[plot], each * 0.9, height_m)


def _off_line(position_m: Floats, spacing_m: float) -> Floats:
    """Metres to the nearest of the lines that lie `spacing_m` apart."""
    return np.asarray(np.abs((position_m + spacing_m / 2) % spacing_m - spacing_m / 2), np.float32)


def _centres(mask: Mask) -> NDArray[np.int64]:
    """(n, 2) row and column of each connected spot."""
    spots, count = ndimage.label(mask, np.ones((3, 3)))
    return (
        np.array(ndimage.center_of_mass(mask, spots, range(1, count + 1))).round().astype(int).reshape(-1, 2)
    )


def _heading(away_m: Floats) -> Floats:
    """(h, w) angle in radians, from the x axis towards the y axis, of lines of equal distance."""
    down, right = np.gradient(away_m)
    return np.asarray(np.arctan2(right, -down), np.float32)


def _build(
    land: Land, sites: NDArray[np.int64], heading: Floats, size_m: tuple[float, float], roof_m: float
) -> None:
    """Gabled buildings, ridge along `heading`; none on a road, in water or too near another."""
    taken = np.isin(land.label, [CLASSES.index(name) for name in ("road", "water", "building")])
    for row, col in sites:
        width, length = size_m * land.rng.normal(1, 0.16, 2).clip(0.7, 1.4)
        roof, tone = land.pick("building", 1)[0], land.rng.normal(1, 0.12)
        reach = math.ceil(0.6 * (width + length) / land.gsd_m)
        box = np.s_[max(row - reach, 0) : row + reach, max(col - reach, 0) : col + reach]
        dx, dy = land.x[box] - land.x[row, col], land.y[box] - land.y[row, col]
        cos, sin = math.cos(heading[row, col]), math.sin(heading[row, col])
        along, across = np.abs(dx * cos + dy * sin), np.abs(dy * cos - dx * sin)
        if (taken[box] & (along < length / 2 + 3) & (across < width / 2 + 3)).any():
            continue
        inside = (along < length / 2) & (across < width / 2)
        taken[box] |= inside
        land.cover[box][inside], land.tone[box][inside] = roof, tone
        land.height_m[box][inside] = (roof_m * (1 - 0.9 * across / width))[inside]
