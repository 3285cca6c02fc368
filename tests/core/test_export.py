"""Exported maps: byte for byte, with their side-cars, whole or not at all."""

from pathlib import Path

import pytest
from small_job import draw

from core import export as module
from core.errors import BadInput
from core.export import export, parts_made
from core.job import load_job
from core.map_files import CLASS_SUFFIX, CONFIDENCE_SUFFIX
from core.run import Run, create


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of one scene, `target`, with maps by both models (of some bytes: nothing here reads them)."""
    made = create(load_job(draw(tmp_path)), tmp_path / "run")
    for room in ("", "source-only"):
        (made.maps / room).mkdir(parents=True, exist_ok=True)
        for suffix in (CLASS_SUFFIX, CONFIDENCE_SUFFIX, CLASS_SUFFIX + ".aux.xml"):
            (made.maps / room / f"target{suffix}").write_bytes(f"{room}{suffix}".encode() * 100)
    return made


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_maps_are_copied_with_their_sidecars(run: Run, tmp_path: Path) -> None:
    events = list(export(run.folder, tmp_path / "out"))
    wanted = ["target.class.tif", "target.class.tif.aux.xml", "target.confidence.tif"]
    assert names(tmp_path / "out") == wanted
    for name in wanted:
        assert (tmp_path / "out" / name).read_bytes() == (run.maps / name).read_bytes()
    assert events[-1].done == events[-1].total == sum((run.maps / name).stat().st_size for name in wanted)


def test_one_part_of_one_model(run: Run, tmp_path: Path) -> None:
    list(export(run.folder, tmp_path / "out", "source-only", ["target"], ["confidence"]))
    (path,) = (tmp_path / "out").iterdir()
    assert path.read_bytes() == (run.maps / "source-only" / path.name).read_bytes()


def test_a_sidecar_of_an_earlier_map_does_not_stay_beside_the_new_one(run: Run, tmp_path: Path) -> None:
    list(export(run.folder, tmp_path / "out"))
    for path in run.maps.rglob("*.aux.xml"):
        path.unlink()
    list(export(run.folder, tmp_path / "out"))
    assert names(tmp_path / "out") == ["target.class.tif", "target.confidence.tif"]


def test_cancelling_leaves_no_half_written_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK_BYTES", 16)
    copying = export(run.folder, tmp_path / "out")
    for event in copying:
        if "aux.xml" not in event.what:
            break
    copying.close()  # type: ignore[attr-defined]  # export is a generator
    assert names(tmp_path / "out") == ["target.class.tif.aux.xml"]


def test_what_cannot_be_exported_is_said_before_anything_is_copied(run: Run, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="it has: target"):
        next(export(run.folder, tmp_path / "out", scenes=["elsewhere"]))
    assert parts_made(run.folder, "chosen") == ["class", "confidence"]
    (run.maps / "target.confidence.tif").unlink()
    assert parts_made(run.folder, "chosen") == ["class"]
    with pytest.raises(BadInput, match=r"confidence\.tif: is not there"):
        next(export(run.folder, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    with pytest.raises(BadInput, match="where the run keeps its maps"):
        next(export(run.folder, run.maps, parts=["class"]))
