"""The command line: `isthmus`, or `python -m core.cli`. A command imports what it needs when it runs."""

import importlib.metadata
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.commands.about import Json, describe, doctor, presets, settings, weights
from core.commands.accuracy import evaluate, sample_points, verify
from core.commands.delivery import export
from core.commands.guard import Guarded, in_one_line
from core.commands.runs import PresetName, RunPath, kill, pause, planned, resume, runs, start, stop, to_run
from core.errors import DONE, FAILED, STOPPED, RunFailed
from core.terms import TestTimeViews, Which

if TYPE_CHECKING:
    from core.variants import Planned


app = typer.Typer(
    cls=Guarded,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    help="Adapt a land-cover segmentation network to a new place, without a single label from there.",
)
JobPath = Annotated[Path, typer.Argument(metavar="JOB", help="A job file.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"isthmus {importlib.metadata.version('isthmus')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """`--debug` is read by Guarded, wherever it stands; it is declared for the help."""


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="A new folder.")] = Path("sample"),
    seed: Annotated[int, typer.Option(help="Another seed draws another land.")] = 0,
) -> None:
    """Draw the built-in sample: two places, labels of the first, and a job."""
    from core.sample.sample import draw_sample

    print(draw_sample(folder, seed))


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the sample is, or is to be drawn.")] = Path("sample"),
    settings: Annotated[list[str] | None, typer.Option("--set", help="As for `run`.")] = None,
) -> None:
    """Run the sample's job and show what adapting did, class by class."""
    from core.commands.demo import compare
    from core.commands.foreground import finish
    from core.sample.sample import draw_sample

    job = folder / "job.yaml"
    if not job.exists():
        print(f"drawing {draw_sample(folder, 0).parent}")
    wanted = planned(job, settings)
    finish(wanted, as_json=False)
    print(compare(wanted.folder))


@app.command()
def inspect(
    job: JobPath,
    settings: Annotated[list[str] | None, typer.Option("--set", help="As for `run`.")] = None,
    preset: PresetName = None,
    as_json: Json = False,
) -> None:
    """Look at a job's files before hours of training: a verdict per scene and per pair."""
    from core.checks.preflight import inspect as look
    from core.execution.choices import wrong_choices

    wanted = planned(job, settings, preset).job
    verdict = look(wanted)
    verdict.faults += wrong_choices(wanted)
    print(verdict.model_dump_json(indent=2) if as_json else verdict.text())
    verdict.raise_faults()


@app.command()
def estimate(
    job: JobPath,
    settings: Annotated[list[str] | None, typer.Option("--set", help="As for `run`.")] = None,
    preset: PresetName = None,
    as_json: Json = False,
) -> None:
    """Measure, in some seconds, what a run will take: time, memory, disk."""
    from core.execution.estimate import estimate as measure

    wanted = planned(job, settings, preset)
    cost = measure(wanted.job, wanted.folder)
    print(json.dumps(cost.content(), indent=2) if as_json else cost.text())


@app.command()
def run(
    job: Annotated[Path, typer.Argument(metavar="JOB", help="A job file, or a run's folder to resume.")],
    to: Annotated[Path | None, typer.Option(help="Default: runs/NAME-METHOD-sSEED beside the job.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY.PATH=VALUE", help="Change a setting.")
    ] = None,
    preset: PresetName = None,
    as_json: Json = False,
) -> None:
    """Train, adapt, judge and map. A run that was stopped or killed goes on where it was."""
    from core.commands.foreground import finish

    wanted = to_run(job, settings, preset, to)
    finish(wanted, as_json)
    if not as_json:
        print(f"{wanted.folder} is finished; its maps are in {wanted.folder / 'maps'}")


for background in (start, runs, kill):
    app.command()(background)


