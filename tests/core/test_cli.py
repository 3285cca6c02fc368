"""The command line: what it prints, where it writes, and the code it exits with."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from small_job import draw, write_job
from typer.testing import CliRunner, Result

from core import console
from core.cli import app
from core.errors import BadInput, RunFailed, Stopped
from core.events import (
    AnyEvent,
    Ended,
    Evaluated,
    Failed,
    Paused,
    Phased,
    Progressed,
    Started,
    Stepped,
    Warned,
)
from core.execution import execute
from core.files import write_json, write_text
from core.job import load_job
from core.journal import Journal
from core.judging.metrics import Confusion
from core.progress import Progress
from core.runs.run import Run, take_requests, write_exit
from core.sample import sample as drawing

ROOT = Path(__file__).parents[2]


def isthmus(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def job(tmp_path: Path) -> Path:
    return draw(tmp_path)


def story(run: Run) -> Iterator[AnyEvent]:
    """What a short training says; it marks the run as done."""
    yield Started(
        run=run.id, method=run.job.method.name, seed=run.job.seed, device="cpu", phases=[("adapt", 2)]
    )
    yield Phased(phase="adapt", step=0, steps=2)
    yield Stepped(phase="adapt", step=1, losses={"supervised": 0.5})
    yield Warned(text="mind the gap")
    write_exit(run, "done")
    yield Ended(how="done")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """Runs only tell their story; the list grows by each."""
    runs: list[Run] = []

    def short(run: Run) -> Iterator[AnyEvent]:
        runs.append(run)
        return story(run)

    monkeypatch.setattr(execute, "execute", short)
    return runs


def test_help_is_there_in_no_time_and_without_torch() -> None:
    """0.3 s is the aim on a quiet machine; the libraries that would break it are what is tested."""
    code = (
        "import sys\nfrom core.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit as end: assert end.code == 0\n"
        "heavy = {'torch', 'rasterio', 'geopandas', 'pydantic', 'numpy', 'yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    commands = (
        "sample demo inspect run batch predict evaluate follow pause resume stop settings describe doctor"
    )
    commands += " start runs kill estimate export weights verify"
    assert all(f" {command} " in ended.stdout for command in commands.split())


def test_inspect_prints_words_or_json(job: Path) -> None:
    assert "the job can run" in isthmus("inspect", job).output
    assert json.loads(isthmus("inspect", job, "--json").output)["pair"]["same_crs"] is True


def test_inspect_of_a_job_that_cannot_run_exits_with_2(job: Path) -> None:
    result = isthmus("inspect", job, "--set", "sampling.crop_px=512")
    assert result.exit_code == 2
    assert "fault: region home" in result.stdout
    assert result.stderr.startswith("error: region home: is too small")


def test_run_makes_its_folder_beside_the_job(job: Path, ran: list[Run]) -> None:
    result = isthmus("run", job, "--set", "seed=3", "--set", "method.name=advent")
    assert result.exit_code == 0, result.stderr
    assert ran[0].folder == job.parent / "runs/small-advent-s3"
    assert load_job(ran[0].folder / "job.yaml").seed == 3
    assert "adapt 1 (1 of 2), supervised 0.500" in result.output
    assert "warning: mind the gap" in result.output


def test_a_finished_run_says_so_and_a_stopped_one_goes_on(job: Path, ran: list[Run]) -> None:
    folder = job.parent / "here"
    isthmus("run", job, "--to", folder)
    again = isthmus("run", job, "--to", folder)
    assert (again.exit_code, len(ran)) == (0, 1)
    assert "is finished" in again.output
    (folder / "exit.json").unlink()
    assert isthmus("run", folder).exit_code == 0
    assert len(ran) == 2


def test_another_job_does_not_resume_a_run(job: Path, ran: list[Run]) -> None:
    folder = job.parent / "here"
    isthmus("run", job, "--to", folder)
    result = isthmus("run", job, "--to", folder, "--set", "schedule.steps=7")
    assert (result.exit_code, len(ran)) == (2, 1)
    assert "holds the run of another job (schedule.steps differs)" in result.stderr


def test_json_is_one_event_a_line(job: Path, ran: list[Run]) -> None:
    lines = isthmus("run", job, "--json").output.splitlines()
    kinds = ["started", "phased", "stepped", "warned", "ended"]
    assert [json.loads(line)["kind"] for line in lines] == kinds
    assert len(ran) == 1


def failing(fault: Exception) -> Callable[[Run], Iterator[AnyEvent]]:
    def execute(run: Run) -> Iterator[AnyEvent]:
        yield next(story(run))
        raise fault

    return execute


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (RunFailed("no memory; take less"), 1, "error: no memory; take less\n"),
        (Stopped(), 130, ""),
        (KeyboardInterrupt(), 130, ""),
        (ZeroDivisionError("by 0\nhere"), 1, "error: unexpected ZeroDivisionError: by 0 here; add --debug"),
    ],
)
def test_every_ending_has_its_code_and_at_most_one_line(
    fault: Exception, code: int, said: str, job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "execute", failing(fault))
    result = isthmus("run", job)
    assert result.exit_code == code
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == (1 if said else 0)


def test_bad_input_removes_only_what_this_run_made(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run's folder beside it stays, and so does a run that has learnt something."""
    runs = job.parent / "runs"
    bad = failing(BadInput("a file", "is bad", "mend it"))
    monkeypatch.setattr(execute, "execute", bad)
    assert isthmus("run", job).exit_code == 2
    assert not runs.exists()

    def beside_another(run: Run) -> Iterator[AnyEvent]:
        write_text(runs / "other/job.yaml", "")
        yield from bad(run)

    monkeypatch.setattr(execute, "execute", beside_another)
    isthmus("run", job)
    assert [path.name for path in runs.iterdir()] == ["other"]

    def learnt(run: Run) -> Iterator[AnyEvent]:
        write_text(run.checkpoints / "0.pt", "")
        yield from bad(run)

    monkeypatch.setattr(execute, "execute", learnt)
    isthmus("run", job)
    assert (runs / "small-source_only-s0/checkpoints/0.pt").exists()


