"""What jobs, commands and maps choose among, for those too that load nothing which checks it."""

from typing import Literal

Which = Literal["chosen", "source-only", "adapted"]
"""Which of a run's models."""
Orientations = Literal["all", "mirrored", "none"]
"""In which of the eight orientations of a square crops are drawn."""
TestTimeViews = Literal[1, 2, 4, 8]
"""In how many orientations a tile is seen."""
