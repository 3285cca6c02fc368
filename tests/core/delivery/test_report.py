"""The report: one file that needs no other, and says what the run's files say."""

import base64
import json
import re
import warnings
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import rasterio
from delivered import COLORS, finished_run
from rasterio.io import MemoryFile
from small_job import NAMES, truth

from core.delivery.bundle import deliver
from core.delivery.page import chart, table
from core.delivery.parts import Cleaning, Part
from core.runs.run import Run
from geo_io.thumbnail import class_picture


class Text(HTMLParser):
    """The words of a page, and whatever it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.fetched: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # its parent's
        self.fetched += [
            value
            for key, value in attrs
            if key in ("src", "href") and value and not value.startswith("data:")
        ]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = finished_run(tmp_path_factory.mktemp("place"))
    events = [
        {
            "kind": "started",
            "run": run.id,
            "method": "combined",
            "seed": 0,
            "device": "cpu",
            "phases": [["a", 9]],
        },
        *(
            {"kind": "stepped", "phase": "a", "step": s, "losses": {"supervised": 1 / s}}
            for s in range(1, 10)
        ),
    ]
    lines = (json.dumps({"v": 1, "seq": i, "time": float(i), **e}) for i, e in enumerate(events))
    (run.folder / "events.jsonl").write_text("\n".join(lines) + "\n")
    return run


@pytest.fixture(scope="module")
def html(run: Run) -> str:
    list(deliver(run.folder, run.folder / "out", parts=["report"]))
    return (run.folder / "out/report.html").read_text()


def decoded(png: bytes) -> np.ndarray:
    with warnings.catch_warnings(action="ignore"), MemoryFile(png) as memory, memory.open() as picture:
        return picture.read()


def words(html: str) -> str:
    text = Text()
    text.feed(html)
    assert text.fetched == [], "it must need no other file"
    return " ".join(text.words)


def test_it_stands_alone_and_names_run_job_seed_versions_and_inputs(html: str, run: Run) -> None:
    said = words(html)
    for wanted in (run.id, run.job.name, "isthmus run job.yaml", "torch", "working_gsd_m", "supervised"):
        assert wanted in said
    record = json.loads((run.folder / "record.json").read_text())
    for path, facts in record["inputs"].items():
        assert Path(path).name in said
        assert facts["content"] in said
    assert "how right the maps are is not known" in said


def test_areas_are_the_rasters(html: str) -> None:
    ids = truth().copy()
    ids[:8] = 255
    for value, name in enumerate(NAMES):
        hectares = (ids == value).sum() / 10_000
        row = re.search(rf"<td>{name}</td><td>([\d.,]+)</td>", html)
        assert row
        assert float(row[1].replace(",", "")) == pytest.approx(hectares, rel=0.01, abs=0.005)


def test_areas_of_a_cleaned_map_are_those_delivered(run: Run, tmp_path: Path) -> None:
    parts: list[Part] = ["class", "report"]
    list(deliver(run.folder, tmp_path, parts=parts, cleaning=Cleaning(least_m2=5000)))
    with rasterio.open(tmp_path / "target.class.tif") as cleaned:
        ids = cleaned.read(1)
    said = (tmp_path / "report.html").read_text()
    heads = re.findall(r"<th>([^<]*)</th>", said)
    assert "delivered, ha" in heads
    column = heads[heads.index("class") :].index("delivered, ha")
    for value, name in enumerate(NAMES):
        row = re.search(rf"<tr><td>{name}</td>(.*?)</tr>", said)
        assert row
        cell = re.findall(r"<td>(.*?)</td>", row[1])[column - 1]
        assert float(cell.replace(",", "")) == pytest.approx((ids == value).sum() / 10_000, abs=0.005)


def test_the_maps_are_in_it_in_their_colours(html: str) -> None:
    pictures = re.findall(r'alt="([^"]+)" src="data:image/png;base64,([^"]+)"', html)
    maps = {caption: base64.b64decode(data) for caption, data in pictures}
    seen = {tuple(int(v) for v in px) for px in decoded(maps["map by adapted"]).reshape(3, -1).T}
    assert seen == {*COLORS, (255, 255, 255)}
    assert any(caption.startswith("imagery; 128 m") for caption in maps)


def test_what_users_call_things_cannot_break_the_page() -> None:
    assert "<script>" not in table(["<script>"], [["<script>"]])
    assert "&lt;script&gt;" in chart({"<script>": [(0, 1), (1, 2)]}, "steps")
    assert chart({"a": [(0, 1)]}, "steps") == ""


def test_a_picture_shows_each_class_and_nothing_else() -> None:
    ids = np.array([[0, 1], [2, 255]], np.uint8)
    picture = decoded(class_picture(ids, COLORS))
    assert picture[:, 0, 1].tolist() == list(COLORS[1])
    assert picture[:, 1, 1].tolist() == [255, 255, 255]
