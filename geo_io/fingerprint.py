"""Telling whether a file is still the one that was used, without reading 50 GB."""

import hashlib
from pathlib import Path
from typing import Any

from geo_io.errors import BadInput

BLOCKS, BLOCK_BYTES = 64, 4096


def fingerprint(path: Path, whole: bool = False) -> dict[str, Any]:
    """Size in bytes, modification time, and a hash of the header and 64 blocks (`whole`: of every byte).

    `content` depends on size and bytes alone, so that a copy has the same. Raises BadInput for a
    file that is missing or unreadable.
    """
    try:
        stat = path.stat()
        digest = hashlib.sha256(str(stat.st_size).encode())
        with path.open("rb") as file:
            for offset in _offsets(stat.st_size, whole):
                file.seek(offset)
                digest.update(file.read(BLOCK_BYTES))
    except FileNotFoundError:
        raise BadInput(path, "does not exist", "check the path in the job") from None
    except OSError as fault:
        raise BadInput(path, f"cannot be read ({fault.strerror})", "check its permissions") from None
    return {"bytes": stat.st_size, "mtime": int(stat.st_mtime), "content": digest.hexdigest()[:32]}


def _offsets(size: int, whole: bool) -> list[int]:
    if whole or size <= BLOCKS * BLOCK_BYTES:
        return list(range(0, size, BLOCK_BYTES))
    return [round(i * (size - BLOCK_BYTES) / (BLOCKS - 1)) for i in range(BLOCKS)]
