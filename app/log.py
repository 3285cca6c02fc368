"""The window's log: what went wrong, with its traces, in two files at most that are kept small."""

import contextlib
import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from app.held import room

BYTES = 2**20
LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_path() -> Path:
    """Where the log is written once there is something to say."""
    return room() / "window.log"


def start_log() -> None:
    """Write warnings and errors of every module to the log, and to the terminal as before."""
    path = log_path()
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    # A read-only home costs the log, nothing else.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(RotatingFileHandler(path, "a", BYTES, 1, "utf-8", delay=True))
    for handler in handlers:
        handler.setFormatter(logging.Formatter(LINE))
        logging.getLogger().addHandler(handler)
