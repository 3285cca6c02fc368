"""Which part of the source is kept from training: whole spatial blocks with a buffer around them.

Pixels next to each other are not independent: a random split of pixels or crops would measure
memory. A model is judged on blocks whose labels, and those of a buffer around, it never saw.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.draws import rng
from geo_io.grid import Box

TRIES = 200


@dataclass(frozen=True)
class Holdout:
    """Held-out boxes of each scene, in working pixels, and the buffer around them."""

    boxes: tuple[tuple[Box, ...], ...]
    buffer_px: int

    def trainable(self, scene: int, box: Box, scale: float = 1.0) -> NDArray[np.bool_]:
        """(h, w): True where labels may be trained on. `box` is in pixels `scale` times the working size."""
        free = np.ones((box.height, box.width), bool)
        for held in self.boxes[scene]:
            _paint(free, held, self.buffer_px, box, scale)
        return free

    def held(self, scene: int, box: Box) -> NDArray[np.bool_]:
        """(h, w): True where pixels are held out; `box` in working pixels."""
        free = np.ones((box.height, box.width), bool)
        for held in self.boxes[scene]:
            _paint(free, held, 0, box, 1.0)
        return ~free


def _paint(free: NDArray[np.bool_], held: Box, buffer_px: int, box: Box, scale: float) -> None:
    """Clear `free` inside `held`, grown by the buffer (away from zero, so that no pixel slips through)."""
    top = int(np.floor((held.row - buffer_px) / scale)) - box.row
    left = int(np.floor((held.col - buffer_px) / scale)) - box.col
    bottom = int(np.ceil((held.stop_row + buffer_px) / scale)) - box.row
    right = int(np.ceil((held.stop_col + buffer_px) / scale)) - box.col
    free[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = False


def choose(
    counts: list[NDArray[np.int64]], cell_px: int, cells: int, share: float, buffer_px: int, seed: int
) -> Holdout:
    """Hold out about `share` of the labelled blocks, with every class on both sides where that can be.

    `counts[scene]` is (rows, cols, k): labelled pixels of each class in each cell of `cell_px`; a
    block is `cells` x `cells` of them, or half as wide, and half again, while there are too few for
    `share`. Of 200 seeded draws the one whose class shares are nearest to
    `share` is taken, the worst class deciding.
    """
    blocks = _labelled_blocks(counts, cells)
    while cells > 1 and len(blocks) * share < 1:
        cells //= 2
        blocks = _labelled_blocks(counts, cells)
    per_block = np.array([b[3] for b in blocks], np.float64)
    totals = per_block.sum(0)
    present = totals > 0
    take = min(max(round(share * len(blocks)), 1), max(len(blocks) - 1, 1))
    best, best_cost = np.arange(take), np.inf
    for attempt in range(TRIES):
        drawn = rng(seed, "holdout", attempt).permutation(len(blocks))[:take]
        held = per_block[drawn].sum(0)[present] / totals[present]
        cost = float(np.abs(held - share).max())
        if cost < best_cost:
            best, best_cost = drawn, cost
    side = cell_px * cells
    boxes: list[list[Box]] = [[] for _ in counts]
    for i in sorted(best):
        scene, row, col, _ = blocks[i]
        boxes[scene].append(Box(col * cell_px, row * cell_px, side, side))
    return Holdout(tuple(map(tuple, boxes)), buffer_px)


def _labelled_blocks(
    counts: list[NDArray[np.int64]], cells: int
) -> list[tuple[int, int, int, NDArray[np.int64]]]:
    """Scene, first row and column in cells, and labelled pixels of each class; of blocks that have any."""
    return [
        (scene, row, col, part.sum((0, 1)))
        for scene, cell_counts in enumerate(counts)
        for row in range(0, cell_counts.shape[0], cells)
        for col in range(0, cell_counts.shape[1], cells)
        if (part := cell_counts[row : row + cells, col : col + cells]).any()
    ]
