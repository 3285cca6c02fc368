"""What can go wrong with a user's files: input that cannot be used, and work that cannot be finished."""

import difflib
from collections.abc import Collection, Iterator
from contextlib import contextmanager


class BadInput(Exception):
    """Input that cannot be used: names the culprit, says what is wrong and what to try.

    `culprit` is a file, band, class or option as the user wrote it. `str()` is always one line.
    """

    def __init__(self, culprit: object, problem: str, remedy: str) -> None:
        self.culprit, self.problem, self.remedy = str(culprit), problem, remedy
        super().__init__(" ".join(f"{self.culprit}: {problem}; {remedy}".split()))

    def __reduce__(self) -> tuple[type["BadInput"], tuple[str, str, str]]:
        """Survives the way back from a worker process, which pickles what was raised."""
        return type(self), (self.culprit, self.problem, self.remedy)


def meant(name: str, known: Collection[str], what: str, command: str | None = None) -> str:
    """What to try instead of a wrong name: the nearest of `known`, else all of them, which are `what`, or the
    command that lists them where they are many."""
    if close := difflib.get_close_matches(name, known, n=1):
        return f"did you mean {close[0]!r}?"
    return f"`{command}` lists them" if command else f"{what} are {', '.join(known)}"


@contextmanager
def naming(culprit: object) -> Iterator[None]:
    """Puts `culprit` in front of bad input that was found where nobody knew whose it is."""
    try:
        yield
    except BadInput as fault:
        raise BadInput(culprit, f"{fault.culprit} {fault.problem}", fault.remedy) from None


class RunFailed(Exception):
    """Work that could not be finished although its input was good (memory, disk, a lost worker).

    The text is one line: what happened, and what to try. Exit code 1; BadInput's is 2.
    """
