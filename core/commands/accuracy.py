"""The commands that say how good a map is: `evaluate`, `sample-points` and `verify`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from core.job import Job

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
MapPath = Annotated[Path, typer.Argument(metavar="MAP", help="A raster of class ids.")]
LegendPath = Annotated[Path, typer.Option(help="A job file or a run's folder.")]


def evaluate(
    class_map: MapPath,
    labels: Annotated[Path, typer.Argument(metavar="LABELS", help="The truth: raster, polygons or points.")],
    legend: LegendPath,
    attribute: Annotated[str | None, typer.Option(help="Polygons: the attribute with the class.")] = None,
    layer: Annotated[str | None, typer.Option(help="Vector: the layer.")] = None,
    area: Annotated[Path | None, typer.Option(help="Polygons to score inside of.")] = None,
    erode_px: Annotated[
        int,
        typer.Option(
            min=0, max=50, help="Leave out truth this close to another class (ISPRS: 3); map pixels."
        ),
    ] = 0,
    as_json: Json = False,
) -> None:
    """Score a map against labels, from files alone.

    Labels of whole land (raster, polygons) are compared pixel by pixel. Points from `sample-points` give
    accuracies and class areas in proportion to the land, with 95 % intervals.
    """
    from core.errors import BadInput
    from core.job import LabelFile
    from core.judging.evaluate import evaluate as score
    from core.judging.evaluate import table
    from geo_io.points import holds_points

    job = _job(legend)
    if holds_points(labels, layer):
        if erode_px:
            raise BadInput(labels, "are points, which have no borders", "leave out --erode-px")
        _assess(class_map, labels, job, layer, as_json)
        return
    truth = LabelFile(path=labels, use="check", attribute=attribute, layer=layer)
    scores = score(class_map, truth, job.legend, area, erode_px=erode_px)
    print(json.dumps(scores, indent=2) if as_json else table({"IoU": scores}))


def sample_points(
    class_map: MapPath,
    to: Annotated[Path, typer.Option(help="The GeoPackage to write.")],
    legend: LegendPath,
    error: Annotated[
        float, typer.Option(min=0.001, max=0.2, help="Standard error wanted of the overall accuracy.")
    ] = 0.02,
    least: Annotated[int, typer.Option(min=2, help="Points of each class at least.")] = 50,
    expected: Annotated[
        float, typer.Option(min=0.5, max=0.99, help="Share of each class expected to be right.")
    ] = 0.8,
    seed: Annotated[int, typer.Option(help="Another seed draws other points.")] = 0,
    as_json: Json = False,
) -> None:
    """Draw points of a map at random, by class, to be labelled in a GIS and given to `evaluate`.

    The attribute `label` is empty: write class names into it. Which class the map says is not shown, so
    that nobody is led by it.
    """
    from core.console import watch
    from core.errors import BadInput
    from core.judging.sample_points import draw_points

    if to.suffix.lower() != ".gpkg":
        raise BadInput(to, "is not a GeoPackage's name", "call it .gpkg")
    if to.exists():
        raise BadInput(to, "is there already, perhaps with labels in it", "take another name, or delete it")
    job = _job(legend)
    watch(draw_points(class_map, job.legend, to, error, least, expected, seed), as_json)
    if not as_json:
        print(f"the points are in {to}; fill in `label` with {', '.join(job.legend.names)}")


def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run that adapted.")],
    steps: Annotated[int, typer.Option(min=1, help="Training steps of each of the two networks.")] = 300,
    as_json: Json = False,
) -> None:
    """Put a run's choice to one more test, without a label of the target: reverse validation.

    By each model's map alone a fresh network is taught, and scored on the source's held-out labels. It is
    added to the run's evidence with the choice that it would make; the choice itself and the maps stay.
    """
    from core.commands.foreground import stopping_safely
    from core.console import watch
    from core.execution.reverse import verify as work
    from core.judging.comparison import read_outcome
    from core.judging.evidence import evidence
    from core.runs.run import open_run

    with stopping_safely(open_run(run)):
        watch(work(run, steps), as_json)
    if not as_json:
        found = read_outcome(run).verdict
        print(f"{evidence(found)[-1]}; it was {found['chosen']} ({found['sure']}), and stays")


def _assess(class_map: Path, points: Path, job: "Job", layer: str | None, as_json: bool) -> None:
    from core.judging.area_accuracy import assess, content, table
    from core.judging.sample_points import read_sample

    sample, left_out = read_sample(points, class_map, job.legend, layer)
    found = content(
        assess(sample, len(job.legend.classes)), job.legend.names, float(sample.stratum_sizes.sum())
    )
    print(json.dumps(found | {"left_out": left_out}, indent=2) if as_json else table(found))
    if left_out and not as_json:
        print(f"{left_out} points without a label, or off the map, are left out")


def _job(legend: Path) -> "Job":
    from core.job import load_job

    return load_job(legend / "job.yaml" if legend.is_dir() else legend)
