"""Recipes and pages: each method is told of in the same way, and what it is told to do can be done."""

import math
import re
from pathlib import Path

import pytest
from engines import draw, job_for

from core.card import KINDS
from core.execution.choices import check_choices
from core.execution.stages import stage_order
from core.job import Job
from core.networks.decoders import check_decoder
from core.networks.encoders import check_encoder
from core.presets import Preset, preset, presets, recipes
from core.registry import choose, healthy, load, names
from core.sweeps import sweep, sweeps
from core.variants import plan_batch, with_settings

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "methods"
SECTIONS = ("When to use it", "Cost", "Healthy losses", "Options", "Departures", "Reference")
UNTUNED = {"source_only", "adabn"}
"""They have nothing to set beside the job's own settings."""
OWN = {"combined"}
"""No paper."""
each_recipe = pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: str(recipe.name))
each_method = pytest.mark.parametrize("name", names())
each_page = pytest.mark.parametrize("path", sorted(PAGES.glob("*.md")), ids=lambda path: str(path.stem))


def stem(recipe: Preset) -> str:
    """Of `paper/advent-minent`, `advent`."""
    return recipe.name.rpartition("/")[2].partition("-")[0]


def method_of(recipe: Preset) -> str:
    return str(recipe.settings["method"]["name"])


def section(path: Path, title: str) -> str:
    """What stands below a heading of a page, to the next of its rank."""
    return path.read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    draw(tmp_path)
    return job_for(tmp_path)


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("name", sweeps())
def test_each_job_of_a_sweep_can_be_run(name: str, tmp_path: Path) -> None:
    planned = plan_batch(tmp_path / "job.yaml", name)
    assert len(planned) == math.prod(map(len, sweep(name).vary.values()))
    for each in planned:
        check_choices(each.job)
    assert sweep(name).summary.endswith(".")


@each_recipe
def test_a_recipe_makes_a_valid_job(recipe: Preset, job: Job, tmp_path: Path) -> None:
    made = with_settings(job, recipe.settings, tmp_path)
    chosen = choose(made, made.method.name, made.method.options)
    assert sum(phase.steps for phase in chosen.phases) == made.schedule.steps
    for stage, trained in stage_order(made):
        for phase in trained.phases:
            if not phase.name.startswith("translate"):  # on a schedule of its own
                horizon = made.schedule.horizon or phase.horizon or phase.steps
                assert phase.start + phase.steps <= horizon, (
                    f"{stage}: the learning rate ends before its steps"
                )
    check_decoder(made.network)
    check_encoder(made.network.encoder)
    assert made.predict.overlap_px < made.predict.tile_px
    assert recipe.title
    assert recipe.summary.endswith(".")


@each_recipe
def test_a_recipe_sets_what_differs_from_the_defaults(recipe: Preset) -> None:
    method = recipe.settings["method"]
    defaults = load(method["name"]).Options().model_dump(mode="json")
    assert not [key for key, value in method["options"].items() if defaults[key] == value]


@each_recipe
def test_a_recipe_is_named_after_its_method_or_stands_beside_it_as_a_card(recipe: Preset) -> None:
    assert next(iter(recipe.settings)) == "method"
    cards = {stem(each) for each in recipes() if each.card and method_of(each) == method_of(recipe)}
    assert stem(recipe).partition("-")[0] in {method_of(recipe), *cards}, "a variant says more after a dash"


@pytest.mark.parametrize("recipe", [each for each in recipes() if each.card], ids=lambda each: str(each.name))
def test_a_card_is_told_from_its_method_by_what_no_preset_and_no_plain_recipe_sets(
    recipe: Preset, job: Job
) -> None:
    assert recipe.told_by
    part, _, key = recipe.told_by.partition(".")
    default = type(getattr(job, part))().model_dump(mode="json")[key]
    assert recipe.settings[recipe.told_by] != default
    of_it = [each for each in recipes() if method_of(each) == method_of(recipe)]
    others = [each for each in [*presets(), *of_it] if stem(each) != stem(recipe)]
    assert all(each.settings.get(recipe.told_by, default) == default for each in others)


@each_method
def test_a_method_has_its_recipes_and_its_family(name: str) -> None:
    wanted = {f"{folder}/{name}" for folder in ("overhead", "paper")} if name not in UNTUNED else set()
    if name in OWN:
        wanted.remove(f"paper/{name}")
    assert wanted <= {recipe.name for recipe in recipes() if method_of(recipe) == name}
    assert load(name).CARD.kind in KINDS[:-1]


@each_method
def test_a_method_says_in_its_first_line_what_it_is(name: str) -> None:
    line = (load(name).__doc__ or "").splitlines()[0]
    assert re.fullmatch(r"[^:]+: .*\.", line), "a card shows it: a name and a whole sentence"


@each_method
def test_a_method_has_a_page_with_every_section(name: str) -> None:
    path = PAGES / f"{name}.md"
    text = path.read_text()
    assert text.startswith("# ")
    picture = text.partition("\n## ")[0].partition("\n```mermaid\n")[2]
    assert picture.startswith("flowchart")
    assert not re.search(r"-\. *\d", picture), "mermaid takes a label that begins with a digit for no label"
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert [title for title in titles if title in SECTIONS] == list(SECTIONS)
    assert all(len(section(path, title).strip()) > 20 for title in SECTIONS)


@each_method
def test_a_page_says_of_every_healthy_loss_and_of_every_recipe(name: str) -> None:
    path = PAGES / f"{name}.md"
    healthy_losses = section(path, "Healthy losses")
    assert not [loss for loss in healthy(load(name)) if f"`{loss}`" not in healthy_losses]
    for recipe in recipes():
        if method_of(recipe) == name:
            page = PAGES / f"{stem(recipe)}.md"
            assert f"--preset {recipe.name}" in (page if page.exists() else path).read_text()


@each_method
def test_a_page_names_no_option_that_is_not_there(name: str) -> None:
    words = re.findall(r"`method\.options\.(\w+)", (PAGES / f"{name}.md").read_text())
    assert set(words) <= load(name).Options.model_fields.keys()


@each_page
def test_what_a_page_points_to_is_there(path: Path) -> None:
    text = path.read_text()
    for named in re.findall(r"--preset ([\w/-]+)", text):
        preset(named)
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert link.startswith("https://") or (path.parent / link).exists(), link


@each_page
def test_a_page_has_no_place_left_to_be_filled_in(path: Path) -> None:
    assert not re.findall(r"\b(?:MEASURED\w*|COSTS|TODO|TBD)\b", path.read_text())


def test_the_index_leads_to_every_page_and_says_the_family() -> None:
    lines = (PAGES / "README.md").read_text().splitlines()
    for page in PAGES.glob("*.md"):
        if page.stem != "README":
            (line,) = [line for line in lines if f"]({page.name})" in line]
            if page.stem in names():
                assert load(page.stem).CARD.kind in line, page.stem
