"""Rows that survive whatever ends the process."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from geo_io import spool as spool_module
from geo_io.errors import RunFailed
from geo_io.spool import Spool

PRINT = bytes(range(32))
HEIGHT, WIDTHS = 10, (4, 7)


def drawn(layers: int = 2) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (layers, HEIGHT, sum(WIDTHS))).astype(np.uint8)


def spool_in(folder: Path, fingerprint: bytes = PRINT, layers: int = 2) -> Spool:
    return Spool(folder / "m.spool", fingerprint, HEIGHT, WIDTHS, layers)


def fill(spool: Spool, values: NDArray[np.uint8], stop: int = 2 * HEIGHT, step: int = 3) -> None:
    """Rows in order until `stop` of both strips' 20 are done."""
    while spool.done < stop:
        strip, row = divmod(spool.done, HEIGHT)
        left = sum(WIDTHS[:strip])
        rows = min(step, HEIGHT - row, stop - spool.done)
        spool.append(values[:, row : row + rows, left : left + WIDTHS[strip]])


def content(spool: Spool) -> NDArray[np.uint8]:
    return np.stack([np.concatenate(list(spool.read(layer))) for layer in range(spool.layers)])


@pytest.mark.parametrize("read_bytes", [1, 30, 10_000])
def test_rows_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_bytes: int) -> None:
    monkeypatch.setattr(spool_module, "READ_BYTES", read_bytes)
    with spool_in(tmp_path) as spool:
        fill(spool, drawn())
        np.testing.assert_array_equal(content(spool), drawn())


@pytest.mark.parametrize("stop", [0, 1, 9, 10, 13, 20])
def test_a_new_process_goes_on(tmp_path: Path, stop: int) -> None:
    with spool_in(tmp_path) as spool:
        fill(spool, drawn(), stop)
    with spool_in(tmp_path) as spool:
        assert spool.done == stop
        fill(spool, drawn(), step=4)
    with spool_in(tmp_path) as spool:
        np.testing.assert_array_equal(content(spool), drawn())


@pytest.mark.parametrize("torn", [1, 5, 11])
def test_a_torn_last_record_is_ignored_and_overwritten(tmp_path: Path, torn: int) -> None:
    with spool_in(tmp_path) as spool:
        fill(spool, drawn(), 6)
    os.truncate(spool.index_path, spool.index_path.stat().st_size - torn)
    with spool_in(tmp_path) as spool:
        assert spool.done == 3
        fill(spool, drawn())
    with spool_in(tmp_path) as spool:
        assert spool.done == 20
        np.testing.assert_array_equal(content(spool), drawn())


def test_a_damaged_record_ends_what_counts(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool:
        header = spool.index_path.stat().st_size
        fill(spool, drawn(), 9)
    index = bytearray(spool.index_path.read_bytes())
    index[header + 12] ^= 1
    spool.index_path.write_bytes(index)
    with spool_in(tmp_path) as spool:
        assert spool.done == 3


def test_another_fingerprint_starts_anew(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool:
        fill(spool, drawn(), 6)
    with spool_in(tmp_path, fingerprint=bytes(32)) as spool:
        assert spool.done == 0
        assert spool.path.stat().st_size == 0
    with spool_in(tmp_path, fingerprint=bytes(32), layers=1) as spool:
        assert spool.done == 0


def test_rows_of_before_the_image_was_written_count_for_nothing(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool:
        fill(spool, drawn(), 6)
    for since_ns, done in ((10**9, 6), (10**9 + 1, 0)):
        os.utime(spool.index_path, ns=(0, 10**9))
        with Spool(tmp_path / "m.spool", PRINT, HEIGHT, WIDTHS, 2, since_ns) as spool:
            assert spool.done == done


def test_an_index_without_its_rows_counts_for_nothing(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool:
        fill(spool, drawn(), 6)
    spool.path.unlink()
    with spool_in(tmp_path) as spool:
        assert spool.done == 0


def test_rows_out_of_place_are_refused(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool:
        for shape in ((2, 3, 7), (1, 3, 4), (2, 11, 4)):
            with pytest.raises(ValueError, match="do not continue strip 0 at row 0"):
                spool.append(np.zeros(shape, np.uint8))


def test_a_band_that_a_full_disk_cut_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with spool_in(tmp_path) as spool:
        fill(spool, drawn(), 3)
        with monkeypatch.context() as patch:
            patch.setattr(Spool, "_write_at", full)
            with pytest.raises(RunFailed, match=r"m\.spool: could not be written .No space left"):
                fill(spool, drawn(), 6)
        assert spool.done == 3
    with spool_in(tmp_path) as spool:
        assert spool.done == 3


def test_missing_bytes_shrink_as_it_fills(tmp_path: Path) -> None:
    with Spool(tmp_path / "m.spool", PRINT, 100, [10_000]) as spool:
        assert spool.missing_bytes == 1_000_000
        spool.append(np.ones((1, 50, 10_000), np.uint8))
        assert spool.missing_bytes == 500_000
    with spool_in(tmp_path) as strips:
        for done, missing in ((3, 2 * (7 * 4 + 70)), (10, 2 * 70), (13, 2 * 49), (20, 0)):
            fill(strips, drawn(), done)
            assert strips.missing_bytes == missing


class Slow:
    """A file in which another thread can come between finding a place and using it."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def seek(self, offset: int) -> None:
        self._file.seek(offset)
        time.sleep(0.002)


def test_bands_written_and_read_at_once_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "READ_BYTES", 3 * sum(WIDTHS))
    with spool_in(tmp_path) as spool, ThreadPoolExecutor(1) as pool:
        fill(spool, drawn(), HEIGHT + 4)
        spool._data = Slow(spool._data)  # type: ignore[assignment]  # stands in for the file
        rest = pool.submit(fill, spool, drawn(), step=1)
        while not rest.done():
            np.testing.assert_array_equal(next(spool.read(1)), drawn()[1, :3])
        np.testing.assert_array_equal(content(spool), drawn())


def test_remove(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool:
        fill(spool, drawn(), 3)
    spool.remove()
    assert not list(tmp_path.iterdir())
