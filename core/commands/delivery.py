"""The command that takes a run home: `export`."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from core.delivery.parts import PARTS, Cleaning, part_named
from core.terms import Which

_PARTS = "; ".join(f"{part}: {text}" for part, (_, text) in PARTS.items())


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    to: Annotated[Path, typer.Option(help="The folder to write to.")],
    which: Annotated[Which, typer.Option(help="Which model's maps.")] = "chosen",
    scenes: Annotated[
        list[str] | None, typer.Option("--scene", help="Name of a map, such as `north` (default: all).")
    ] = None,
    parts: Annotated[
        list[str] | None, typer.Option("--part", help=f"Default: all there are. {_PARTS}.")
    ] = None,
    least_m2: Annotated[
        float, typer.Option(min=0, help="Minimum mapping unit: smaller areas fall to their neighbour.")
    ] = 0.0,
    majority_px: Annotated[
        int, typer.Option(min=0, max=31, help="Side of the majority filter's window, odd; 0: none.")
    ] = 0,
    simplify_m: Annotated[
        float, typer.Option(min=0, help="Polygons: drop corners this close to a straight line.")
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Deliver a run: maps that open styled in a GIS, polygons, catalogue, model and report, in one folder.

    The folder holds `bundle.json`, with every file's checksum, once it is whole.
    """
    from core.console import watch
    from core.delivery.bundle import deliver
    from core.delivery.order import parts_made
    from core.runs.run_state import require_outside_runs

    require_outside_runs(to)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: no half-written file stays
    cleaning = Cleaning(least_m2, majority_px, simplify_m)
    wanted = [part_named(part) for part in parts] if parts else parts_made(run, which, scenes or ())
    watch(deliver(run, to, which, scenes or (), wanted, cleaning), as_json)
    if not as_json:
        print(f"everything is in {to}")