def test_debug_shows_where_an_error_comes_from(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "execute", failing(ZeroDivisionError("by 0")))
    assert isinstance(isthmus("run", job, "--debug").exception, ZeroDivisionError)


def test_ctrl_c_asks_the_run_to_stop_and_waits_for_it(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def long(run: Run) -> Iterator[AnyEvent]:
        yield next(story(run))
        os.kill(os.getpid(), signal.SIGINT)
        until = time.monotonic() + 5
        while time.monotonic() < until:
            if take_requests(run.folder) == ["stop"]:
                raise Stopped
        raise AssertionError("nobody asked")

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(execute, "execute", long)
    result = isthmus("run", job)
    assert (result.exit_code, result.stderr) == (130, "stopping after this step (once more: at once)\n")
    assert signal.getsignal(signal.SIGINT) is before


def test_batch_sweeps_skips_and_goes_on_after_a_failure(
    job: Path, ran: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = {"job": "job.yaml", "vary": {"seed": [0, 1], "method.name": ["source_only", "advent"]}}
    file = job.parent / "batch.yaml"
    file.write_text(yaml.safe_dump(plan, sort_keys=False))
    isthmus("run", job, "--set", "seed=1")
    short = execute.execute

    def sometimes(run: Run) -> Iterator[AnyEvent]:
        if run.folder.name == "small-advent-s0":
            raise RunFailed("no memory; take less")
        return short(run)

    monkeypatch.setattr(execute, "execute", sometimes)
    result = isthmus("batch", file)
    assert result.exit_code == 1
    runs = job.parent / "runs"
    assert result.output.splitlines() == [
        f"[1/4] done: {runs}/small-source_only-s0",
        f"[2/4] failed: {runs}/small-advent-s0 no memory; take less",
        f"[3/4] skipped: {runs}/small-source_only-s1 is finished",
        f"[4/4] done: {runs}/small-advent-s1",
    ]
    assert len(ran) == 3


def test_what_a_sweep_varies_names_its_runs(job: Path, ran: list[Run]) -> None:
    plan = {"job": "job.yaml", "vary": {"schedule.lr": [0.1, 0.01]}, "runs": "sweep"}
    (job.parent / "batch.yaml").write_text(yaml.safe_dump(plan, sort_keys=False))
    assert isthmus("batch", job.parent / "batch.yaml").exit_code == 0
    names = [str(run.folder.relative_to(job.parent)) for run in ran]
    assert names == ["sweep/small-source_only-s0-lr=0.1", "sweep/small-source_only-s0-lr=0.01"]
    assert [run.job.schedule.lr for run in ran] == [0.1, 0.01]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("seed", "is not of the form key.path=value"),
        ("shedule.steps=2", "a job has no 'shedule' there"),
        ("schedule.step=2", "unknown key; did you mean 'steps'?"),
        ("source.scenes.4.path=x.tif", "a job has no '4' there"),
        ("seed=[", "has a value that is not YAML"),
        ("seed=-1", "greater than or equal to 0"),
    ],
)
def test_settings_that_fit_nothing_are_named(setting: str, said: str, job: Path) -> None:
    result = isthmus("run", job, "--set", setting)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (job.parent / "runs").exists()


