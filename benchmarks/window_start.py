"""How soon the window is there: for `benchmarks.window`."""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

HERE = Path(__file__).parent
OPENINGS = 5
OPENING = """
import time
begun = time.time()
import app.main, app.window
imported = time.time()
from PySide6.QtCore import QEvent, QObject, QTimer

class Look(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and isinstance(watched, app.window.MainWindow):
            application.removeEventFilter(self)
            QTimer.singleShot(0, self.tell)
        return False

    def tell(self):
        print(begun, imported, time.time(), flush=True)
        application.exit()

application = app.main.application()
look = Look()
application.installEventFilter(look)
app.main.main([])
"""


class Opening(NamedTuple):
    """Seconds from the start of the process: Python runs, the window is imported, it is painted."""

    python: float
    imported: float
    painted: float


def opened(compiled: Path) -> Opening:
    """A start of the window, its compiled modules kept in the folder `compiled`."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(compiled)}
    start = time.time()
    command = [sys.executable, "-P", "-c", OPENING]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=HERE.parent, env=environment
    )
    return Opening(*(float(each) - start for each in done.stdout.split()))


def openings(compiled: Path) -> list[str]:
    opened(compiled)  # compiles the modules, as pip does where it installs them
    times = [opened(compiled) for _ in range(OPENINGS)]
    named = {
        "window painted, from the start of its process": [each.painted for each in times],
        "of that: until Python runs": [each.python for each in times],
        "of that: imports": [each.imported - each.python for each in times],
        "of that: made and painted": [each.painted - each.imported for each in times],
    }
    return [
        f"| {what}, median of {OPENINGS} (longest) | {median(seconds):.2f} s ({max(seconds):.2f} s) |"
        for what, seconds in named.items()
    ]
