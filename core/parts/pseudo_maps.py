"""Pseudo labels made offline: the whole target predicted by a network at rest, and what it is sure of kept.

Rasters of labels on the network's pixels, one a scene, and beside them `labels.json`: each class's threshold,
and the share of its pixels that is kept. That file is written last: with it, all is there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from core.bench import TARGET, Bench
from core.errors import RunFailed
from core.events import Progressed
from core.files import write_json
from core.imagery.data import Domain
from core.mapping.predict import Predictor, predict_scene
from core.networks.segmentor import Segmentor
from core.parts.pseudo_labels import BINS, ClassTrust
from core.runs.map_files import CLASS_SUFFIX, CONFIDENCE_STEPS, CONFIDENCE_SUFFIX, stems
from geo_io.grid import Box
from geo_io.legend import IGNORE, Value
from geo_io.raster import RasterLabels
from geo_io.scene import Scene
from geo_io.write import write_map

LABELLED = "labelled target"
"""The domain of the target with its pseudo labels."""
LABELS_SUFFIX, DONE = ".labels.tif", "labels.json"
BAND_ROWS = 512

Threshold = Literal["median", "fixed"]


@dataclass(frozen=True)
class PseudoMaps:
    """The labels that a phase learns from: made before its first step, found again when it is resumed.

    A pixel keeps its label where it is as sure as its class asks for. `median`: as the class's median over
    all target scenes, those not mapped too, or as `cap`, whatever is less; `fixed`: as `cap`.
    """

    bench: Bench
    phase: str
    threshold: Threshold = "median"
    cap: float = 0.9

    def make(self, network: Segmentor) -> Iterator[Progressed]:
        """Label the target with `network`, and admit it to the bench as the domain `LABELLED`.

        Killed, it goes on where it was. The first of several devices works, and the others wait.
        """
        bench, folder = self.bench, self._folder
        labelled = bench.domains[TARGET]
        if folder is None:
            maker = self._maker(network)
            for plane in (maker.plane(place.scene.grid) for place in labelled.places):
                bench.left_out_tiles += plane.tiling_y.count * plane.tiling_x.count
        else:
            with bench.fabric.rank_zero_first():
                if not (folder / DONE).exists():
                    yield from self._made(folder, network)
            labelled = self._labelled(folder)
        bench.admit(LABELLED, labelled)

    @property
    def _folder(self) -> Path | None:
        return self.bench.folder and self.bench.folder / f"labels to {self.phase}"

    @property
    def _stems(self) -> list[str]:
        return stems(self.bench.job.target.scenes)

    def _maker(self, network: Segmentor) -> Predictor:
        bench, target = self.bench, self.bench.domains[TARGET]
        options = bench.job.predict.model_copy(update={"confidence": True, "test_time_views": 1})
        return Predictor(
            network, target.stats, bench.job.legend, options, bench.device, target.gsd_m, native=False
        )

    def _made(self, folder: Path, network: Segmentor) -> Iterator[Progressed]:
        if self.bench.fabric.global_rank or not self.bench.begins(self.phase):
            raise RunFailed(f"{folder}: the labels that this phase learns from are gone; start a new run")
        maker, places = self._maker(network), self.bench.domains[TARGET].places
        for place, stem in zip(places, self._stems, strict=True):
            for said in predict_scene(maker, place.scene, place.area, folder, stem, {"FOR": self.phase}):
                yield said.model_copy(update={"what": f"labelling {stem}"})
        counts = sum((_counted(folder, stem) for stem in self._stems), np.zeros((256, 256), np.int64))
        thresholds = self._thresholds(counts[: self.bench.classes])
        least = np.ceil(thresholds * CONFIDENCE_STEPS).astype(np.uint8)
        for done, (place, stem) in enumerate(zip(places, self._stems, strict=True), 1):
            write_map(
                folder / (stem + LABELS_SUFFIX),
                maker.map_grid(place.scene.grid),
                _kept(folder, stem, least),
                colors=[c.rgb for c in maker.legend.classes],
                names=maker.legend.names,
                tags={"FOR": self.phase},
                description="pseudo label",
            )
            yield Progressed(what="keeping sure labels", done=done, total=len(places))
        write_json(folder / DONE, _record(maker.legend.names, thresholds, least, counts))
        for stem in self._stems:
            for path in _maps(folder, stem):
                path.unlink(missing_ok=True)
                path.with_name(path.name + ".aux.xml").unlink(missing_ok=True)

    def _thresholds(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """(k, 256) pixels by class and confidence -> (k,)."""
        if self.threshold == "fixed":
            return np.full(len(counts), self.cap)
        trust = ClassTrust(len(counts), self.cap)
        bins = (torch.arange(256) * BINS // CONFIDENCE_STEPS).clamp(max=BINS - 1)
        trust.histogram.index_add_(1, bins, torch.from_numpy(counts).double())
        found: NDArray[np.float64] = trust.thresholds.numpy()
        return found

    def _labelled(self, folder: Path) -> Domain:
        """The target with these labels, its crops drawn evenly as before, whatever they show of a class."""
        target, legend = self.bench.domains[TARGET], self.bench.job.legend
        sampling = target.sampling.model_copy(update={"max_class_share": None})
        ids: dict[Value, str] = dict(enumerate(legend.names))
        labels = (RasterLabels(folder / (stem + LABELS_SUFFIX), legend, mapping=ids) for stem in self._stems)
        pairs = zip(target.places, labels, strict=True)
        places = [replace(place, labels=label) for place, label in pairs]
        return replace(target, places=places, sampling=sampling)


def _maps(folder: Path, stem: str) -> tuple[Path, Path]:
    """Where the network's answer lies until its labels do."""
    return folder / (stem + CLASS_SUFFIX), folder / (stem + CONFIDENCE_SUFFIX)


def _rows(folder: Path, stem: str) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Bands (h, w) of class ids, 255 for none, and of confidences, from top to bottom."""
    classes, confidences = (Scene.open(path) for path in _maps(folder, stem))
    with classes, confidences:
        for row in range(0, classes.grid.height, BAND_ROWS):
            box = Box(0, row, classes.grid.width, BAND_ROWS).clip(classes.grid.width, classes.grid.height)
            label, sure = classes.read(box), confidences.read(box)
            yield (
                np.where(label.valid, label.values[0], IGNORE).astype(np.uint8),
                sure.values[0].astype(np.uint8),
            )


def _counted(folder: Path, stem: str) -> NDArray[np.int64]:
    """(256, 256) pixels by class, 255 for none, and confidence."""
    counts = np.zeros(2**16, np.int64)
    for labels, sure in _rows(folder, stem):
        for row in labels.astype(np.uint16) << 8 | sure:
            counts += np.bincount(row, minlength=len(counts))
    return counts.reshape(256, 256)


def _kept(folder: Path, stem: str, least: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Bands of class ids where they are at least as sure as (k,) `least`, else 255."""
    asked = np.full(256, IGNORE, np.uint8)
    asked[: len(least)] = least
    for labels, sure in _rows(folder, stem):
        yield np.where(sure >= asked[labels], labels, IGNORE).astype(np.uint8)


def _record(
    names: list[str], thresholds: NDArray[np.float64], least: NDArray[np.uint8], counts: NDArray[np.int64]
) -> dict[str, dict[str, float]]:
    """Class -> its threshold, how many pixels were taken for it, and the share of them that is kept."""
    record = {}
    for c, name in enumerate(names):
        pixels, kept = int(counts[c].sum()), int(counts[c, least[c] :].sum())
        record[name] = {"threshold": float(thresholds[c]), "pixels": pixels, "kept": kept / max(pixels, 1)}
    return record
