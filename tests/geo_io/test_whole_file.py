"""Whole or not at all, and every refusal of the system in one line."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from geo_io.errors import BadInput, RunFailed
from geo_io.whole_file import require_space, whole, whole_folder, writing


def write(path: Path, text: str) -> None:
    with whole(path) as partial:
        partial.write_text(text)


def test_a_file_is_flushed_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, flushed = tmp_path / "new" / "f.json", []
    write(path, "old")

    def fsync(_: int) -> None:
        flushed.append((path.read_text(), (path.parent / "f.json.partial").read_text()))

    monkeypatch.setattr(os, "fsync", fsync)
    write(path, "new")
    assert flushed == [("old", "new")]
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("fault", [ValueError("no"), KeyboardInterrupt()])
def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, fault: BaseException) -> None:
    path = tmp_path / "f"
    write(path, "old")

    def half() -> None:
        with whole(path, suffix=".gpkg") as partial:
            assert partial.name == "f.partial.gpkg"
            partial.write_text("half")
            raise fault

    with pytest.raises(type(fault)):
        half()
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


def test_what_a_killed_process_left_is_not_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "f.partial").write_text("half")
    with whole(tmp_path / "f") as partial:
        assert not partial.exists()
        partial.write_text("all")
    assert (tmp_path / "f").read_text() == "all"


def test_a_folder_appears_with_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _: flushed.append("file"))
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "folder.partial").mkdir()
    (tmp_path / "folder.partial" / "half").write_text("")
    with whole_folder(folder) as partial:
        (partial / "room").mkdir()
        (partial / "room" / "noSuffix").write_text("1")
        (partial / "f.txt").write_text("2")
        assert list(folder.iterdir()) == []
    assert len(flushed) == 2
    assert sorted(p.name for p in folder.rglob("*")) == ["f.txt", "noSuffix", "room"]
    with pytest.raises(ValueError, match="no"), whole_folder(tmp_path / "other") as partial:
        raise ValueError("no")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


FAULTS = {
    "full": (OSError(errno.ENOSPC, "No space left on device"), RunFailed, "free some disk space"),
    "quota": (OSError(errno.EDQUOT, "Disk quota exceeded"), RunFailed, "free some disk space"),
    "absent": (FileNotFoundError(errno.ENOENT, "No such file"), BadInput, "choose another folder"),
    "folder": (IsADirectoryError(errno.EISDIR, "Is a directory"), BadInput, "choose another folder"),
    "forbidden": (PermissionError(errno.EACCES, "Permission denied"), BadInput, "mend its permissions"),
    "GDAL's": (OSError("write error\nat scanline 3"), BadInput, r"write error at scanline 3"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_refusals_in_words(tmp_path: Path, name: str) -> None:
    fault, kind, said = FAULTS[name]
    with pytest.raises(kind, match=said) as caught, writing(tmp_path / "m.tif"):
        raise fault
    assert str(tmp_path / "m.tif") in str(caught.value)
    assert ("disk space" in str(caught.value)) == (kind is RunFailed)


def test_a_full_disk_is_read_from_the_words_of_a_library(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="free some disk space"), whole(tmp_path / "f"):
        raise RuntimeError("I/O error: No space left on device (os error 28)")


def test_a_full_disk_is_told_from_a_library_that_does_not_say_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(total=2**40, free=4096))
    with pytest.raises(RunFailed, match=r"file write failed.*; free some disk space"), whole(tmp_path / "f"):
        raise RuntimeError("file write failed")
    with pytest.raises(BadInput, match=r"^f: no; no$"), whole(tmp_path / "f"):
        raise BadInput("f", "no", "no")


@pytest.mark.parametrize("below", ["", "sub"])
def test_a_file_where_a_folder_should_be(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="a file is where a folder should be"):
        write(tmp_path / "file" / below / "f.json", "")
    with (
        pytest.raises(BadInput, match="a file is where a folder should be"),
        whole_folder(tmp_path / "file" / below / "f"),
    ):
        pass


def test_a_generator_that_is_closed_leaves_nothing(tmp_path: Path) -> None:
    def slow() -> Iterator[None]:
        with whole(tmp_path / "f") as partial:
            partial.write_text("half")
            yield

    work = slow()
    next(work)
    work.close()  # type: ignore[attr-defined]  # a generator
    assert list(tmp_path.iterdir()) == []


def test_space_is_asked_for_with_both_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10 * 2**20))
    require_space(tmp_path, 10 * 2**20)
    with pytest.raises(RunFailed, match=rf"{tmp_path.name}: has 10 MB free, and 12 MB are needed"):
        require_space(tmp_path, 12 * 2**20)
