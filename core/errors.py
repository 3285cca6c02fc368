"""What can go wrong, and the exit code of each."""

from geo_io.errors import BadInput

__all__ = ["BadInput", "RunFailed", "Stopped"]


class RunFailed(Exception):
    """Work that could not be finished although its input was good (memory, disk, a lost worker).

    The text is one line: what happened, and what to try. Exit code 1; BadInput's is 2.
    """


class Stopped(Exception):
    """The user asked to stop and the state is safe on disk. Exit code 130."""
