"""Checksums of delivered files."""

import hashlib
from pathlib import Path

CHUNK_BYTES = 2**22


def sha256(path: Path) -> str:
    """The checksum of a file, read in pieces."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            found.update(chunk)
    return found.hexdigest()
