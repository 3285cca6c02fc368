"""Why a worker died, from what it leaves."""

import sys
from pathlib import Path

import pytest

from core.runs import causes
from core.runs.causes import Memory, decode

PLENTY, SHORT = Memory(2, 0.6), Memory(2, 0.01)


@pytest.mark.parametrize(
    ("code", "said", "after", "expected", "out_of_memory"),
    [
        (-9, "", PLENTY, "killed from outside (SIGKILL)", False),
        (-9, "", SHORT, "probably because memory ran out (1% of it was free)", True),
        (-9, "", Memory(3, 0.6), "the system killed the worker, for memory had run out", True),
        (-11, "Fatal Python error: Segmentation fault", PLENTY, "(segmentation fault)", False),
        (-7, "", PLENTY, "bus error", False),
        (-4, "", PLENTY, "install a torch build", False),
        (-15, "", PLENTY, "was told to end (SIGTERM)", False),
        (-6, "terminate called after throwing c10::Error\n  CUDA error: an illegal memory access was "
         "encountered\nmore", PLENTY, "the GPU failed (CUDA error: an illegal memory access was encountered)",
         False),
        (1, "torch.OutOfMemoryError: CUDA out of memory. Tried", PLENTY, "ran out of the GPU's memory", True),
        (1, "Traceback\nMemoryError\n", PLENTY, "ran out of memory; lower sampling.batch", True),
        (-6, "terminate called: std::bad_alloc", PLENTY, "ran out of memory", True),
        (1, "Traceback\nImportError: libfoo\n\n", PLENTY, "code 1, saying 'ImportError: libfoo'", False),
        (2, "error: job: is odd; mend it", PLENTY, "code 2, saying 'job: is odd; mend it'", False),
        (0, "", PLENTY, "ended with exit code 0; resume", False),
        (0xC0000005, "", PLENTY, "access violation", False),
        (0xC0000017, "", PLENTY, "ran out of memory", True),
    ],
)  # fmt: skip
def test_the_cause_is_decoded(
    code: int, said: str, after: Memory, expected: str, out_of_memory: bool
) -> None:
    cause = decode(code, said, PLENTY, after)
    assert expected in cause.text
    assert "; " in cause.text, "a remedy follows"
    assert "\n" not in cause.text
    assert cause.out_of_memory is out_of_memory
    assert cause.code == code


def test_a_wanted_kill_is_no_riddle() -> None:
    assert "on request" in decode(-9, "CUDA error: x", PLENTY, SHORT, wanted=True).text
    assert "on request" not in decode(1, "", PLENTY, PLENTY, wanted=True).text


def test_memory_of_this_machine_is_read() -> None:
    now = causes.memory()
    assert 0 < now.free <= 1
    assert now.kills >= 0


@pytest.mark.skipif(sys.platform != "linux", reason="memory groups are Linux's")
def test_memory_is_that_of_the_group_that_limits_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "memory.max": "1000",
        "memory.current": "990",
        "memory.stat": "active_file 10\ninactive_file 5\n",
        "memory.events": "low 0\noom 4\noom_kill 3\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    before = causes.memory()
    monkeypatch.setattr(causes, "_groups", lambda: [tmp_path])
    now = causes.memory()
    assert now.free == pytest.approx(0.025)
    assert now.kills == before.kills + 3
    (tmp_path / "memory.max").write_text("max")
    assert causes.memory().free > 0.025
