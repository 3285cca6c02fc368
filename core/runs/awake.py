"""Keeping the machine from falling asleep while a run works, as well as the system lets us."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator

WHY = "A land-cover network is being trained"


@contextlib.contextmanager
def awake() -> Iterator[None]:
    """No sleep from here to the end of the block, or of this process, however it ends. Never raises."""
    if sys.platform == "win32":
        with _windows():
            yield
        return
    helper = _helper()
    try:
        yield
    finally:
        if helper and helper.stdin:
            with contextlib.suppress(OSError):
                helper.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                helper.wait(2)


def _helper() -> subprocess.Popen[bytes] | None:
    """A process that keeps the system awake for as long as we hold its input open: the pipe dies with us."""
    tools = {
        "systemd-inhibit": ["--what=idle:sleep", "--mode=block", "--who=Isthmus", f"--why={WHY}", "cat"],
        "caffeinate": ["-i", "cat"],
    }
    for tool, words in tools.items():
        if path := shutil.which(tool):
            quiet = subprocess.DEVNULL
            with contextlib.suppress(OSError):
                return subprocess.Popen([path, *words], stdin=subprocess.PIPE, stdout=quiet, stderr=quiet)
    return None


@contextlib.contextmanager
def _windows() -> Iterator[None]:
    import ctypes

    continuous, system_required = 0x80000000, 0x00000001
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  # absent elsewhere, which mypy would report
    kernel.SetThreadExecutionState(continuous | system_required)
    try:
        yield
    finally:
        kernel.SetThreadExecutionState(continuous)
