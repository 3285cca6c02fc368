"""Finished rows of a map on disk: what a killed run need not compute again."""

import os
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geo_io.whole_file import writing

_RECORD = struct.Struct("<QI")
READ_BYTES = 32 * 2**20


class Spool:
    """`layers` byte rasters of `height` rows, cut into column strips of `widths`, filled in order.

    Strips are filled one after the other, each from top to bottom. `<path>` holds the bytes, plane
    by plane; `<path>.index` holds the fingerprint of what is being computed and one small record a
    band: rows finished so far, checksum. A band counts once its bytes *and then* its record are on
    disk, so that whatever interrupts loses at most the band under way; a torn last record is
    ignored. A spool of another fingerprint is discarded, and one that was not written since `since_ns`.
    """

    def __init__(
        self,
        path: Path,
        fingerprint: bytes,
        height: int,
        widths: Sequence[int],
        layers: int = 1,
        since_ns: int = 0,
    ) -> None:
        self.path, self.index_path = path, path.with_name(path.name + ".index")
        self.height, self.widths, self.layers = height, tuple(widths), layers
        shape = struct.pack(f"<{len(widths) + 2}Q", layers, height, *widths)
        self._since_ns = since_ns
        self._moving = threading.Lock()  # one position in the file for all threads
        self._header = struct.pack("<4sI", b"spl1", zlib.crc32(shape)) + fingerprint
        self.done = 0
        """Rows finished, over all strips: `done // height` strips, and `done % height` rows of the next."""

    @property
    def missing_bytes(self) -> int:
        """Bytes that are not in the spool yet."""
        strip, row = divmod(self.done, self.height)
        left = self.height * sum(self.widths[strip:]) - (row and row * self.widths[strip])
        return self.layers * left

    def __enter__(self) -> Self:
        with writing(self.path):
            self._open()
        return self

    def _open(self) -> None:
        fresh = self.index_path.exists() and self.index_path.stat().st_mtime_ns >= self._since_ns
        index = self.index_path.read_bytes() if fresh else b""
        known = index.startswith(self._header) and self.path.exists()
        self.done, kept = self._finished(index) if known else (0, len(self._header))
        with self.index_path.open("r+b" if known else "wb") as file:
            if known:
                file.truncate(kept)
            else:
                file.write(self._header)
        self._index = self.index_path.open("ab")
        self._data = self.path.open("r+b" if known else "w+b", buffering=0)

    def __exit__(self, *_: object) -> None:
        self._index.close()
        self._data.close()

    def _finished(self, index: bytes) -> tuple[int, int]:
        done, end = 0, len(self._header)
        for offset in range(end, len(index) - _RECORD.size + 1, _RECORD.size):
            rows, checksum = _RECORD.unpack_from(index, offset)
            if checksum != _checksum(rows) or not done < rows <= self.height * len(self.widths):
                break
            done, end = rows, offset + _RECORD.size
        return done, end

    def append(self, rows: NDArray[np.uint8]) -> None:
        """Keep `rows` (layers, h, width of the strip), the next of the current strip.

        Raises RunFailed when the disk is full.
        """
        strip, row = divmod(self.done, self.height)
        if (
            rows.shape[0] != self.layers
            or rows.shape[2] != self.widths[strip]
            or row + rows.shape[1] > self.height
        ):
            raise ValueError(f"rows of shape {rows.shape} do not continue strip {strip} at row {row}")
        done = self.done + rows.shape[1]
        with writing(self.path):
            for layer, plane in enumerate(rows):
                self._write_at(np.ascontiguousarray(plane), self._offset(layer, strip, row))
            os.fsync(self._data.fileno())
            self._index.write(_RECORD.pack(done, _checksum(done)))
            self._index.flush()
            os.fsync(self._index.fileno())
        self.done = done

    def read(self, layer: int) -> Iterator[NDArray[np.uint8]]:
        """One layer as bands (h, w) of full width from top to bottom, a few megabytes at a time."""
        step = max(READ_BYTES // max(sum(self.widths), 1), 1)
        for row in range(0, self.height, step):
            rows = min(step, self.height - row)
            strips = [
                self._read_at(rows * width, self._offset(layer, i, row)).reshape(rows, width)
                for i, width in enumerate(self.widths)
            ]
            yield strips[0] if len(strips) == 1 else np.concatenate(strips, axis=1)

    def remove(self) -> None:
        """Delete both files; the index first, for bytes without it mean nothing."""
        self.index_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _offset(self, layer: int, strip: int, row: int) -> int:
        before = layer * sum(self.widths) + sum(self.widths[:strip])
        return self.height * before + row * self.widths[strip]

    def _write_at(self, rows: NDArray[np.uint8], offset: int) -> None:
        view = memoryview(rows.reshape(-1).data)
        with self._moving:
            self._data.seek(offset)
            while view:
                view = view[self._data.write(view) :]

    def _read_at(self, size: int, offset: int) -> NDArray[np.uint8]:
        read = np.empty(size, np.uint8)
        view = memoryview(read.data)
        with self._moving:
            self._data.seek(offset)
            while view:
                got = self._data.readinto(view)
                if not got:
                    raise EOFError(f"the spool ends at byte {offset + size - len(view)}")
                view = view[got:]
        return read


def _checksum(rows: int) -> int:
    return zlib.crc32(rows.to_bytes(8, "little"))
