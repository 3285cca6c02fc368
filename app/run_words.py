"""How the window says what a run will take, what has become of it, and what is left."""

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QIcon

from app.panels.problem import split
from app.theme import icon
from core.console import duration
from core.cost import Cost
from core.progress import Progress
from core.runs.run_reading import RunState, RunStatus

ICONS: dict[RunStatus, str] = {
    "new": "new",
    "queued": "waiting",
    "starting": "waiting",
    "running": "start",
    "pausing": "pause",
    "paused": "pause",
    "stopping": "stop",
    "done": "done",
    "stopped": "stop",
    "failed": "failed",
    "died": "died",
    "lost": "died",
}


def status_icon(status: RunStatus) -> QIcon:
    return icon(ICONS[status])


def status_word(status: RunStatus) -> str:
    words: dict[RunStatus, str] = {
        "new": tr("not started"),
        "queued": tr("in the queue"),
        "starting": tr("starting"),
        "running": tr("running"),
        "pausing": tr("pausing"),
        "paused": tr("paused"),
        "stopping": tr("stopping"),
        "done": tr("finished"),
        "stopped": tr("stopped"),
        "failed": tr("failed"),
        "died": tr("died"),
        "lost": tr("lost"),
    }
    return words[status]


def told(state: RunState) -> tuple[str, str]:
    """What is, and what to do about it ("" for nothing): a cause of death may bring its own remedy."""
    wrong, remedy = split(state.sentence) if state.status in ("failed", "died") else (state.sentence, "")
    return wrong, remedy or state.remedy


def how_it_ended(name: str, state: RunState) -> str:
    """Of a run that has just ended: the cause, where it was not the user's wish, and the remedy."""
    wrong, remedy = told(state)
    words = f"{name}: {status_word(state.status)}"
    if state.status not in ("done", "stopped"):
        words = f"{words}: {wrong}"
    return f"{words}; {remedy}" if remedy else words


def requested(wanted: str | None) -> str:
    """What to show from the click on until the worker's word comes; "" where nothing is asked."""
    words = {
        "pause": tr("pause requested"),
        "resume": tr("resume requested"),
        "stop": tr("stop requested"),
        "checkpoint": tr("checkpoint requested"),
        "start": tr("start requested"),
        "kill": tr("being killed"),
    }
    return words.get(wanted or "", "")


def share_done(progress: Progress) -> float | None:
    """How much of the training is done, 0 to 1; None before it is known."""
    if progress.status == "done":
        return 1.0
    return min(progress.steps_done / progress.steps_total, 1.0) if progress.steps_total else None


def time_left(progress: Progress) -> str:
    """Of the training, or of other work at hand while there is some."""
    if progress.work:
        return work_left(progress)
    left = progress.seconds_left
    return "" if left is None else tr("{0} of training left").format(duration(left))


def work_left(progress: Progress) -> str:
    """Of other long work than training."""
    left = progress.work_seconds_left
    return "" if left is None else tr("{0} left").format(duration(left))


def estimate_words(cost: Cost) -> str:
    """`about 12 min on cuda:0, 1.3 GiB of memory, 0.2 GiB on disk`."""
    parts = [tr("about {0} on {1}").format(duration(cost.total_s), cost.device)]
    if cost.memory_gib is not None:
        parts.append(tr("{0:.1f} GiB of memory").format(cost.memory_gib))
    return ", ".join([*parts, tr("up to {0:.1f} GiB on disk").format(cost.disk_gib)])


def size_text(size_bytes: int) -> str:
    """Bytes as a person says them, in powers of ten as disks are sold."""
    size, units = float(size_bytes), ("B", "kB", "MB", "GB", "TB")
    for unit in units:
        if size < 1000 or unit == units[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.3g} {unit}"
        size /= 1000
    raise AssertionError("the last unit takes any size")


def tr(text: str) -> str:
    return QCoreApplication.translate("Runs", text)
