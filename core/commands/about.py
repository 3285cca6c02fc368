"""Commands about this installation: what it can do, what it can be told, what it runs on."""

import json
import shutil
import signal
import sys
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from core.errors import DONE, FAILED

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def describe() -> None:
    """Methods, options, networks and devices, as JSON with JSON Schema."""
    from core.describe import description

    print(json.dumps(description(), indent=2))


def settings(
    part: Annotated[
        str | None,
        typer.Argument(help="A method, a group such as sampling, or a name (default: all, with combined's)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """What a job file and `--set` take: every setting, what it may be, its default and what it does."""
    from core.settings import settings

    found = settings(part)
    if as_json:
        print(json.dumps([asdict(each) for each in found], indent=2))
        return
    width = shutil.get_terminal_size().columns
    for each in found:
        default = f"default {each.default}" if each.default else "required" if each.required else "optional"
        whose = f" of {', '.join(each.methods)}" if each.methods else ""
        print(f"{each.key}: {each.values} ({default}){whose}")
        if each.description:
            print(textwrap.fill(each.description, width, initial_indent="    ", subsequent_indent="    "))


def presets(as_json: Json = False) -> None:
    """What `--preset` takes: settings for a short or a good run, and of each method; and `batch --sweep`."""
    from core.presets import presets as plain
    from core.presets import recipes
    from core.sweeps import sweeps

    found = [*plain(), *recipes()]
    if as_json:
        print(json.dumps({each.name: each.content() for each in found}, indent=2))
        return
    width = max(len(each.name) for each in found)
    for each in found:
        print(f"{each.name:{width}}  {each.title}: {each.summary}")
    print("\nisthmus batch JOB --sweep:")
    for name, sweep in sweeps().items():
        print(f"{name:{width}}  {sweep.title}: {sweep.summary}")


def weights(
    encoder: Annotated[str, typer.Argument(help="An encoder, such as tu-pvt_v2_b2.")],
    to: Annotated[Path | None, typer.Option(help="Default: the folder that runs look in.")] = None,
    licence_only: Annotated[bool, typer.Option("--licence", help="Only show the licence.")] = False,
    as_json: Json = False,
) -> None:
    """Download an encoder's pretrained weights for work offline; shows their licence."""
    from core.networks.download import download, licence_of

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: no half-written file stays
    licence = licence_of(encoder)
    if not as_json:
        print(f"licence of {encoder}: {licence}", flush=True)
    path = None if licence_only else download(encoder, to)
    if as_json:
        print(json.dumps({"encoder": encoder, "licence": licence, "path": str(path) if path else None}))
    elif path:
        print(path)


def doctor(as_json: Json = False) -> None:
    """What this machine can run: driver, torch, devices, memory, disk."""
    from core.doctor import examine

    report = examine(Path.cwd())
    print(report.model_dump_json(indent=2) if as_json else report.text())
    if report.fallback:
        print(f"warning: runs on the CPU: {report.fallback}", file=sys.stderr)
    raise typer.Exit(DONE if report.healthy else FAILED)