def test_a_set_path_is_relative_to_the_job(job: Path) -> None:
    result = isthmus("inspect", job, "--set", "source.scenes.0.labels={path: labels.gpkg, attribute: class}")
    assert f"labels {job.parent / 'labels.gpkg'}" in result.output


def journal(folder: Path, *events: AnyEvent) -> None:
    writer = Journal(folder)
    for event in events:
        writer.write(event)
    writer.close()


@pytest.mark.parametrize(
    ("last", "code"), [(Ended(how="done"), 0), (Ended(how="stopped"), 130), (Failed(text="no disk"), 1)]
)
def test_follow_replays_a_run_and_ends_as_it_did(
    last: AnyEvent, code: int, job: Path, ran: list[Run]
) -> None:
    isthmus("run", job)
    *before, _ = story(ran[0])
    journal(ran[0].folder, *before, last)
    result = isthmus("follow", ran[0].folder)
    assert result.exit_code == code
    assert "adapt: 2 steps" in result.output


@pytest.mark.parametrize("request_", ["pause", "resume", "stop"])
def test_requests_reach_a_run_at_work_and_no_other(request_: str, job: Path, ran: list[Run]) -> None:
    isthmus("run", job)
    run = ran[0]
    said = isthmus(request_, run.folder)
    assert (said.exit_code, said.stdout) == (2, "")
    assert f"has nothing to {request_} (done)" in said.stderr
    (run.folder / "exit.json").unlink()
    paused = [Paused(phase="adapt", step=1)] if request_ == "resume" else []
    start, *_ = story(run)
    (run.folder / "exit.json").unlink()
    with run.locked():
        journal(run.folder, start, *paused)
        assert isthmus(request_, run.folder).exit_code == 0
        assert take_requests(run.folder) == [request_]
    assert isthmus(request_, job.parent).exit_code == 2


def test_follow_tells_why_a_run_died(job: Path, ran: list[Run]) -> None:
    isthmus("run", job)
    run, text = ran[0], "the worker was killed on request; resume it"
    start, *_ = story(run)
    journal(run.folder, start, Failed(text=text))
    write_exit(run, "died", text)
    result = isthmus("follow", run.folder)
    assert (result.exit_code, result.stderr) == (1, f"error: {text}\n")


def test_follow_ends_with_a_run_that_ended_without_a_word(job: Path, ran: list[Run]) -> None:
    isthmus("run", job)
    run = ran[0]
    start, *_ = story(run)
    journal(run.folder, start)
    (run.folder / "exit.json").unlink()
    result = isthmus("follow", run.folder)
    assert result.exit_code == 1
    assert "ended without a word" in result.stderr


def test_runs_are_found_beside_their_jobs(job: Path, ran: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    isthmus("run", job)
    monkeypatch.chdir(job.parent.parent)
    for words in ((), (job.parent.name,), (job.parent / "runs",), (ran[0].folder,)):
        assert ran[0].folder.name in isthmus("runs", *words).output
    missing = isthmus("runs", "nowhere")
    assert missing.exit_code == 2
    assert "nowhere: is no folder" in missing.stderr


COMBINED = {"method": {"name": "combined", "options": {"target_means": True, "jitter": 0.5}}}


def test_another_method_leaves_the_options_of_the_one_before_out(job: Path, ran: list[Run]) -> None:
    write_job(job.parent, COMBINED)
    result = isthmus("run", job, "--set", "method.name=source_only")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "note: source_only is run without the job's options of combined (target_means, jitter)"
    ]
    isthmus("run", job, "--set", "method.options.jitter=0.1", "--set", "method.name=dacs")
    isthmus("run", job, "--set", "method.name=combined")
    options = [run.job.method.options for run in ran]
    assert options == [{}, {"jitter": 0.1}, {"target_means": True, "jitter": 0.5}]


