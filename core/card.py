"""What a method says of itself to those who choose and watch it."""

from typing import Literal, NamedTuple, get_args

Kind = Literal[
    "Recommended", "Without learning from the target", "Adversarial", "Translation", "Self-training", "Other"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order in which they are offered."""


class Card(NamedTuple):
    """A line each: what it costs beside source-only training, and when to use it; `kind`: its family."""

    cost: str
    use: str
    kind: Kind = "Other"


class Healthy(NamedTuple):
    """The values between which a loss should stay once training has settled, and what it means there."""

    low: float
    high: float
    label: str
