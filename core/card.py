"""What a method says of itself to those who choose and watch it."""

from typing import NamedTuple


class Card(NamedTuple):
    """A line each: what it costs beside source-only training, and when to use it."""

    cost: str
    use: str


class Healthy(NamedTuple):
    """The values between which a loss should stay once training has settled, and what it means there."""

    low: float
    high: float
    label: str