def test_a_job_is_varied_as_a_named_sweep_says(job: Path, ran: list[Run]) -> None:
    assert isthmus("batch", job, "--sweep", "adaptsegnet-weight").exit_code == 0
    weights = [0.0005, 0.001, 0.002, 0.004]
    varied = [(run.job.method.options["space"], run.job.method.options["adversarial"]) for run in ran]
    assert varied == [(space, weight) for space in ("output", "features") for weight in weights]
    assert ran[0].folder.name == "small-adaptsegnet-s0-space=output-adversarial=0.0005"
    assert "did you mean 'hrda-views'" in isthmus("batch", job, "--sweep", "hrda-view").stderr
    (job.parent / "batch.yaml").write_text("{job: job.yaml, vary: {seed: [1, 2]}}")
    assert (
        "says itself what to vary"
        in isthmus("batch", job.parent / "batch.yaml", "--sweep", "bdl-labels").stderr
    )
    assert len(ran) == 8


def test_a_batch_is_checked_before_its_first_run(job: Path, ran: list[Run]) -> None:
    write_job(job.parent, COMBINED)
    file = job.parent / "batch.yaml"
    file.write_text("{job: job.yaml, vary: {method.name: [combined, advent]}}")
    assert isthmus("batch", file).exit_code == 0
    assert [run.job.method.name for run in ran] == ["combined", "advent"]
    file.write_text("{job: job.yaml, vary: {seed: [7, 8], network.encoder: [resnet18, resnet81]}}")
    result = isthmus("batch", file)
    assert (result.exit_code, len(ran)) == (2, 2)
    assert "'resnet81' is unknown" in result.stderr


def test_keys_that_end_alike_are_told_apart_in_a_runs_name(job: Path, ran: list[Run]) -> None:
    file = job.parent / "batch.yaml"
    file.write_text("{job: job.yaml, vary: {sampling.batch: [2], predict.batch: [4], schedule.lr: [0.1]}}")
    isthmus("batch", file)
    assert ran[0].folder.name == "small-source_only-s0-sampling.batch=2-predict.batch=4-lr=0.1"


INTO = {"predict": ["RUN", "x.tif", "--to", "RUN/maps"], "export": ["RUN", "--to", "RUN"]}
INTO["translate"] = ["RUN", "--to", "RUN/new"]


@pytest.mark.parametrize("command", INTO)
def test_nothing_is_written_into_the_folder_of_a_run(command: str, job: Path, ran: list[Run]) -> None:
    isthmus("run", job, "--to", job.parent / "done")
    before = sorted(ran[0].folder.rglob("*"))
    result = isthmus(command, *(word.replace("RUN", str(ran[0].folder)) for word in INTO[command]))
    assert result.exit_code == 2
    assert "lies in the folder of the run done; name a folder outside of runs" in result.stderr
    assert sorted(ran[0].folder.rglob("*")) == before


def test_version_and_short_help() -> None:
    assert isthmus("--version").output.startswith("isthmus ")
    assert "Usage" in isthmus("-h").output
    shown = " ".join(isthmus("evaluate", "-h").output.split())
    assert "Points from `sample-points` give accuracies" in shown


def test_evaluate_scores_files(job: Path) -> None:
    place = job.parent
    words = ("evaluate", place / "labels.tif", place / "labels.gpkg", "--legend", job, "--attribute", "class")
    assert "mean IoU  100.0" in isthmus(*words).output
    whole = json.loads(isthmus(*words, "--json").output)
    assert whole["miou"] == 1.0
    assert json.loads(isthmus(*words, "--json", "--erode-px", 2).output)["pixels"] < whole["pixels"]


