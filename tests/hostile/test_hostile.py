"""Whatever is thrown at the command line: one line that names culprit and remedy, and nothing left behind."""

import errno
import os
import pickle
from pathlib import Path

import pytest
from hostile.corpus import CASES, DONE, Case
from small_job import draw
from typer.testing import CliRunner, Result

from core.cli import app
from core.files import write_json
from core.job import load_job
from core.prepare import prepare
from core.runs.run import create


def files(folder: Path) -> dict[str, int]:
    """Everything in a folder; the size of files, -1 of folders."""
    return {str(path): path.stat().st_size if path.is_file() else -1 for path in folder.rglob("*")}


def answer(words: list[object]) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def assert_one_line(result: Result, code: int, said: tuple[str, ...]) -> None:
    assert result.exit_code == code, result.output
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1, result.stderr
    assert "Traceback" not in result.output
    assert "unexpected" not in result.stderr
    for text in said:
        assert text in result.stderr, result.stderr


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_hostile(case: Case, tmp_path: Path) -> None:
    draw(tmp_path)
    words = case.spoil(tmp_path)
    before = files(tmp_path)
    result = answer(words)
    if case.code == DONE:
        assert (result.exit_code, result.stderr) == (DONE, ""), result.output
        assert all(text in result.stdout for text in case.said), result.stdout
    else:
        assert_one_line(result, case.code, case.said)
    assert files(tmp_path) == before


def test_there_are_forty() -> None:
    assert len(CASES) >= 40


def test_a_full_disk_is_named_and_leaves_no_partial_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    job = draw(tmp_path)
    before = files(tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    result = answer(["run", job])
    assert_one_line(result, 1, ("record.json", "No space left on device", "free some disk space"))
    assert files(tmp_path) == before


WEIGHTS = {"no bytes": b"", "a pickle": pickle.dumps({"body.conv1.weight": [1.0] * 100})}


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_model_that_is_none_makes_no_map(name: str, tmp_path: Path) -> None:
    job = draw(tmp_path)
    run = create(load_job(job), tmp_path / "run")
    write_json(run.folder / "verdict.json", {"chosen": "source-only"})
    run.phase("source-only").mkdir(parents=True)
    list(prepare(run.job, run.folder / "cache"))
    (run.phase("source-only") / "weights.safetensors").write_bytes(WEIGHTS[name])
    before = files(tmp_path)
    result = answer(["predict", run.folder, tmp_path / "target.tif", "--to", tmp_path / "maps"])
    assert_one_line(result, 2, ("weights.safetensors", "only safetensors files are read"))
    assert files(tmp_path) == before
