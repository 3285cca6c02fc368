"""Following a journal: whole lines, each once, whatever happens to the file meanwhile."""

import math
from pathlib import Path

import pytest

from core.errors import BadInput, RunFailed
from core.events import Ended, Noted, Stepped, Warned
from core.journal import NAME, Journal, Tail, follow, read


def write(folder: Path, *texts: str) -> None:
    journal = Journal(folder)
    for text in texts:
        journal.write(Noted(text=text))
    journal.close()


def texts(tail: Tail, most_bytes: int = 2**18) -> list[str]:
    return [event.text for event in tail.new_events(most_bytes) if isinstance(event, Noted)]


def test_a_tail_waits_for_a_journal_and_gives_each_event_once(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    assert (tail.new_events(), tail.unread_bytes) == ([], 0)
    write(tmp_path, "a", "b")
    assert texts(tail) == ["a", "b"]
    assert texts(tail) == []
    write(tmp_path, "c")
    assert texts(tail) == ["c"]


def test_a_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    write(tmp_path, "a")
    line = (tmp_path / NAME).read_bytes().replace(b'"a"', b'"b"')
    with (tmp_path / NAME).open("ab") as file:
        file.write(line[:9])
        file.flush()
        assert texts(tail) == ["a"]
        file.write(line[9:])
    assert texts(tail) == ["b"]


def test_a_broken_last_line_is_skipped_once_the_next_worker_mended_it(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    write(tmp_path, "a")
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"v":1,"kind":"noted","text":"never fini')
    assert texts(tail) == ["a"]
    write(tmp_path, "b")
    assert texts(tail) == ["b"]


def test_another_journal_in_the_same_place_is_read_from_its_start(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    write(tmp_path, "a", "b", "c")
    texts(tail)
    (tmp_path / NAME).unlink()
    write(tmp_path, "d")
    (event,) = tail.new_events()
    assert isinstance(event, Noted)
    assert (event.text, event.seq) == ("d", 0)


def test_a_long_journal_comes_in_portions_and_a_long_line_whole(tmp_path: Path) -> None:
    tail, journal = Tail(tmp_path), Journal(tmp_path)
    for step in range(200):
        journal.write(Stepped(phase="adapt", step=step, losses={"supervised": 0.5}))
    journal.write(Warned(text="x" * 5000))
    journal.close()
    first = tail.new_events(2000)
    assert 0 < len(first) < 30
    found = first
    while events := tail.new_events(2000):
        found += events
    assert [event.seq for event in found] == list(range(201))
    assert tail.unread_bytes == 0


def test_reading_takes_the_whole_of_a_journal_of_several_chunks(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for step in range(4000):
        journal.write(Stepped(phase="adapt", step=step, losses={"supervised": 0.5}))
    journal.close()
    assert len(list(read(tmp_path))) == 4000


def test_following_goes_on_while_it_is_waited_for(tmp_path: Path) -> None:
    write(tmp_path, "a")
    left = iter([True, True, False])

    def waiting() -> bool:
        write(tmp_path, "more")
        return next(left)

    heard = [event.text for event in follow(tmp_path, waiting, every_s=0) if isinstance(event, Noted)]
    assert heard == ["a", "more", "more", "more"], "what was written last is read too"


def test_following_waits_for_a_journal_and_goes_on_after_an_end(tmp_path: Path) -> None:
    """A run in the queue has none yet, and one that was stopped is resumed."""
    coming = iter([Noted(text="a"), Ended(how="stopped"), Noted(text="b")])

    def waiting() -> bool:
        journal, event = Journal(tmp_path), next(coming, None)
        if event:
            journal.write(event)
        journal.close()
        return event is not None

    assert [event.kind for event in follow(tmp_path, waiting, every_s=0)] == ["noted", "ended", "noted"]


def test_a_folder_without_a_journal_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no journal of a run"):
        list(read(tmp_path))


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_read_as_it_was(tmp_path: Path, loss: float) -> None:
    journal = Journal(tmp_path)
    journal.write(Stepped(phase="adapt", step=1, losses={"supervised": loss}))
    journal.close()
    (event,) = read(tmp_path)
    assert isinstance(event, Stepped)
    assert event.losses["supervised"] == pytest.approx(loss, nan_ok=True)


def test_a_journal_on_a_full_disk_is_closed_without_another_word(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal._file.close()
    journal._file = open("/dev/full", "ab")  # noqa: SIM115, PTH123  # closed below
    with pytest.raises(RunFailed, match="free some disk space"):
        journal.write(Noted(text="a"))
    journal.close()
