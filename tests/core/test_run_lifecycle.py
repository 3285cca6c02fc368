"""Stop, pause, resume, damage: what a run's folder survives."""

import math
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import rasterio
from engines import assert_equal_weights, draw, job_for, run_for, weights, work

from core.errors import BadInput, RunFailed, Stopped
from core.events import AnyEvent, Paused, Phased, Resumed, Stepped, Warned
from core.execution.execute import execute
from core.files import read_json
from core.journal import read
from core.judging import verdict
from core.judging.comparison import read_outcome
from core.progress import Progress
from core.runs.run import Run, ask, create, open_run, run_id

pytestmark = pytest.mark.usefixtures("few_crops")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw(tmp_path)
    return tmp_path


def source_only_run(folder: Path, name: str = "run", **schedule: object) -> Run:
    return run_for(job_for(folder, "source_only", schedule=schedule), folder / name)


def ask_after_first_step(run: Run, request: str) -> list[AnyEvent]:
    """Work, asking once the first step is done; the listener hears it within a second."""
    seen: list[AnyEvent] = []
    for event in execute(run):
        if isinstance(event, Stepped) and not any(isinstance(e, Stepped) for e in seen):
            ask(run.folder, request)  # type: ignore[arg-type]  # parametrised
            deadline = time.monotonic() + 5
            while not any(e.kind == "asked" for e in read(run.folder)) and time.monotonic() < deadline:
                time.sleep(0.05)
        seen.append(event)
    return seen


def test_a_stopped_run_saves_says_so_and_resumes_to_equal_weights(folder: Path) -> None:
    straight, run = source_only_run(folder, "straight"), source_only_run(folder, checkpoint_every=1000)
    work(straight)
    with pytest.raises(Stopped):
        ask_after_first_step(run, "stop")
    kinds = [event.kind for event in read(run.folder)]
    assert kinds[-1] == "ended"
    assert "saved" in kinds
    assert read_json(run.folder / "exit.json")["how"] == "stopped"
    events = work(open_run(run.folder))
    assert any(isinstance(event, Resumed) and event.step > 0 for event in events)
    assert_equal_weights(weights(straight, "source-only"), weights(run, "source-only"))


def test_a_paused_run_waits_until_it_may_go_on(folder: Path) -> None:
    run = source_only_run(folder)

    def release() -> None:
        while not any(isinstance(event, Paused) for event in read(run.folder)):
            time.sleep(0.05)
        ask(run.folder, "resume")

    helper = threading.Thread(target=release)
    seen = []
    for event in execute(run):
        if event.kind == "started":
            helper.start()
            ask(run.folder, "pause")
        seen.append(event.kind)
    helper.join()
    assert seen.index("paused") < seen.index("resumed")
    assert seen[-1] == "ended"


def test_a_damaged_checkpoint_falls_back_to_the_one_before_it(folder: Path) -> None:
    straight, run = source_only_run(folder, "straight"), source_only_run(folder)
    work(straight)
    saved = 0
    worker = execute(run)
    for event in worker:
        saved += event.kind == "saved"
        if saved == 2:
            break
    worker.close()  # type: ignore[attr-defined]  # execute is a generator
    newest = max(run.checkpoints.glob("*.pt"))
    newest.write_bytes(b"")
    events = work(open_run(run.folder))
    assert any(isinstance(event, Warned) and newest.name in event.text for event in events)
    assert_equal_weights(weights(straight, "source-only"), weights(run, "source-only"))


def test_another_thread_count_on_resume_is_warned_of(folder: Path) -> None:
    run = source_only_run(folder)
    worker = execute(run)
    for event in worker:
        if event.kind == "saved":
            break
    worker.close()  # type: ignore[attr-defined]  # execute is a generator
    text = (run.folder / "job.yaml").read_text()
    (run.folder / "job.yaml").write_text(text.replace("threads: 1", "threads: 2"))
    warned = [event.text for event in work(open_run(run.folder)) if isinstance(event, Warned)]
    assert any("1 CPU threads and resumes with 2" in text for text in warned)


def test_one_worker_at_a_time(folder: Path) -> None:
    run = source_only_run(folder)
    worker = execute(run)
    next(worker)
    with pytest.raises(BadInput, match="another worker"):
        next(execute(run))
    worker.close()  # type: ignore[attr-defined]  # execute is a generator


def test_an_input_that_changed_is_refused(folder: Path) -> None:
    run = source_only_run(folder)
    draw(folder, under_nodata=77)
    with pytest.raises(BadInput, match=r"source\.tif.*has changed"):
        work(run)


def test_a_side_car_that_changed_is_refused(folder: Path) -> None:
    run = source_only_run(folder)
    nodata = '<PAMDataset><PAMRasterBand band="1"><NoDataValue>7</NoDataValue></PAMRasterBand></PAMDataset>'
    (folder / "source.tif.aux.xml").write_text(nodata)
    with pytest.raises(BadInput, match=r"source\.tif.*has changed"):
        work(run)


def test_a_folder_in_use_is_refused(folder: Path) -> None:
    run = source_only_run(folder)
    with pytest.raises(BadInput, match="not empty"):
        create(run.job, run.folder)


