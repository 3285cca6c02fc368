"""The command line: `isthmus`, or `python -m core.cli`. A command imports what it needs when it runs."""

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli_about import Json, describe, doctor, presets, weights
from core.cli_accuracy import evaluate, sample_points, verify
from core.cli_delivery import Which, export
from core.cli_runs import PresetName, kill, runs, start
from core.errors import DONE, FAILED, STOPPED
from core.guard import Guarded, in_one_line

if TYPE_CHECKING:
    from core.run import Request
    from core.variants import Planned


app = typer.Typer(
    cls=Guarded,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Adapt a land-cover segmentation network to a new place, without a single label from there.",
)
JobPath = Annotated[Path, typer.Argument(metavar="JOB", help="A job file.")]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
) -> None:
    """`--debug` is read by Guarded, wherever it stands; it is declared for the help."""


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="A new folder.")] = Path("sample"),
    seed: Annotated[int, typer.Option(help="Another seed draws another land.")] = 0,
) -> None:
    """Draw the built-in sample: two places, labels of the first, and a job."""
    from core.sample import draw_sample

    print(draw_sample(folder, seed))


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the sample is, or is to be drawn.")] = Path("sample"),
    settings: Annotated[list[str] | None, typer.Option("--set", help="As for `run`.")] = None,
) -> None:
    """Run the sample's job and show what adapting did, class by class."""
    from core.demo import compare
    from core.foreground import finish
    from core.sample import draw_sample
    from core.variants import parse_settings, plan

    job = folder / "job.yaml"
    if not job.exists():
        print(f"drawing {draw_sample(folder, 0).parent}")
    planned = plan(job, parse_settings(settings))
    finish(planned, as_json=False)
    print(compare(planned.folder))


@app.command()
def inspect(
    job: JobPath,
    settings: Annotated[list[str] | None, typer.Option("--set", help="As for `run`.")] = None,
    preset: PresetName = None,
    as_json: Json = False,
) -> None:
    """Look at a job's files before hours of training: a verdict per scene and per pair."""
    from core.preflight import inspect as look
    from core.variants import parse_settings, plan

    verdict = look(plan(job, parse_settings(settings, preset)).job)
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
    from core.estimate import estimate as measure
    from core.variants import parse_settings, plan

    planned = plan(job, parse_settings(settings, preset))
    cost = measure(planned.job, planned.folder)
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
    from core.foreground import finish
    from core.variants import parse_settings, plan, resume

    if job.is_dir() and (to or settings or preset):
        raise typer.BadParameter("a run that exists is resumed as it is, without --to, --preset and --set")
    planned = resume(job) if job.is_dir() else plan(job, parse_settings(settings, preset), to)
    finish(planned, as_json)
    if not as_json:
        print(f"{planned.folder} is finished; its maps are in {planned.folder / 'maps'}")


for background in (start, runs, kill):
    app.command()(background)


@app.command()
def batch(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Job or batch files.")],
) -> None:
    """Run many jobs, one line each; finished ones are skipped, and a failure does not stop the others."""
    from core.variants import plan_batch

    planned = [each for file in files for each in plan_batch(file)]
    outcomes = [_one_of_many(i, len(planned), each) for i, each in enumerate(planned, 1)]
    raise typer.Exit(FAILED if "failed" in outcomes else DONE)


def _one_of_many(number: int, total: int, planned: "Planned") -> str:
    from core.errors import Stopped
    from core.foreground import finish

    try:
        outcome, words = ("skipped", "is finished") if not finish(planned, quiet=True) else ("done", "")
    except (Stopped, KeyboardInterrupt):
        raise
    except Exception as fault:
        outcome, words = "failed", in_one_line(fault)[1]
    print(f"[{number}/{total}] {outcome}: {planned.folder} {words}".rstrip(), flush=True)
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
    as_json: Json = False,
) -> None:
    """Map more scenes with the model of a finished run."""
    from core.console import watch
    from core.remap import map_scenes

    watch(map_scenes(run, scenes, to, which, probabilities), as_json)


@app.command()
def translate(
    run: RunPath,
    to: Annotated[Path, typer.Option(help="Folder of the images.")],
    as_json: Json = False,
) -> None:
    """Show the source in the target's look, as a run of cyclegan, cycada or bdl learnt it: GeoTIFFs."""
    from core.console import watch
    from core.translate import translate_scenes

    watch(translate_scenes(run, to), as_json)


for command in (export, evaluate, sample_points, verify):
    app.command()(command)


@app.command()
def follow(run: RunPath, as_json: Json = False) -> None:
    """Watch a run from its start, live if it still works."""
    from core.console import watch
    from core.journal import follow as listen

    progress = watch(listen(run), as_json)
    raise typer.Exit({"failed": FAILED, "stopped": STOPPED}.get(progress.status, DONE))


def _request(run: Path, request: "Request") -> None:
    from core.run import ask

    ask(run, request)
    print(f"asked {run} to {request}")


@app.command()
def pause(run: RunPath) -> None:
    """Pause a working run after the step at hand."""
    _request(run, "pause")


@app.command()
def resume(run: RunPath) -> None:
    """Let a paused run go on. (A stopped one: `isthmus run RUN`.)"""
    _request(run, "resume")


@app.command()
def stop(run: RunPath) -> None:
    """Stop a working run; its state is saved."""
    _request(run, "stop")


for about in (describe, presets, weights, doctor):
    app.command()(about)


def main() -> None:
    """Libraries' chatter stays off the screen: what a user must know is said by us, in one line."""
    if "--debug" not in sys.argv:
        logging.captureWarnings(True)
        logging.getLogger().addHandler(logging.NullHandler())
    app()


if __name__ == "__main__":
    main()
