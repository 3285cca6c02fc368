"""Commands for runs in the background: start, kill, list."""

from pathlib import Path
from typing import Annotated

import typer

PresetName = Annotated[
    str | None,
    typer.Option("--preset", metavar="NAME", help="As `isthmus presets` lists them; --set goes over it."),
]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]


def start(
    job: Annotated[Path, typer.Argument(metavar="JOB", help="A job file, or a run's folder to resume.")],
    to: Annotated[Path | None, typer.Option(help="Default: runs/NAME-METHOD-sSEED beside the job.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY.PATH=VALUE", help="Change a setting.")
    ] = None,
    preset: PresetName = None,
) -> None:
    """Run in the background, when its device is free; prints its folder and needs no terminal."""
    from core.supervise import launch
    from core.variants import begin, parse_settings, plan, resume

    if job.is_dir() and (to or settings or preset):
        raise typer.BadParameter("a run that exists is resumed as it is, without --to, --preset and --set")
    planned = resume(job) if job.is_dir() else plan(job, parse_settings(settings, preset), to)
    launch(begin(planned).folder)
    print(planned.folder)


def kill(run: RunPath) -> None:
    """End a run's worker by force, when `stop` does not; it can be resumed from its last checkpoint."""
    from core.run_state import kill as end

    end(run)
    print(f"killed the worker of {run}")


def runs(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[FOLDER]...", help="Runs, or folders of runs.")
    ] = None,
) -> None:
    """List runs, newest first: what each is doing, or how it ended."""
    from core.run_state import list_runs

    found = list_runs(folders or [Path("runs"), Path()])
    for each in found:
        print(f"{each.state.status:9}{each.folder}: {each.state.sentence}")
    if not found:
        print("no runs here; name their folder, or start one with `isthmus start JOB`")