@app.command()
def batch(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Job or batch files.")],
    sweep: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Vary jobs as papers do; `isthmus presets` lists the names."),
    ] = None,
) -> None:
    """Run many jobs, one line each; finished ones are skipped, and a failure does not stop the others.

    A batch file names a job and what to vary in it, every value with every other:

    `{job: job.yaml, vary: {seed: [0, 1], schedule.steps: [500, 2000]}, runs: sweep}`

    Without `runs`, the runs go to the folder `runs` beside the job. Methods, options and networks of all
    jobs are checked before the first one runs.
    """
    from core.execution.choices import check_choices
    from core.variants import plan_batch

    wanted = [each for file in files for each in plan_batch(file, sweep)]
    for each in wanted:
        check_choices(each.job)
    for note in dict.fromkeys(each.note for each in wanted if each.note):
        print(f"note: {note}", file=sys.stderr)
    outcomes = [_one_of_many(i, len(wanted), each) for i, each in enumerate(wanted, 1)]
    raise typer.Exit(FAILED if "failed" in outcomes else DONE)


def _one_of_many(number: int, total: int, wanted: "Planned") -> str:
    from core.commands.foreground import finish
    from core.errors import Stopped

    try:
        outcome, words = ("skipped", "is finished") if not finish(wanted, quiet=True) else ("done", "")
    except (Stopped, KeyboardInterrupt):
        raise
    except Exception as fault:
        outcome, words = "failed", in_one_line(fault)[1]
    print(f"[{number}/{total}] {outcome}: {wanted.folder} {words}".rstrip(), flush=True)
    return outcome


@app.command()
def predict(
    run: RunPath,
    scenes: Annotated[list[Path], typer.Argument(metavar="SCENE...", help="Images like the target's.")],
    to: Annotated[Path, typer.Option(help="Folder of the maps.")],
    which: Annotated[Which, typer.Option(help="Which of the run's models.")] = "chosen",
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Write the probability of each class too, a band a class.")
    ] = False,
    test_time_views: Annotated[
        TestTimeViews | None,
        typer.Option(help="Orientations in which each tile is seen, answers averaged (default: the run's)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Map more scenes with the model of a finished run."""
    from core.console import watch
    from core.execution.remap import map_scenes
    from core.runs.run_state import require_outside_runs

    require_outside_runs(to)
    watch(map_scenes(run, scenes, to, which, probabilities, test_time_views), as_json)


@app.command()
def translate(
    run: RunPath,
    to: Annotated[Path, typer.Option(help="Folder of the images.")],
    as_json: Json = False,
) -> None:
    """Show the source in the target's look, as a run of cyclegan, cycada or bdl learnt it: GeoTIFFs."""
    from core.console import watch
    from core.execution.translate import translate_scenes
    from core.runs.run_state import require_outside_runs

    require_outside_runs(to)
    watch(translate_scenes(run, to), as_json)


for command in (export, evaluate, sample_points, verify):
    app.command()(command)


@app.command()
def follow(run: RunPath, as_json: Json = False) -> None:
    """Watch a run from its start, live if it still works."""
    from core.console import watch
    from core.journal import follow as listen
    from core.runs.run_state import state_of

    progress = watch(listen(run, lambda: state_of(run).alive), as_json)
    state = state_of(run)
    if not state.alive and state.status not in ("done", "stopped", "new"):
        raise RunFailed(progress.fault or f"{run}: {state.sentence}; {state.remedy}")
    raise typer.Exit({"failed": FAILED, "stopped": STOPPED}.get(progress.status, DONE))


for asking in (pause, resume, stop):
    app.command()(asking)
for about in (settings, describe, presets, weights, doctor):
    app.command()(about)


def main() -> None:
    """Libraries' chatter stays off the screen: what a user must know is said by us, in one line."""
    if "--debug" not in sys.argv:
        logging.captureWarnings(True)
        logging.getLogger().addHandler(logging.NullHandler())
    # Torch reads it when imported, here or in a worker: what Apple's devices cannot do, the processor does.
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    app()


if __name__ == "__main__":
    main()
