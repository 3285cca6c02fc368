"""Randomness without streams: every draw derives from the run's seed and from what it is for.

So loader threads, prefetching and a resume change nothing.
"""

import zlib

import numpy as np

Key = int | str


def rng(seed: int, *keys: Key) -> np.random.Generator:
    """A generator for one purpose, such as `rng(seed, "crop", phase, step, sample)`."""
    return np.random.default_rng([seed, *(_number(key) for key in keys)])


def seed_for(seed: int, *keys: Key) -> int:
    """A 63-bit seed for one purpose: for generators other than numpy's."""
    return int(rng(seed, *keys).integers(2**63))


def _number(key: Key) -> int:
    return zlib.crc32(key.encode()) if isinstance(key, str) else key