def test_a_candidate_from_another_run_is_taken_over_and_must_fit(folder: Path) -> None:
    first = source_only_run(folder, "first")
    work(first)
    job = job_for(folder, "combined", candidate=str(first.folder))
    events = work(run_for(job, folder / "second"))
    stepped = {event.phase for event in events if isinstance(event, Stepped)}
    assert stepped == {"adapt"}, "the candidate and the warm start are not trained again"
    assert_equal_weights(weights(first, "source-only"), weights(open_run(folder / "second"), "source-only"))
    other = run_for(job.model_copy(update={"seed": 4}), folder / "third")
    with pytest.raises(BadInput, match="seed"):
        work(other)
    assert not (other.folder / "cache").exists(), "said before anything is read"


def test_a_candidate_that_learnt_other_labels_is_refused_and_check_labels_are_no_labels(folder: Path) -> None:
    first = source_only_run(folder, "first")
    work(first)
    job = job_for(folder, "combined", candidate=str(first.folder))
    touch(folder / "target-labels.tif")
    work(run_for(job, folder / "second"))
    touch(folder / "source-labels.tif")
    with pytest.raises(BadInput, match=r"first: learnt before source-labels\.tif changed; leave"):
        work(run_for(job, folder / "third"))


def touch(labels: Path) -> None:
    """Draw a pixel of another class."""
    with rasterio.open(labels, "r+") as file:
        file.write(1 - file.read(1, window=((0, 1), (0, 1))) % 2, 1, window=((0, 1), (0, 1)))


def test_training_that_diverges_ends_with_a_sentence(folder: Path) -> None:
    run = source_only_run(folder, lr=1e30, steps=20)
    with pytest.raises(RunFailed, match=r"diverged: the loss 'supervised' is nan at step \d+ of .*lr"):
        work(run)
    last = [event for event in read(run.folder) if isinstance(event, Stepped)][-1]
    assert math.isnan(last.losses["supervised"])


def test_the_map_of_the_chosen_model_is_made_where_the_methods_is_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = verdict.choose
    monkeypatch.setattr(verdict, "choose", lambda *seen: replace(choose(*seen), chosen="source-only"))
    run = run_for(job_for(folder, "adabn", predict={"models": "method"}), folder / "run")
    work(run)
    outcome = read_outcome(run.folder)
    assert outcome.verdict["chosen"] == "source-only"
    assert outcome.stems == ["target"]
    assert outcome.models("target") == ["source-only", "adapted"]


def test_a_candidate_may_have_mapped_other_scenes(folder: Path) -> None:
    first = source_only_run(folder, "first")
    work(first)
    job = job_for(folder, "combined", candidate=str(first.folder))
    scenes = [scene.model_copy(update={"map": False, "labels": None}) for scene in job.target.scenes]
    target = job.target.model_copy(update={"scenes": scenes})
    events = work(run_for(job.model_copy(update={"target": target}), folder / "second"))
    assert {event.phase for event in events if isinstance(event, Stepped)} == {"adapt"}


@pytest.mark.parametrize(
    ("part", "setting", "one", "other"),
    [
        ("schedule", "evaluate_every", 0, 2),
        ("schedule", "checkpoint_every", 200, 3),
        ("sampling", "loader_threads", None, 2),
    ],
)
def test_what_only_sets_the_pace_neither_names_another_result_nor_parts_candidates(
    folder: Path, part: str, setting: str, one: int | None, other: int
) -> None:
    first = run_for(job_for(folder, "source_only", **{part: {setting: one}}), folder / "first")
    work(first)
    job = job_for(folder, "combined", candidate=str(first.folder), **{part: {setting: other}})
    assert run_id(job, {}) == run_id(job_for(folder, "combined", **{part: {setting: one}}), {})
    events = work(run_for(job, folder / "second"))
    assert {event.phase for event in events if isinstance(event, Stepped)} == {"adapt"}


def test_a_warm_start_taken_from_the_candidate_equals_one_that_was_trained(folder: Path) -> None:
    run = run_for(job_for(folder, "combined"), folder / "run")
    work(run)
    alone = run_for(job_for(folder, "combined"), folder / "alone")
    begun = 0
    for event in execute(alone):
        begun += isinstance(event, Phased) and event.phase == "source"
        if isinstance(event, Stepped) and event.phase == "source" and event.step == 4:
            # The candidate is trained: take away what the method would start from.
            (alone.folder / "phases/source-only/snapshot/00000002.pt").unlink()
    assert begun == 2, "the candidate's and its own"
    assert_equal_weights(weights(run, "adapted"), weights(alone, "adapted"))


def test_progress_is_the_fold_of_the_journal(folder: Path) -> None:
    run = run_for(job_for(folder, "combined"), folder / "run")
    live = Progress()
    for event in execute(run):
        live.fold(event)
    replayed = Progress()
    for event in read(run.folder):
        replayed.fold(event)
    assert live == replayed
    assert replayed.status == "done"
    assert replayed.steps_done == replayed.steps_total == 6, "4 of the candidate, 2 adapting"
    assert set(replayed.scores) >= {"source-only", "adapted", "verdict", "adapted map"}


def test_the_verdict_and_the_scores_are_in_the_folder_and_the_maps_name_their_run(folder: Path) -> None:
    run = run_for(job_for(folder, "combined"), folder / "run")
    work(run)
    verdict = read_json(run.folder / "verdict.json")
    assert verdict["chosen"] in ("source-only", "adapted")
    assert verdict["reasons"]
    assert set(read_json(run.folder / "scores.json")) == {"source-only", "adapted"}
    chosen = run.maps / verdict["chosen"] / "target.class.tif"
    assert (run.maps / "target.class.tif").samefile(chosen)
    assert not list(run.folder.rglob("*.partial"))
