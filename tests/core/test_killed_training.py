"""`kill -9` at random moments of a training, and two devices: real processes."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from engines import assert_equal_weights, draw, job_for, run_for, weights, work

from core.runs.run import Run, open_run

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}


def start(run: Run) -> subprocess.Popen[bytes]:
    code = (
        f"from core.cli import main; import sys; sys.argv = ['isthmus', 'run', {str(run.folder)!r}]; main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL
    )


def test_a_training_killed_at_random_moments_ends_with_equal_weights(tmp_path: Path) -> None:
    draw(tmp_path)
    job = job_for(tmp_path, "combined", schedule={"steps": 60, "checkpoint_every": 3})
    straight, killed = run_for(job, tmp_path / "straight"), run_for(job, tmp_path / "killed")
    work(straight)
    moments = random.Random(0)
    for _ in range(2):
        worker = start(killed)
        wait_for_progress(killed, worker, moments.uniform(0.1, 1.0))
        worker.kill()
        worker.wait()
    assert not killed.done, "it must have been killed, not finished"
    assert start(killed).wait() == 0
    for stage in ("source-only", "adapted"):
        assert_equal_weights(weights(straight, stage), weights(killed, stage))


def wait_for_progress(run: Run, worker: subprocess.Popen[bytes], beyond_s: float) -> None:
    """Until one more checkpoint is there, and some time more."""
    known = set(run.checkpoints.glob("*.pt"))
    while set(run.checkpoints.glob("*.pt")) <= known and worker.poll() is None:
        time.sleep(0.02)
    time.sleep(beyond_s)


@pytest.mark.parametrize(("method", "request_"), [("combined", ""), ("combined", "stop"), ("bdl", "")])
def test_two_devices_hold_equal_weights_and_hear_a_stop(tmp_path: Path, method: str, request_: str) -> None:
    """In BDL the first labels the target, and the second waits for it."""
    draw(tmp_path)
    run = run_for(job_for(tmp_path, method, schedule={"steps": 20, "checkpoint_every": 4}), tmp_path / "run")
    port = 20_000 + random.Random(str(tmp_path)).randrange(20_000)
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", f"--master-port={port}",
        str(ROOT / "tests" / "two_ranks.py"), str(run.folder), request_,
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False
    )
    if request_ == "stop":
        assert "rank 0 stopped" in done.stdout, done.stderr
        assert "rank 1 stopped" in done.stdout, done.stderr
        assert list(run.checkpoints.glob("*.pt"))
        assert not open_run(run.folder).done
        return
    assert done.returncode == 0, done.stderr
    digests = [line.split()[-1] for line in done.stdout.splitlines() if line.startswith("rank ")]
    assert len(digests) == 2
    assert digests[0] == digests[1]
