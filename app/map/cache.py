"""Tiles that were read, in bounded memory."""

from collections import OrderedDict
from collections.abc import Hashable

from PySide6.QtGui import QImage

CACHE_BYTES = 256 * 2**20
_NOTE_BYTES = 256
"""What it takes to remember that there is nothing to show."""


class TileCache:
    """(layer, tile) -> its image and the layer's revision when it was read; least recently used go first.

    An image of an older revision is still worth showing until the new one is there. None stands for a tile
    that has nothing to show.
    """

    def __init__(self, capacity_bytes: int = CACHE_BYTES) -> None:
        self._capacity = capacity_bytes
        self._entries: OrderedDict[tuple[Hashable, Hashable], tuple[int, QImage | None]] = OrderedDict()
        self.held_bytes = 0

    def resize(self, capacity_bytes: int) -> None:
        """Hold at most this much from now on."""
        self._capacity = capacity_bytes
        self._trim()

    def get(self, layer: Hashable, tile: Hashable) -> tuple[int, QImage | None] | None:
        entry = self._entries.get((layer, tile))
        if entry is not None:
            self._entries.move_to_end((layer, tile))
        return entry

    def put(self, layer: Hashable, tile: Hashable, revision: int, image: QImage | None) -> None:
        self._drop((layer, tile))
        self._entries[layer, tile] = revision, image
        self.held_bytes += _size_bytes(image)
        self._trim()

    def forget(self, layer: Hashable) -> None:
        """Everything of a layer."""
        for key in [key for key in self._entries if key[0] == layer]:
            self._drop(key)

    def _trim(self) -> None:
        while self.held_bytes > self._capacity and len(self._entries) > 1:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: tuple[Hashable, Hashable]) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.held_bytes -= _size_bytes(entry[1])


def _size_bytes(image: QImage | None) -> int:
    return _NOTE_BYTES + (image.sizeInBytes() if image is not None else 0)
