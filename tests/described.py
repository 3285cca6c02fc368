"""What the engine describes, small: the job's own schema, three methods, presets and recipes."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractScrollArea, QAbstractSpinBox, QComboBox, QWidget

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
    """What takes the focus within `widget` and a screen reader could not name, hidden pages included."""
    found = [w for w in [widget, *widget.findChildren(QWidget)] if _takes_focus(w)]
    return [_place(w) for w in found if not _name(w)]


def _takes_focus(widget: QWidget) -> bool:
    """Not the parts that Qt makes controls of: viewports, the lines of boxes, the lists they open."""
    parent, ours = widget.parentWidget(), not widget.objectName().startswith("qt_")
    part = isinstance(parent, QAbstractScrollArea) and parent.viewport() is widget
    while parent is not None:
        part = part or isinstance(parent, QComboBox | QAbstractSpinBox)
        parent = parent.parentWidget()
    return widget.focusPolicy() != Qt.FocusPolicy.NoFocus and ours and not part


def _name(widget: QWidget) -> str:
    """As assistive technology gets it: the accessible name, a button's text, the label whose buddy it is."""
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)


def _place(widget: QWidget) -> str:
    names, at = [], widget
    while at is not None:
        names.append(type(at).__name__)
        at = at.parentWidget()
    return " in ".join(names[:3])
