"""The one error that a user's input can cause."""


class BadInput(Exception):
    """Input that cannot be used: names the culprit, says what is wrong and what to try.

    `culprit` is a file, band, class or option as the user wrote it. `str()` is always one line.
    """

    def __init__(self, culprit: object, problem: str, remedy: str) -> None:
        self.culprit, self.problem, self.remedy = str(culprit), problem, remedy
        super().__init__(" ".join(f"{self.culprit}: {problem}; {remedy}".split()))
