"""Down one column strip of an image: strips of pixels in, finished rows of the map out."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.ahead import ahead
from core.errors import RunFailed
from core.mapping.blend import RowBand
from core.mapping.predictor import Predictor
from core.mapping.strips import StripReader, Strips
from geo_io.legend import IGNORE

Waiting = Callable[[], NDArray[np.uint8]]
"""Gives rows (layers, h, w), as `RowBand.finish` has them, once the device has computed them."""


class StripMapper:
    """Tile row after tile row: read, forward what holds a wanted pixel, blend, hand over what is finished."""

    def __init__(self, predictor: Predictor, reader: StripReader, threads: int) -> None:
        self.predictor, self.reader, self.threads = predictor, reader, threads
        self.plane = reader.plane
        self.slots = predictor.slots(self.plane.tiling_x.count)
        self.dtype = reader.scene.dtype if self.plane.native else np.dtype(np.float32)
        options = predictor.options
        self.band = RowBand(
            self.plane,
            reader.native_columns,
            len(predictor.legend.classes),
            options.mode,
            predictor.device,
            options.probabilities,
        )

    def rows(self, first: int, stop: int) -> Iterator[Waiting]:
        """The native rows `[first, stop)`, band by band, from top to bottom."""
        tiling, taps = self.plane.tiling_y, self.plane.taps_y
        tile_rows = tiling.covering(*taps.needs(first, stop))
        end = min(tiling.start(tile_rows[-1]) + tiling.tile, tiling.size)
        coming = ahead(self.reader.read, self.reader.tops(tiling.start(tile_rows[0]), end), self.threads)
        strips = Strips(coming, self.reader.left)
        try:
            for tile_row in tile_rows:
                top = tiling.start(tile_row)
                touched = taps.touching(top, top + tiling.tile)
                strips.reach(min(top + tiling.tile, tiling.size), touched[1])
                self._add_tiles(strips, tile_row, strips.wanted(*touched))
                ready = min(taps.ready(tiling.final(tile_row)), stop)
                if ready > first:
                    yield _handed_over(self.band.finish(first, ready), strips.wanted(first, ready))
                    first = ready
                strips.release(tiling.final(tile_row), first)
        finally:
            coming.close()

    def _add_tiles(self, strips: Strips, tile_row: int, rows: NDArray[np.bool_]) -> None:
        """Put a row of tiles into the band; `rows`: what the map wants of the native rows it touches."""
        self.band.move_to(tile_row)
        top = self.plane.tiling_y.start(tile_row)
        for batch in self._batches(self._wanted_tiles(rows)):
            values, valid = self.predictor.staged(self.dtype, len(self.reader.scene.bands), self.slots)
            for slot, i in batch:
                left = self.plane.tiling_x.start(i)
                strips.fill(top, left, values[slot].numpy(), valid[slot].numpy())
            logits = self.predictor.logits(values, valid)
            for slot, i in batch:
                self.band.add(tile_row, i, logits[slot])

    def _wanted_tiles(self, rows: NDArray[np.bool_]) -> list[int]:
        """The tiles that a wanted native pixel is computed from; the others are never forwarded."""
        tiling, (left, right) = self.plane.tiling_x, self.reader.native_columns
        wanted = []
        for i in tiling.covering(self.band.left, self.band.right):
            low, high = self.plane.taps_x.touching(tiling.start(i), tiling.start(i) + tiling.tile)
            if rows[:, max(low, left) - left : max(min(high, right), left) - left].any():
                wanted.append(i)
        return wanted

    def _batches(self, tiles: list[int]) -> Iterator[Sequence[tuple[int, int]]]:
        """Forward passes as (slot, tile).

        In `crop` mode a tile's slot hangs on its column alone, so that neither an area nor a column
        strip can change a bit of the result through the order of a batched kernel's sums.
        """
        if self.predictor.options.mode == "crop":
            for batch in sorted({i // self.slots for i in tiles}):
                yield [(i % self.slots, i) for i in tiles if i // self.slots == batch]
        else:
            for start in range(0, len(tiles), self.slots):
                yield list(enumerate(tiles[start : start + self.slots]))


def _handed_over(rows: Tensor, wanted: NDArray[np.bool_]) -> Waiting:
    """Start the copy of finished rows (layers, h, w) to the host; the result waits for it and masks it."""
    event = None
    if rows.device.type == "cuda":
        host = torch.empty(rows.shape, dtype=rows.dtype, pin_memory=True)
        host.copy_(rows, non_blocking=True)
        event = torch.cuda.current_stream(rows.device).record_event()
    else:
        host = rows.cpu()

    def wait() -> NDArray[np.uint8]:
        if event is not None:
            event.synchronize()
        finished: NDArray[np.uint8] = host.numpy()
        if ((finished[0] == IGNORE) & wanted).any():
            raise RunFailed("the network yields values that are no numbers; train with a lower schedule.lr")
        unwanted = np.where(wanted, np.uint8(0), np.uint8(IGNORE))
        return np.maximum(finished, unwanted, out=finished)

    return wait
