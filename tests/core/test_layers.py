"""Who may import whom: read from the sources, and held by starting a clean interpreter."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "core", "geo_io", "resources")
ALLOWED = {
    "app": {"app", "core", "geo_io", "resources"},
    "core": {"core", "geo_io", "resources"},
    "geo_io": {"geo_io"},
}
CONTRACT = [
    name
    for room in (
        "card cli console cost errors events files job journal options presets progress terms variants",
        "checks.findings checks.preflight",
        "commands.about commands.foreground commands.guard commands.runs",
        "delivery.order delivery.parts",
        "imagery.places",
        "judging.comparison judging.evaluate judging.evidence",
        "runs.awake runs.causes runs.charge runs.map_files runs.run runs.run_queue runs.run_reading",
        "runs.run_state runs.supervise",
    )
    for name in room.split()
]
WITHOUT_TORCH = ("sample.sample",)
"""What the window loads beside the contract, when it is asked to: pyogrio brings geopandas along."""
ONLY_IN = {
    "torch": {"core"},
    "timm": {"core"},
    "segmentation_models_pytorch": {"core"},
    "lightning_fabric": {"core"},
    "PySide6": {"app"},
    "rasterio": {"geo_io"},
    "geopandas": {"geo_io"},
    "shapely": {"geo_io"},
    "pyogrio": {"geo_io"},
}


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports anywhere, function bodies included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            folder = ROOT / node.module.replace(".", "/")
            inside = [alias.name for alias in node.names if (folder / f"{alias.name}.py").exists()]
            yield from (f"{node.module}.{name}" for name in inside)
            if not inside:
                yield node.module


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_layer_may(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    for name in imports(path):
        top = name.split(".")[0]
        if top in PACKAGES:
            assert top in ALLOWED.get(package, set()), f"{package} imports {name}"
        assert package in ONLY_IN.get(top, {package}), f"{package} imports {name}"
        if top == "geopandas":
            assert path.name == "vector.py"


def rooms_of_core() -> dict[str, set[str]]:
    """Folder of core (or module that lies in none) -> what it imports of core, by the same names."""
    rooms = {path.name for path in (ROOT / "core").iterdir() if path.is_dir()}
    known: dict[str, set[str]] = {}
    for path in (ROOT / "core").rglob("*.py"):
        inside = path.relative_to(ROOT / "core").parts[0]
        here = inside if inside in rooms else path.stem
        named = {tuple(name.split(".")[1:]) for name in imports(path) if name.startswith("core.")}
        known.setdefault(here, set()).update(name[0] for name in named if name[0] != here)
    return known


def test_no_rooms_of_core_import_each_other_in_a_circle() -> None:
    known = rooms_of_core()
    assert "bench" in known["methods"] & known["execution"]
    TopologicalSorter(known).prepare()  # raises CycleError, which names the circle


def test_every_init_is_empty() -> None:
    assert not [str(path) for path in modules() if path.name == "__init__.py" and path.read_text()]


def test_no_module_is_named_like_one_of_the_standard_library() -> None:
    assert not [
        path.name for path in modules() if path.stem in sys.stdlib_module_names and path.stem != "__init__"
    ]


@pytest.mark.parametrize(
    "path", [p for p in modules() if "app" in p.parts], ids=lambda p: str(p.relative_to(ROOT))
)
def test_the_window_imports_contract_modules_alone(path: Path) -> None:
    of_core = {name for name in imports(path) if name.startswith("core.")}
    assert not {name for name in of_core if name.removeprefix("core.") not in (*CONTRACT, *WITHOUT_TORCH)}


@pytest.mark.parametrize("module", CONTRACT)
def test_a_contract_module_loads_neither_torch_nor_geopandas(module: str) -> None:
    code = f"import sys, core.{module}; sys.exit(bool({{'torch', 'geopandas'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_what_the_window_loads_beside_it_loads_no_torch(module: str) -> None:
    code = f"import sys, core.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
