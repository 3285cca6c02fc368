"""What the engine describes, small: the job's own schema, three methods, presets and recipes."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.edits import Document
from app.engine import Engine
from core.job import Job

STATISTICS = "Without learning from the target"


class Combined(BaseModel):
    warm_share: float = Field(0.5, ge=0, le=0.9, description="Share of the steps trained on the source")
    blur: float = Field(0.5, ge=0, le=1)


class Adabn(BaseModel):
    batches: int = Field(32, ge=1)


class Nothing(BaseModel):
    pass


def described() -> dict[str, Any]:
    """As `isthmus describe` answers."""
    return {
        "isthmus": "0",
        "job": Job.model_json_schema(),
        "methods": {
            "adabn": {
                "summary": "AdaBN: statistics renewed on the target.",
                "description": "AdaBN: statistics renewed on the target.\n\nMore.",
                "options": Adabn.model_json_schema(),
                "card": {"cost": "a minute", "use": "to try first", "kind": STATISTICS},
            },
            "combined": {
                "summary": "Combined: what helps.",
                "description": "Combined: what helps.",
                "card": {"cost": "", "use": "", "kind": "Recommended"},
                "options": Combined.model_json_schema(),
            },
            "source_only": {
                "summary": "Source only: change nothing.",
                "description": "",
                "card": {"cost": "", "use": "", "kind": STATISTICS},
                "options": Nothing.model_json_schema(),
            },
        },
        "presets": {
            "quick": {
                "summary": "Minutes.",
                "settings": {"schedule.steps": 300, "sampling": {"crop_px": 128}},
            },
            "standard": {"summary": "As measured.", "settings": {"schedule.steps": 2000}},
        },
        "recipes": {
            "overhead/combined": {
                "label": "Combined, overhead",
                "summary": "From above.",
                "settings": {
                    "method": {"name": "combined", "options": {"blur": 0.1}},
                    "schedule.steps": 900,
                    "network.encoder": "resnet18",
                    "network.decoder_channels": None,
                },
            },
            "paper/combined-plain": {
                "label": "Combined, plain",
                "summary": "Nothing but the method.",
                "settings": {"method": {"name": "combined", "options": {"warm_share": 0.0}}},
            },
            "overhead/dilated": {
                "label": "Dilated (overhead)",
                "summary": "Combined, on a dilated network.",
                "settings": {
                    "method": {"name": "combined", "options": {}},
                    "network.output_stride": 8,
                },
                "card": {"cost": "more", "use": "on a large GPU", "kind": "Self-training"},
                "told_by": "network.output_stride",
            },
        },
        "decoders": ["unet", "fpn"],
        "encoders": ["resnet18", "mit_b2", "tu-pvt_v2_b2", "tu-pvt_v2_b0"],
        "devices": ["cpu", "cuda:0"],
    }


JOB = """
name: fields
source: {name: a, scenes: [{path: a.tif, labels: a.gpkg}]}
target: {name: b, scenes: [b.tif]}
legend:
  classes:
    - {name: water, color: "#0000ff"}
    - {name: forest, color: "#00ff00"}
"""


class Quiet(Engine):
    """An engine that is never asked, and describes when it is told to."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent, program=["nothing"])
        self.asked = 0

    def describe(self) -> None:
        self.asked += 1


def ready(folder: Path) -> Document:
    """A document with a project that nothing is missing from, in `folder`."""
    path = folder / "fields.yaml"
    path.write_text(JOB)
    document = Document()
    document.open(path)
    return document


def unnamed(widget: QWidget) -> list[str]:
    """The controls within that a screen reader could not name, or that a tooltip does not explain."""
    kinds = ("QComboBox", "QLineEdit", "QPushButton", "QToolButton", "QRadioButton", "QCheckBox")
    found = [w for w in widget.findChildren(QWidget) if type(w).__name__ in kinds and w.isVisibleTo(widget)]
    own = [
        w
        for w in found
        if not w.objectName().startswith("qt_") and type(w.parentWidget()).__name__ != "_NumberBox"
    ]
    return [f"{type(w).__name__} {w.objectName()}" for w in own if not w.accessibleName()]
