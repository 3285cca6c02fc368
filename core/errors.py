"""What can go wrong, and the exit code of each."""

from geo_io.errors import BadInput, RunFailed, meant

__all__ = ["BadInput", "RunFailed", "Stopped", "meant"]


class Stopped(Exception):
    """The user asked to stop and the state is safe on disk. Exit code 130."""


DONE, FAILED, BAD_INPUT, STOPPED = 0, 1, 2, 130
"""Exit codes of commands and of workers."""
