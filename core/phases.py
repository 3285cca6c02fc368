"""Phases of a method: what there is to do, known before it starts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phase:
    """`steps` optimisation steps under one name.

    The learning rate follows one schedule of `horizon` steps (default: the phase's own), of which
    this phase begins at `start`: so a warm start and what comes after it share one decay.
    """

    name: str
    steps: int
    start: int = 0
    horizon: int | None = None


def rate(step: int, horizon: int, warmup: float, power: float) -> float:
    """Factor on the learning rate: (1 - step/horizon)^power, rising linearly over the warm-up share."""
    rising = round(warmup * horizon)
    decay = max(1 - step / horizon, 0.0) ** power
    return float(decay * min((step + 1) / (rising + 1), 1.0) if rising else decay)


def late(step: int, steps: int, steady: float) -> float:
    """Factor on the learning rate: 1 for the share `steady` of the steps, then falling linearly to 0."""
    return min(1.0, (steps - step) / max((1 - steady) * steps, 1))
