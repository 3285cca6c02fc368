"""Runs in the background, with real processes: what outlives what, and who says why something died."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from background import log_of, nothing_left, strike, wait_for, wait_for_checkpoint, wait_until, worker_of
from small_job import draw
from typer.testing import CliRunner

from core.cli import app
from core.errors import BadInput, RunFailed
from core.files import read_json
from core.journal import read
from core.runs import supervise
from core.runs.charge import in_charge, is_supervised, read_status
from core.runs.run import Run, ask, create, open_run, write_exit
from core.runs.run_queue import in_line
from core.runs.run_state import kill, state_of
from core.runs.supervise import launch
from core.variants import plan

ROOT = Path(__file__).parents[3]
LONG = {"schedule.steps": 400, "schedule.checkpoint_every": 5, "schedule.threads": 1}


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A queue of the test's own; no process stays."""
    monkeypatch.setenv("ISTHMUS_QUEUE", str(tmp_path / "queue"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with nothing_left(tmp_path):
        yield


@pytest.fixture
def job(tmp_path: Path) -> Path:
    return draw(tmp_path / "place", LONG)


def run_in(job: Path, name: str, **settings: object) -> Run:
    planned = plan(job, {key.replace("__", "."): value for key, value in settings.items()})
    return create(planned.job, job.parent / "runs" / name)


def weights(run: Run) -> bytes:
    return (run.phase("source-only") / "weights.safetensors").read_bytes()


def test_a_run_outlives_the_window_that_launched_it(job: Path, tmp_path: Path) -> None:
    """Started where the user has a `core` folder of his own, by a process whose whole group is killed."""
    (tmp_path / "mine" / "core").mkdir(parents=True)
    (tmp_path / "mine" / "core" / "__init__.py").write_text("raise SystemExit('not this one')")
    run = run_in(job, "run", schedule__steps=60)
    code = (
        f"import os, time; os.environ['QT_SCALE_FACTOR'] = '2'\n"
        f"from pathlib import Path\nfrom core.runs.supervise import launch\n"
        f"launch(Path({str(run.folder)!r})); print('launched', flush=True); time.sleep(600)"
    )
    command, where = [sys.executable, "-P", "-c", code], tmp_path / "mine"
    paths = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=where, env=paths, stdout=subprocess.PIPE, start_new_session=True
    ) as window:
        try:
            assert window.stdout is not None
            assert window.stdout.readline() == b"launched\n"
            wait_for(run.folder, ("running",))
            environment = Path(f"/proc/{worker_of(run.folder)}/environ")
            if environment.exists():
                assert b"QT_SCALE_FACTOR" not in environment.read_bytes()
            assert os.getpriority(os.PRIO_PROCESS, worker_of(run.folder)) >= 10
        finally:
            os.killpg(window.pid, signal.SIGKILL)
    wait_for(run.folder, ("done",))
    assert (run.maps / "target.class.tif").exists()
    wait_until(lambda: not (run.folder / "status.json").exists(), "its supervisor has gone")


def test_a_killed_worker_is_reported_and_the_run_resumes_to_equal_weights(job: Path) -> None:
    straight, run = (run_in(job, name, schedule__steps=40) for name in ("straight", "killed"))
    launch(straight.folder)
    wait_for(straight.folder, ("done",))
    launch(run.folder)
    wait_for_checkpoint(run.folder)
    strike(worker_of(run.folder))
    state = wait_for(run.folder, ("died",))
    assert "killed from outside (SIGKILL)" in state.sentence
    assert "resume" in state.remedy
    assert state.can_start
    assert not state.alive
    exit_ = read_json(run.folder / "exit.json")
    assert (exit_["how"], exit_["signal"], exit_["code"]) == ("died", "SIGKILL", -9)
    assert exit_["out_of_memory"] is False
    assert [event.kind for event in read(run.folder)][-1] == "failed"
    launch(run.folder)
    assert state_of(run.folder).alive
    wait_for(run.folder, ("done",))
    assert "resumed" in [event.kind for event in read(run.folder)]
    assert weights(run) == weights(straight)


def test_a_killed_supervisor_leaves_the_worker_to_end_by_itself(job: Path) -> None:
    run, other = run_in(job, "run"), run_in(job, "other")
    launch(run.folder)
    wait_for_checkpoint(run.folder)
    status = read_status(run.folder)
    assert status is not None
    strike(status.pid)
    wait_until(lambda: not is_supervised(run.folder), "it is dead")
    assert state_of(run.folder).status == "running"
    with pytest.raises(BadInput, match="another worker"):
        launch(run.folder)
    launch(other.folder)
    assert wait_for(other.folder, ("queued",)).position == 1, "the worker still has the device"
    ask(run.folder, "stop")
    wait_for(run.folder, ("stopped",))
    wait_for(other.folder, ("starting", "running"))
    kill(other.folder)
    assert not state_of(other.folder).alive


def test_supervisor_and_worker_both_killed_read_as_lost_and_hold_up_nobody(job: Path) -> None:
    run, next_ = run_in(job, "run"), run_in(job, "next", schedule__steps=1)
    launch(run.folder)
    wait_for(run.folder, ("running",))
    status = read_status(run.folder)
    assert status is not None
    strike(status.pid)
    strike(worker_of(run.folder))
    assert wait_for(run.folder, ("lost",)).can_start
    launch(next_.folder)
    wait_for(next_.folder, ("done",))


def test_runs_wait_for_the_device_in_order_and_may_leave_the_queue(job: Path) -> None:
    """A run in the foreground has the device; three wait, the second leaves."""
    first, second, third, fourth = (run_in(job, name, schedule__steps=1) for name in "abcd")
    with in_charge(first.folder), in_line(first.folder, "cpu", at_once=True):
        for place, run in enumerate((second, third, fourth), 1):
            launch(run.folder)
            assert wait_for(run.folder, ("starting", "queued"))
            wait_until(
                lambda place=place, run=run: state_of(run.folder).position == place, f"{run} is in line"
            )
        assert not state_of(third.folder).can_kill
        assert "3 runs before it on cpu" in state_of(fourth.folder).sentence
        with pytest.raises(BadInput, match="is in the queue already"):
            launch(third.folder)
        with pytest.raises(BadInput, match="is in the queue already"), in_charge(third.folder):
            pass
        ask(third.folder, "stop")
        assert "in the queue" in wait_for(third.folder, ("stopped",)).sentence
        assert [event.kind for event in read(third.folder)] == ["asked", "ended"]
        wait_until(lambda: state_of(fourth.folder).position == 2, "the last one has moved up")
    wait_for(fourth.folder, ("done",))
    ended = [event.time for event in read(second.folder)][-1]
    assert ended <= next(iter(read(fourth.folder))).time
    assert state_of(second.folder).status == "done"


def test_what_is_asked_while_the_worker_starts_is_heard(job: Path) -> None:
    """The library that trains takes seconds to load: a stop must not get lost in them."""
    run = run_in(job, "run")
    launch(run.folder)
    wait_until(lambda: (status := read_status(run.folder)) and status.worker_pid, "there is a worker")
    ask(run.folder, "stop")
    assert state_of(run.folder).status == "stopping"
    wait_for(run.folder, ("stopped",))
    assert not list(run.folder.glob("phases/*/weights.safetensors"))


def test_a_kill_on_request_is_called_one(job: Path) -> None:
    run = run_in(job, "run")
    launch(run.folder)
    wait_for_checkpoint(run.folder)
    worker = worker_of(run.folder)
    os.kill(worker, signal.SIGSTOP)  # as if it hung: nothing polite reaches it
    assert state_of(run.folder).can_kill
    kill(run.folder)
    assert "killed on request" in wait_for(run.folder, ("died",)).sentence
    with pytest.raises(BadInput, match="no worker to kill"):
        kill(run.folder)


def test_a_full_disk_of_tickets_is_told_by_the_supervisor(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise RunFailed("queue: could not be written; free some disk space")

    run = run_in(job, "run")
    monkeypatch.setattr(supervise, "in_line", full)
    assert supervise.supervise(run.folder) == 1
    state = state_of(run.folder)
    assert (state.status, state.sentence[:6]) == ("failed", "queue:")
    assert [event.kind for event in read(run.folder)] == ["failed"]


@pytest.mark.parametrize(
    ("wanted", "how", "stays"),
    [("delete", "done", False), ("keep", "done", True), (None, "done", True), ("delete", "stopped", True)],
)
def test_checkpoints_of_a_finished_run_go_where_whoever_launched_it_wants_that(
    job: Path, monkeypatch: pytest.MonkeyPatch, wanted: str | None, how: str, stays: bool
) -> None:
    def work(run: Run, _: object) -> int:
        run.checkpoints.mkdir()
        (run.checkpoints / "1.pt").touch()
        write_exit(run, how)
        return 0

    run = run_in(job, "run")
    if wanted:
        monkeypatch.setenv(supervise.CHECKPOINTS, wanted)
    monkeypatch.setattr(supervise, "_work", work)
    assert supervise.supervise(run.folder) == 0
    assert run.checkpoints.exists() == stays
    assert state_of(run.folder).status == how


def test_bad_input_is_told_by_the_worker_itself(job: Path) -> None:
    run = run_in(job, "run")
    (job.parent / "source.tif").write_bytes(b"no image")
    launch(run.folder)
    state = wait_for(run.folder, ("failed",))
    assert "source.tif" in state.sentence


def test_a_worker_that_cannot_even_begin_is_reported(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_in(job, "run")
    broken = job.parent / "broken"
    broken.mkdir()
    (broken / "torch.py").write_text("raise ImportError('libcudart is missing')")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    launch(run.folder)
    state = wait_for(run.folder, ("died",))
    assert "libcudart is missing" in state.sentence
    assert "libcudart" in log_of(run.folder)


def test_start_refuses_what_runs_or_is_finished(job: Path) -> None:
    result = CliRunner().invoke(app, ["start", str(job), "--set", "schedule.steps=1"])
    assert result.exit_code == 0, result.stderr
    folder = Path(result.output.strip())
    again = CliRunner().invoke(app, ["start", str(folder)])
    assert (again.exit_code, again.stderr.count("\n")) == (2, 1)
    wait_for(folder, ("done",))
    finished = CliRunner().invoke(app, ["start", str(folder)])
    assert finished.exit_code == 2
    assert "is finished" in finished.stderr
    listed = CliRunner().invoke(app, ["runs", str(folder.parent)]).output
    assert listed == f"done     {folder}: is finished\n"
    assert open_run(folder).done
