"""Who is first in line, when several tickets were taken and some of their holders died."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from core.runs import run_queue
from core.runs.charge import in_charge
from core.runs.run_queue import FIRST, Ticket, device_of, in_line, line_folder


@pytest.fixture(autouse=True)
def _own_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISTHMUS_QUEUE", str(tmp_path / "queue"))


@contextmanager
def waiting(folder: Path, device: str = "cpu", at_once: bool = False) -> Iterator[Ticket]:
    folder.mkdir(exist_ok=True)
    with in_charge(folder), in_line(folder, device, at_once) as ticket:
        yield ticket


def test_first_come_first_served_on_each_device(tmp_path: Path) -> None:
    a, b, c, other = (tmp_path / name for name in ("a", "b", "c", "other"))
    with waiting(b) as second, waiting(other, "cuda:0") as elsewhere, waiting(c) as third:
        assert (second.ahead(), elsewhere.ahead(), third.ahead()) == ([], [], [b])
        with waiting(a, at_once=True) as first:
            assert (first.ahead(), second.ahead(), third.ahead()) == ([], [a], [b, a])
        assert third.ahead() == [b]
    assert not list(line_folder().glob("*.ticket"))


def test_the_ticket_of_a_dead_holder_counts_no_more(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    with ExitStack() as died, waiting(b) as mine:
        with waiting(a, at_once=True):
            died.enter_context(in_charge(b.parent))  # something unrelated
            left = next(path for path in line_folder().glob("*.ticket") if path != mine.path)
            content = left.read_text()
        left.write_text(content)
        assert mine.ahead() == []
        assert not left.exists()


def test_a_run_does_not_wait_for_a_ticket_of_its_own(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    with waiting(a):
        left = next(line_folder().glob("*.ticket"))
        content = left.read_text()
    left.write_text(content)
    with waiting(b) as behind:
        left.with_stem(str(FIRST)).write_text(content)
        with waiting(a) as again:
            assert again.ahead() == [b]
            assert behind.ahead() == []


def test_broken_tickets_are_nobodys(tmp_path: Path) -> None:
    (line_folder() / "5.ticket").write_text("{")
    with waiting(tmp_path / "a") as ticket:
        assert ticket.ahead() == []


@pytest.mark.parametrize(
    ("wanted", "visible", "nvidia", "expected"),
    [
        ("cpu", None, True, "cpu"),
        ("cuda", None, True, "cuda:0"),
        ("cuda:1", None, True, "cuda:1"),
        ("cuda:1", "4,6", True, "cuda:6"),
        ("auto", None, True, "cuda:0"),
        ("auto", "3", True, "cuda:3"),
        ("auto", None, False, "cpu"),
    ],
)
def test_runs_that_share_a_device_share_its_name(
    wanted: str, visible: str | None, nvidia: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(run_queue, "_has_nvidia", lambda: nvidia)
    monkeypatch.setattr(run_queue, "_is_apple", lambda: False)
    assert device_of(wanted) == expected


def test_no_visible_gpu_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.setattr(run_queue, "_is_apple", lambda: False)
    assert device_of("auto") == "cpu"
