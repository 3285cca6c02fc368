"""The labels of scenes: which file, and where in it the class stands."""

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.background import Background
from app.edits import Document
from app.panels.scene_editor import Scene, SceneEditor, without
from geo_io.vector_facts import VECTOR_SUFFIXES, VectorLayer, vector_layers

BAND_MOST = 999


class LabelsEditor(SceneEditor):
    """Edits `labels` of the scenes shown last. Those of a target are for checking only."""

    also = ("legend",)

    def __init__(self, document: Document, place: str, parent: QWidget | None = None) -> None:
        super().__init__(document, place, parent)
        self._layers: dict[str, list[VectorLayer] | str] = {}
        self._background = Background(self)
        self._build()
        document.changed.connect(self._follow)
        self._refresh()

    def set_file(self, path: Path) -> None:
        """Take the labels from `path`."""
        labels = {"path": str(path), **({"use": "check"} if self._place == "target" else {})}
        self._edit(self.tr("Choose labels"), lambda scene: scene | {"labels": labels})

    def clear(self) -> None:
        self._edit(self.tr("Remove labels"), lambda scene: without(scene, "labels"))

    def use_for_all(self) -> None:
        """Give every image of the place these labels, with the same options."""
        labels = self._labels
        text = self.tr("Use labels for all images")
        self._edit(text, lambda scene: scene | {"labels": labels}, everywhere=True)

    def choose(self) -> None:
        vectors = " ".join(f"*{suffix}" for suffix in sorted(VECTOR_SUFFIXES))
        kinds = self.tr("Labels (*.tif *.tiff *.png *.img *.vrt {});;All files (*)").format(vectors)
        path, _ = QFileDialog.getOpenFileName(
            self, self.tr("Choose labels"), self._scene.get("path", ""), kinds
        )
        if path:
            self.set_file(Path(path))

    @property
    def _labels(self) -> dict[str, Any]:
        return self._of(self._index)

    def _of(self, index: int) -> dict[str, Any]:
        return self._document.value(self._place, "scenes", index, "labels", default=None) or {}

    def _refresh(self) -> None:
        path = self._labels.get("path", "")
        vector = Path(path).suffix.lower() in VECTOR_SUFFIXES
        files = {self._of(index).get("path") for index in self._indices} - {None}
        text = path if len(files) < 2 else self.tr("{} label files").format(len(files))
        self.file.setText(text)
        self.file.setCursorPosition(len(text))
        self.all_button.setEnabled(bool(path) and len(self._scenes) > 1)
        self.choose_button.setEnabled(bool(self._scene))
        self.clear_button.setEnabled(bool(path))
        for control in (self.layer, self.attribute, self.unlabelled):
            self._form.setRowVisible(control, vector)
        self._form.setRowVisible(self.band, bool(path) and not vector)
        self.use.setVisible(bool(path) and self._labels.get("use") == "check")
        self.problem.hide()
        if vector:
            self._show_vector(path)
        else:
            self.band.blockSignals(True)
            self.band.setValue(int(self._labels.get("band", 1)))
            self.band.blockSignals(False)

    def _show_vector(self, path: str) -> None:
        found = self._layers.get(path)
        if found is None:
            take = partial(self._take_layers, path)
            self._background.run(partial(vector_layers, Path(path)), take, take)
        layers = found if isinstance(found, list) else []
        if isinstance(found, str):
            self.problem.setText(found)
            self.problem.show()
        names = [layer.name for layer in layers]
        layer = self._labels.get("layer")
        automatic = self.tr("the only one") if len(names) < 2 else self.tr("choose one")
        _fill(self.layer, automatic, names, layer)
        chosen = next((each for each in layers if each.name == layer), layers[0] if layers else None)
        attributes = list(chosen.attributes) if chosen and (layer or len(layers) == 1) else []
        _fill(
            self.attribute, self.tr("the one that fits the legend"), attributes, self._labels.get("attribute")
        )
        classes = [each.get("name", "") for each in self._document.value("legend", "classes", default=[])]
        _fill(self.unlabelled, self.tr("is unlabelled"), classes, self._labels.get("unlabelled"))

    def _take_layers(self, path: str, found: list[VectorLayer] | str) -> None:
        self._layers[path] = found
        self._refresh()

    def _choose(self, name: str, combo: QComboBox) -> None:
        self._set(self.tr("Change the labels' {}").format(name), name, combo.currentData())

    def _set_band(self, band: int) -> None:
        self._set(self.tr("Change the labels' band"), "band", band, f"band {self._place} {self._indices}")

    def _set(self, text: str, name: str, value: Any, merge: str = "") -> None:
        """One option of the labels that there are; None takes it out."""

        def edited(scene: Scene) -> Scene:
            if not scene.get("labels"):
                return scene
            labels = without(scene["labels"], name) | ({} if value is None else {name: value})
            return scene | {"labels": labels}

        self._edit(text, edited, merge)

    def _build(self) -> None:
        self.file = QLineEdit(readOnly=True, placeholderText=self.tr("no labels"))
        self.file.setAccessibleName(self.tr("Label file"))
        self.choose_button = QPushButton(self.tr("&Labels..."))
        self.choose_button.setAccessibleName(self.tr("Choose a label file"))
        self.choose_button.setToolTip(self.tr("A raster of class values, or polygons with a class attribute"))
        self.choose_button.clicked.connect(lambda _: self.choose())
        self.clear_button = QPushButton(self.tr("Clear"))
        self.clear_button.setAccessibleName(self.tr("Use no labels of this image"))
        self.clear_button.setToolTip(self.tr("Use this image without labels; the file stays"))
        self.clear_button.clicked.connect(lambda _: self.clear())
        self.all_button = QPushButton(self.tr("For all ima&ges"))
        self.all_button.setAccessibleName(self.tr("Use these labels for all images"))
        self.all_button.setToolTip(
            self.tr("Gives every image of this place these labels, with the same options")
        )
        self.all_button.clicked.connect(lambda _: self.use_for_all())
        row = QHBoxLayout()
        row.addWidget(self.file, 1)
        for button in (self.choose_button, self.clear_button, self.all_button):
            row.addWidget(button)
        self.use = QLabel(
            self.tr("For checking the maps only: no run learns from labels of the target."), wordWrap=True
        )
        self.problem = QLabel(wordWrap=True)
        self.problem.setAccessibleName(self.tr("What is wrong with the labels"))
        layout = QVBoxLayout(self)
        layout.addLayout(row)
        layout.addWidget(self.use)
        layout.addLayout(self._build_form())
        layout.addWidget(self.problem)
        layout.addStretch(1)

    def _build_form(self) -> QFormLayout:
        self.layer, self.attribute, self.unlabelled = QComboBox(), QComboBox(), QComboBox()
        rows = (
            ("layer", self.layer, self.tr("L&ayer"), self.tr("The layer that holds the labels")),
            (
                "attribute",
                self.attribute,
                self.tr("A&ttribute"),
                self.tr("The attribute that holds the class"),
            ),
            (
                "unlabelled",
                self.unlabelled,
                self.tr("&Land without a polygon"),
                self.tr("Its class; unlabelled land is not learnt from"),
            ),
        )
        self._form = QFormLayout()
        for name, combo, label, tip in rows:
            combo.setAccessibleName(label.replace("&", ""))
            combo.setToolTip(tip)
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(16)
            combo.activated.connect(partial(self._choose_from, name))
            self._form.addRow(label, combo)
        self.band = QSpinBox(minimum=1, maximum=BAND_MOST)
        self.band.setAccessibleName(self.tr("Band of the labels"))
        self.band.setToolTip(self.tr("The band of the raster that holds the class; 1 is the first"))
        self.band.valueChanged.connect(self._set_band)
        self._form.addRow(self.tr("&Band"), self.band)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self._form.setFormAlignment(Qt.AlignmentFlag.AlignTop)
        return self._form

    def _choose_from(self, name: str, _: int) -> None:
        self._choose(name, {"layer": self.layer, "attribute": self.attribute}.get(name, self.unlabelled))


def _fill(combo: QComboBox, automatic: str, names: list[str], current: str | None) -> None:
    """`automatic` (no value) and `names`, with `current` chosen, and added where the file lacks it."""
    combo.clear()
    combo.addItem(f"({automatic})", None)
    for name in [*names, *([current] if current and current not in names else [])]:
        combo.addItem(name, name)
    combo.setCurrentIndex(max(combo.findData(current), 0) if current else 0)
