"""Commands for runs: start one in the background, ask it, kill it, list them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from core.runs.run import Request
    from core.variants import Planned

PresetName = Annotated[
    str | None,
    typer.Option("--preset", metavar="NAME", help="As `isthmus presets` lists them; --set goes over it."),
]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]


def planned(
    job: Path, settings: list[str] | None, preset: str | None = None, to: Path | None = None
) -> "Planned":
    """A job with its settings; what they did beside what they say is told on stderr."""
    from core.variants import parse_settings, plan

    found = plan(job, parse_settings(settings, preset), to)
    if found.note:
        print(f"note: {found.note}", file=sys.stderr)
    return found


def to_run(job: Path, settings: list[str] | None, preset: str | None, to: Path | None) -> "Planned":
    """A job to run, or the run in a folder to resume as it is."""
    from core.variants import resume

    if not job.is_dir():
        return planned(job, settings, preset, to)
    if to or settings or preset:
        raise typer.BadParameter("a run that exists is resumed as it is, without --to, --preset and --set")
    return resume(job)


def start(
    job: Annotated[Path, typer.Argument(metavar="JOB", help="A job file, or a run's folder to resume.")],
    to: Annotated[Path | None, typer.Option(help="Default: runs/NAME-METHOD-sSEED beside the job.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY.PATH=VALUE", help="Change a setting.")
    ] = None,
    preset: PresetName = None,
) -> None:
    """Run in the background, when its device is free; prints its folder and needs no terminal."""
    from core.runs.supervise import launch
    from core.variants import begin

    wanted = to_run(job, settings, preset, to)
    launch(begin(wanted).folder)
    print(wanted.folder)


def pause(run: RunPath) -> None:
    """Pause a working run after the step at hand."""
    _request(run, "pause")


def resume(run: RunPath) -> None:
    """Let a paused run go on. (A stopped one: `isthmus run RUN`.)"""
    _request(run, "resume")


def stop(run: RunPath) -> None:
    """Stop a working run; its state is saved."""
    _request(run, "stop")


def _request(run: Path, request: "Request") -> None:
    from core.errors import BadInput
    from core.runs.charge import is_worked
    from core.runs.run import ask, open_run
    from core.runs.run_state import state_of

    open_run(run)
    state = state_of(run)
    # `isthmus verify` works in a run that has ended.
    able = {
        "pause": state.can_pause,
        "resume": state.can_resume,
        "stop": state.alive or is_worked(run),
    }
    if not able[request]:
        remedy = state.remedy or "`isthmus runs` says what each run does"
        raise BadInput(run, f"has nothing to {request} ({state.status})", remedy)
    ask(run, request)
    print(f"asked {run} to {request}")


def kill(run: RunPath) -> None:
    """End a run's worker by force, when `stop` does not; it can be resumed from its last checkpoint."""
    from core.runs.run_state import kill as end

    end(run)
    print(f"killed the worker of {run}")


def runs(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[FOLDER]...", help="Runs, or folders of runs.")
    ] = None,
) -> None:
    """List runs, newest first: what each is doing, or how it ended."""
    from core.errors import BadInput
    from core.runs.run_state import list_runs

    for folder in folders or ():
        if not folder.is_dir():
            raise BadInput(folder, "is no folder", "check the path")
    found = list_runs(place for folder in folders or [Path()] for place in _places(folder))
    for each in found:
        print(f"{each.state.status:9}{each.folder}: {each.state.sentence}")
    if not found:
        print("no runs here; name their folder, or start one with `isthmus start JOB`")


def _places(folder: Path) -> list[Path]:
    """Where runs are: in a folder, in its `runs`, and beside the jobs in the folders below it."""
    return [folder, folder / "runs", *sorted(folder.glob("*/runs"))]
