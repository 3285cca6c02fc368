"""Live previews: asked for by file, drawn between two steps, and without a trace in the training."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from background import wait_until
from engines import assert_equal_weights, bench_for, job_for, run_for, weights, work

from core.bench import TARGET
from core.errors import BadInput
from core.events import AnyEvent, Asked, Paused, Pictured, Stepped, Warned
from core.execution.execute import execute
from core.execution.preview import Previews
from core.journal import read
from core.mapping import predict_window
from core.mapping.predict_window import look_at, probabilities
from core.mapping.predictor import Predictor
from core.parts.teacher import Teacher
from core.progress import Progress
from core.registry import choose
from core.runs.control import Control
from core.runs.run import Run, ask, ask_preview
from geo_io.grid import Box

pytestmark = pytest.mark.usefixtures("few_crops")

WINDOW = Box(8, 16, 50, 40)


def asking(run: Run, when: Callable[[AnyEvent], bool], *requests: Callable[[], None]) -> list[AnyEvent]:
    """Work, and once `when` is so of an event make the requests, each heard before training goes on."""
    left, seen = list(requests), []
    for event in execute(run):
        seen.append(event)
        if left and when(event):
            for request in left:
                count = heard(run)
                request()
                wait_until(lambda: heard(run) > count, "the request is heard")  # noqa: B023  # waits here
            left = []
    return seen


def heard(run: Run) -> int:
    return sum(isinstance(event, Asked) for event in read(run.folder))


def previews(events: list[AnyEvent]) -> list[Pictured]:
    return [event for event in events if isinstance(event, Pictured) and event.what == "preview"]


def first_step(event: AnyEvent) -> bool:
    return isinstance(event, Stepped)


@pytest.mark.parametrize(
    ("name", "options"), [("combined", {}), ("combined", {"teacher_norm": "batch", "use": "student"})]
)
def test_training_with_previews_after_each_step_ends_bit_equal(
    name: str, options: dict[str, object], places: Path
) -> None:
    job = job_for(places, name, options)
    plain, watched = run_for(job, places / "plain"), run_for(job, places / "watched")
    work(plain)
    torch.manual_seed(0)  # what the generator holds decides nothing either
    events = asking(watched, lambda e: e.kind == "started", lambda: ask_preview(watched.folder, 0, WINDOW, 1))
    made = previews(events)
    assert {event.stage for event in made} == {"source-only", "adapted"}
    assert len(made) >= 6, "one a step of the candidate and of the adaptation"
    for stage in ("source-only", "adapted"):
        assert_equal_weights(weights(plain, stage), weights(watched, stage))
    assert not [event for event in events if isinstance(event, Warned) and "preview" in event.text]


def test_a_preview_leaves_modes_generator_and_gradients_as_they_were(places: Path) -> None:
    run = run_for(job_for(places), places / "run")
    bench = bench_for(run.job, places / "cache")
    method = choose(run.job, "combined", {})
    control = Control(run, None)
    ask_preview(run.folder, 0, WINDOW)
    control.view = control.view.model_copy(update={"scene": 0, "box": WINDOW})
    previewer = Previews(run, "adapted", bench, control)
    for _ in method.module.train(bench, method.options):
        before = disturbed_by(bench.segmentor)
        control.looked.set()
        assert previews(list(previewer.events()))
        assert all(torch.equal(a, b) for a, b in zip(before, disturbed_by(bench.segmentor), strict=True))
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()


def disturbed_by(network: torch.nn.Module) -> list[torch.Tensor]:
    """The generator's state, every module's mode, every parameter and buffer."""
    modes = torch.tensor([module.training for module in network.modules()])
    return [torch.random.get_rng_state(), modes, *(t.clone() for t in network.state_dict().values())]


def test_the_rasters_lie_on_the_scene_and_only_the_newest_two_stay(places: Path) -> None:
    run = run_for(job_for(places), places / "run")
    events = asking(run, lambda e: e.kind == "started", lambda: ask_preview(run.folder, 0, WINDOW, 1))
    made = previews(events)
    kept = sorted(path.name for path in (run.folder / "preview").glob("*.class.tif"))
    assert kept == [Path(event.path).name for event in made[-2:]]
    assert not list((run.folder / "preview").glob("*.partial*"))
    last = made[-1]
    assert set(last.layers) == {"confidence", "pseudo"}
    with (
        rasterio.open(run.folder / last.path) as classes,
        rasterio.open(run.folder / last.layers["confidence"]) as confidence,
        rasterio.open(run.folder / last.layers["pseudo"]) as pseudo,
        rasterio.open(places / "target.tif") as scene,
    ):
        assert classes.crs == scene.crs
        assert classes.transform == scene.transform @ Affine.translation(WINDOW.col, WINDOW.row)
        assert classes.shape == confidence.shape == pseudo.shape == (WINDOW.height, WINDOW.width)
        wedge = scene.read_masks(1, window=rasterio.windows.Window(*WINDOW)) == 0
        found, labels = classes.read(1), pseudo.read(1)
        assert ((found == 255) == wedge).all()
        trusted = labels < 255
        assert trusted.any()
        assert (labels[trusted] == found[trusted]).all(), "the teacher makes the map, and labels with it"


def test_the_preview_is_of_what_makes_the_map(places: Path) -> None:
    job = job_for(places, options={"use": "teacher", "teacher_momentum": 0.9})
    bench = bench_for(job, places / "cache")
    method = choose(job, "combined", {"use": "teacher"})
    for _ in method.module.train(bench, method.options):
        teacher = next((p for p in bench.kept.values() if isinstance(p, Teacher)), None)
        assert bench.mapper is (teacher.network if teacher else bench.segmentor)


def test_a_view_is_heard_once_a_change_and_none_ends_it(places: Path) -> None:
    run = run_for(job_for(places, "source_only", schedule={"steps": 8}), places / "run")
    ask_preview(run.folder, 0, WINDOW, 1)  # before there is a worker: heard when there is one
    seen: list[AnyEvent] = []
    for event in execute(run):
        seen.append(event)
        if isinstance(event, Pictured) and event.step == 3:
            ask_preview(run.folder, None)
            wait_until(lambda: heard(run) > 1, "both requests are heard")
    assert heard(run) == 2
    assert max(event.step or 0 for event in previews(seen)) == 3


def test_a_paused_run_still_previews_at_once(places: Path) -> None:
    run = run_for(job_for(places, "source_only"), places / "run")

    def look_then_release() -> None:
        wait_for(run, Paused)
        ask_preview(run.folder, places / "target.tif", WINDOW, 1000)
        wait_for(run, Pictured)
        ask(run.folder, "resume")

    helper = threading.Thread(target=look_then_release)
    kinds = []
    for event in execute(run):
        kinds.append(event.kind)
        if isinstance(event, Stepped) and not helper.ident:  # before it there is nothing to preview with
            ask(run.folder, "pause")
            wait_until(lambda: heard(run), "the pause is heard")
            helper.start()
    helper.join()
    assert kinds.index("paused") < kinds.index("pictured") < kinds.index("resumed")


def wait_for(run: Run, kind: type) -> None:
    wait_until(lambda: any(isinstance(event, kind) for event in read(run.folder)), f"{kind.__name__} is told")


def test_a_view_beside_the_image_is_a_warning_and_the_run_goes_on(places: Path) -> None:
    run = run_for(job_for(places, "source_only"), places / "run")
    away = Box(5000, 5000, 10, 10)
    events = asking(run, first_step, lambda: ask_preview(run.folder, 0, away, 1))
    warned = [event.text for event in events if isinstance(event, Warned) and "preview" in event.text]
    assert len(warned) == 1
    assert events[-1].kind == "ended"


def test_a_scene_that_the_run_does_not_have_is_refused_at_once(places: Path) -> None:
    run = run_for(job_for(places, "source_only"), places / "run")
    with pytest.raises(BadInput, match="no target scene"):
        ask_preview(run.folder, places / "source.tif", WINDOW)
    with pytest.raises(BadInput, match="scene 1"):
        ask_preview(run.folder, 1, WINDOW)


def test_a_large_window_is_read_coarser_and_at_the_same_place(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_for(job_for(places), places / "cache")
    place = bench.domains[TARGET].places[0]
    fine = look_at(place, Box(0, 0, 96, 96), 1.0, 0)
    monkeypatch.setattr(predict_window, "SHOWN_PX", 24 * 24)
    coarse = look_at(place, Box(0, 0, 96, 96), 1.0, 0)
    assert fine.grid.width == 96
    assert coarse.grid.width == coarse.grid.height == 24
    assert np.allclose(coarse.grid.corners, fine.grid.corners)


def test_of_a_window_that_is_dear_to_decode_the_middle_is_taken(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_for(job_for(places), places / "cache")
    monkeypatch.setattr(predict_window, "DECODED_PX", 48 * 48)
    seen = look_at(bench.domains[TARGET].places[0], Box(0, 0, 96, 96), 1.0, 8)
    assert (seen.grid.width, seen.grid.height) == (48, 48)
    west, north = seen.grid.corners[0]
    whole = bench.domains[TARGET].places[0].scene.grid.corners[0]
    assert (west - whole[0], whole[1] - north) == (24, 24)


def test_tiles_blend_to_probabilities_that_add_up(places: Path) -> None:
    job = job_for(places)
    bench = bench_for(job, places / "cache")
    domain = bench.domains[TARGET]
    predictor = Predictor(bench.segmentor, domain.stats, job.legend, job.predict, bench.device, 1.0)
    seen = look_at(domain.places[0], Box(0, 0, 96, 80), 1.0, 0)
    total = probabilities(predictor, seen.patch).sum(0)
    assert torch.allclose(total, torch.ones_like(total), atol=1e-5)


def test_the_newest_preview_is_what_progress_shows(places: Path) -> None:
    run = run_for(job_for(places, "source_only"), places / "run")
    events = asking(run, first_step, lambda: ask_preview(run.folder, 0, WINDOW, 1))
    progress = Progress()
    for event in events:
        progress.fold(event)
    assert progress.pictures["preview"] == previews(events)[-1].path