def test_demo_draws_runs_and_compares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a drawing that takes no time and a run that only leaves its scores."""
    names = ["a", "b"]
    confusion = Confusion(2)
    confusion.matrix += np.array([[3, 1], [0, 0]])

    def scored(run: Run) -> Iterator[AnyEvent]:
        yield from story(run)
        before, after = Confusion(2).scores(names), confusion.scores(names)
        write_json(run.folder / "scores.json", {"source-only": before, "adapted": after})
        reasons = {"chosen": "adapted", "sure": "likely", "reasons": ["entropy better"]}
        write_json(run.folder / "verdict.json", reasons)
        write_text(run.maps / "north.class.tif", "")

    monkeypatch.setattr(drawing, "draw_sample", lambda folder, _: draw(folder))
    monkeypatch.setattr(execute, "execute", scored)
    result = isthmus("demo", "--folder", tmp_path / "sample")
    assert result.exit_code == 0, result.stderr
    lines = [line.split() for line in result.output.splitlines()]
    assert ["class", "source-only", "adapted", "chosen"] in lines
    assert ["a", "-", "75.0", "75.0"] in lines
    assert "chosen without any target label: adapted (likely: entropy better)" in result.output
    assert result.output.splitlines()[-1].endswith("maps/north.class.tif")


def test_describe_knows_every_method(monkeypatch: pytest.MonkeyPatch) -> None:
    import timm

    monkeypatch.setattr(timm, "list_models", lambda: ["pvt_v2_b2"])  # the full list takes seconds
    described = json.loads(isthmus("describe").output)
    files = {path.stem for path in (ROOT / "core/methods").glob("*.py")} - {"__init__"}
    assert set(described["methods"]) == files
    combined = described["methods"]["combined"]
    assert combined["options"]["properties"]["warm_share"]["default"] > 0
    assert "\n" not in combined["summary"]
    assert {"unet", "deeplabv2"} <= set(described["decoders"])
    assert {"resnet18", "tu-pvt_v2_b2"} <= set(described["encoders"])
    assert "sampling" in described["job"]["properties"]


def test_lines_about_steps_are_rare_and_all_others_come_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 1.0, 4.9, 5.1, 6.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: 100 + next(clock))
    steps = [Stepped(phase="adapt", step=i, losses={"l": 1.0}, time=float(i + 1)) for i in range(5)]
    start = Started(run="r", method="m", seed=0, device="cpu", phases=[("adapt", 100)])
    progress = console.watch([start, *steps, Warned(text="oh")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == [
        "adapt 0 (0 of 100), l 1.000",
        "adapt 3 (3 of 100), l 1.000, 2 min of training left",
        "warning: oh",
    ]
    assert progress.step == 4


def test_a_bar_shows_the_training_and_other_long_work() -> None:
    step = Stepped(phase="adapt", step=4, losses={"l": 0.25})
    progress = Progress(status="running", phases=[("adapt", 10)], phase="adapt", step=4, losses={"l": 0.25})
    assert console._bar(step, progress, 80) == {
        "description": "adapt", "completed": 4, "total": 10, "note": "l 0.250",
    }  # fmt: skip
    progress.work = ("map north", 3, 9)
    assert console._bar(Progressed(what="map north", done=3, total=9), progress, 80)["note"] == "3 of 9"
    timed = Progressed(what="map north", done=3, total=9, of_time=True)
    assert console._bar(timed, progress, 80)["note"] == ""
    assert console.say(timed, progress) == "map north: 33%"


def test_time_left_comes_first_and_losses_fill_the_line() -> None:
    losses = dict.fromkeys(("supervised", "fooling", "self_taught", "discriminator", "trusted"), 0.5)
    progress, steps = Progress(), [Stepped(phase="adapt", step=i, losses=losses, time=i) for i in (1, 2)]
    start = Started(run="r", method="m", seed=0, device="cpu", phases=[("adapt", 32)])
    for event in (start, *steps):
        progress.fold(event)
    notes = [str(console._bar(steps[-1], progress, width)["note"]) for width in (40, 80, 200)]
    left = "30 s of training left"
    assert notes == [left, f"{left}, supervised 0.500", ", ".join([left, *(f"{n} 0.500" for n in losses)])]


def test_scores_are_in_percent() -> None:
    event = Evaluated(what="adapted map", scores={"miou": 0.217, "entropy": 0.3})
    assert console.say(event, Progress()) == "adapted map: miou 21.7 %, entropy 0.300"


def test_a_terminal_gets_a_bar(job: Path, ran: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal, screen = os.openpty()
    with os.fdopen(screen, "w") as out, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", out)
        console.watch(story_of(job))
        out.flush()
        os.set_blocking(terminal, False)
        shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert "adapt" in shown
    assert "warning: mind the gap" in shown
    assert "\x1b[" in shown
    assert not ran


def story_of(job: Path) -> Iterator[AnyEvent]:
    return story(Run(job.parent, load_job(job), "id"))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(5.4, "5 s"), (59.4, "59 s"), (61, "1 min"), (3600, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_durations_are_said_as_people_do(seconds: float, said: str) -> None:
    assert console.duration(seconds) == said
