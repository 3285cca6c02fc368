"""Sleep is held off by a helper that must end with whoever asked for it, whatever ends that."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.runs.awake import awake

ROOT = Path(__file__).parents[3]
HELPER = """#!/bin/sh
echo "$@" > {folder}/begun
while [ "$1" != cat ]; do shift; done
"$@"
echo > {folder}/over
"""
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows needs no helper")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a `systemd-inhibit` that leaves a file when it begins and one when it ends."""
    helper = tmp_path / "systemd-inhibit"
    helper.write_text(HELPER.format(folder=tmp_path))
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"waited in vain for {path.name}"
        time.sleep(0.02)


def test_sleep_is_held_off_within_the_block_only(folder: Path) -> None:
    with awake():
        wait_for(folder / "begun")
        assert not (folder / "over").exists()
    wait_for(folder / "over")
    assert "--what=idle:sleep" in (folder / "begun").read_text()


def test_a_killed_holder_lets_the_machine_sleep(folder: Path) -> None:
    code = "import time\nfrom core.runs.awake import awake\nwith awake(): time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as holder:
        try:
            wait_for(folder / "begun")
        finally:
            holder.send_signal(signal.SIGKILL)
    wait_for(folder / "over")


def test_without_a_helper_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with awake():
        pass
