"""The worker of a supervised run: `python -P -m core.commands.worker RUN`, its output a log to be read."""

import contextlib
import faulthandler
import logging
import os
import sys
from pathlib import Path

from core.commands.foreground import stopping_safely
from core.commands.guard import in_one_line
from core.errors import DONE
from core.runs.run import open_run

NICE = 10
SACRIFICE = 500
"""Of 1000: when memory runs out, the system should rather end the training than the user's window."""


def main(folder: Path) -> int:
    """Work to the end; the exit code says how it went, as that of `isthmus run`."""
    faulthandler.enable()
    logging.captureWarnings(True)
    logging.basicConfig(level=logging.WARNING)
    _be_modest()
    try:
        run = open_run(folder)
        with stopping_safely(run):
            from core.execution.execute import execute

            _leave_a_core()
            for _ in execute(run):
                pass
    except (Exception, KeyboardInterrupt) as fault:
        code, line = in_one_line(fault)
        print(f"error: {line}" if line else "stopped", file=sys.stderr, flush=True)
        return code
    return DONE


def _be_modest() -> None:
    """Go behind everything that a person waits for. On Windows the supervisor sees to it."""
    if sys.platform != "win32":
        os.nice(NICE)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(SACRIFICE), encoding="utf-8")


def _leave_a_core() -> None:
    """To the user's window, unless the environment or, later, the job says how many threads to take."""
    import torch

    if not os.environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(max(1, min(torch.get_num_threads(), _cores() - 1)))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
