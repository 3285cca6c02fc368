"""Python's garbage, collected on the window's thread alone.

Python collects wherever it happens to be when much was allocated. On a thread that reads, that destroys
what is Qt's there, under the feet of the window's thread, which crashes.
"""

import gc
from functools import cache

from PySide6.QtCore import QObject, QTimer

LOOK_MS = 500


class _Collector(QObject):
    """Lives as long as the process."""

    def __init__(self) -> None:
        super().__init__()
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Collect the oldest generation that is due."""
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                return


def collect_here() -> None:
    """From now on collect on this thread, which is the window's; for whoever starts others."""
    gc.disable()
    _collector()


@cache
def _collector() -> _Collector:
    return _Collector()
