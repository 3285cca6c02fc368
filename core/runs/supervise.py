"""A run in the background: its supervisor waits for its turn, starts the worker and reaps it.

The supervisor, which `launch` starts as `python -P -m core.runs.supervise RUN`, has a session of its own
and no torch. It outlives whoever launched it; where the worker could not say how it ended, it does.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from core.errors import BAD_INPUT, DONE, FAILED, STOPPED, BadInput, RunFailed
from core.events import AnyEvent, Asked, Ended, Failed
from core.journal import Journal
from core.runs import causes
from core.runs.awake import awake
from core.runs.charge import BEAT_S, STATUS, Status, in_charge, is_alive, own_status, taken, write_status
from core.runs.run import Run, ask, open_run, take_requests, write_exit
from core.runs.run_queue import Ticket, device_of, in_line
from core.runs.run_state import KILLED, drop_checkpoints, state_of, tail

LOOK_S = 0.25
CHECKPOINTS = "ISTHMUS_CHECKPOINTS"
"""In the environment of whoever launches: `delete` drops a run's checkpoints once it is finished."""
PREDECESSOR_S = 5.0
"""How long to wait for the supervisor of a run that has just ended to be gone."""


def launch(folder: Path) -> None:
    """Start or resume a run in the background and return at once; `runs.run_state.state_of` tells the rest.

    Raises BadInput where there is no run, or it is finished or at work already.
    """
    run = open_run(folder.resolve())
    if run.done:
        raise BadInput(folder, "is finished", "look at its maps, or start a new run")
    if state_of(run.folder).alive or not _predecessor_gone(run.folder):
        raise taken(folder)
    status = Status("starting", 0, since=round(time.time(), 3), device=device_of(run.job.schedule.device))
    write_status(run.folder, status)
    try:
        child = _detached("core.runs.supervise", run.folder)
    except OSError as fault:
        (run.folder / STATUS).unlink(missing_ok=True)
        raise BadInput(folder, f"cannot be started ({fault.strerror})", "close other programs") from None
    # Whoever launches must reap, or a dead supervisor stays in the process table as long as a window is open.
    threading.Thread(target=child.wait, name="reaper", daemon=True).start()


def _predecessor_gone(folder: Path) -> bool:
    """A supervisor lets go of a run a moment after it has said how the run ended."""
    deadline = time.monotonic() + PREDECESSOR_S
    while is_alive(folder) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(folder)


def _detached(module: str, folder: Path) -> "subprocess.Popen[bytes]":
    """`python -P -m module folder` in a session of its own, its output to the run's log."""
    words = [sys.executable, "-P", "-m", module, str(folder)]
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        flags |= subprocess.BELOW_NORMAL_PRIORITY_CLASS
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(),
            start_new_session=True,
            creationflags=flags,
        )


def _environment() -> dict[str, str]:
    """Ours, without the window's own settings, and so that our packages are found from wherever we run."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("QT_")}
    root = Path(__file__).resolve().parents[2]
    if root.name not in ("site-packages", "dist-packages"):  # a checkout, perhaps only found by its folder
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    return environment


def supervise(folder: Path) -> int:
    """Wait, work, reap. Returns the worker's exit code; 130 where the run was stopped in the queue."""
    run = open_run(folder)
    device = device_of(run.job.schedule.device)
    with in_charge(folder, PREDECESSOR_S), _told_to_end(folder):
        if run.done:
            return DONE
        (folder / "exit.json").unlink(missing_ok=True)
        take_requests(folder)  # what was asked of an earlier worker is void
        (folder / "control" / KILLED).unlink(missing_ok=True)
        status = own_status("queued", device)
        try:
            with in_line(folder, device) as ticket:
                if not _wait(run, ticket, status):
                    return STOPPED
                with awake():
                    code = _work(run, replace(status, state="running", position=0))
                _tidy(run)
                return code
        except (BadInput, RunFailed) as fault:
            _end(run, "failed", Failed(text=str(fault)), text=str(fault))
            return FAILED
        except Exception as fault:
            text = f"its supervisor failed ({type(fault).__name__}: {' '.join(str(fault).split())[:200]})"
            _end(run, "failed", Failed(text=text), text=text)
            raise
        finally:
            (folder / STATUS).unlink(missing_ok=True)


@contextlib.contextmanager
def _told_to_end(folder: Path) -> Iterator[None]:
    """As the machine shuts down, both are told to end: stop safely, and see that through."""

    def on_signal(_: int, __: object) -> None:
        ask(folder, "stop")

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(run: Run, ticket: Ticket, status: Status) -> bool:
    """Until it is the run's turn: True; False where it is stopped before."""
    beat = 0.0
    while ahead := ticket.ahead():
        if time.monotonic() >= beat:
            beat = time.monotonic() + BEAT_S
            write_status(run.folder, replace(status, position=len(ahead), ahead=str(ahead[0])))
        if "stop" in take_requests(run.folder):
            _end(run, "stopped", Asked(request="stop"), Ended(how="stopped"), text="was stopped in the queue")
            return False
        time.sleep(LOOK_S)
    return True


def _work(run: Run, status: Status) -> int:
    """The worker from its start to its end."""
    log = run.folder / "log.txt"
    began = log.stat().st_size if log.exists() else 0
    before = memory = causes.memory()
    worker = _detached("core.commands.worker", run.folder)
    status = replace(status, worker_pid=worker.pid)
    while True:
        write_status(run.folder, status)
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(BEAT_S)
            break
        memory = causes.memory()
    _end_group(worker.pid)
    if not (run.folder / "exit.json").exists():
        said = tail(log, start=began).decode(errors="replace")
        now = causes.memory()
        after = causes.Memory(now.kills, min(memory.free, now.free))
        wanted = (run.folder / "control" / KILLED).exists()
        cause = causes.decode(worker.returncode, said, before, after, wanted)
        facts = {"code": cause.code, "signal": cause.signal, "out_of_memory": cause.out_of_memory}
        _end(run, "died", Failed(text=cause.text), text=cause.text, **facts)
    return worker.returncode


def _tidy(run: Run) -> None:
    """Nothing resumes from a finished run's checkpoints. It stays finished where they cannot go."""
    if os.environ.get(CHECKPOINTS) == "delete" and run.done:
        with contextlib.suppress(BadInput, OSError):
            drop_checkpoints(run.folder)


def _end_group(leader: int) -> None:
    """What a dead worker started dies with it."""
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def _end(run: Run, how: str, *events: AnyEvent, text: str, **facts: object) -> None:
    """Say how the run ended: in exit.json, and in the journal, so that whoever follows it stops waiting."""
    with contextlib.suppress(BadInput, RunFailed), run.locked():
        write_exit(run, how, text, **facts)
        journal = Journal(run.folder)
        for event in events:
            journal.write(event)
        journal.close()


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    try:
        code = supervise(folder)
    except BadInput as fault:
        print(f"error: {fault}", file=sys.stderr, flush=True)
        code = BAD_INPUT
    sys.exit(code if code >= 0 else FAILED)


if __name__ == "__main__":
    main()
