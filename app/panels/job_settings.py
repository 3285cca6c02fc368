"""Every setting of a job beside its scenes and legend, in parts that fold: network, schedule, shares..."""

from collections.abc import Iterator, Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.bound_form import BoundForm, change_in
from app.edits import Document
from app.forms import SchemaForm
from app.launch import DEFAULT_METHOD, default_of
from app.panels.encoders import NetworkChooser
from app.panels.shares import SharesTable
from app.project import REMOVE
from app.section import Section

BASIC = {
    "schedule": ("steps", "lr"),
    "sampling": ("crop_px", "batch", "working_gsd_m"),
    "predict": ("confidence", "probabilities", "models"),
    "network": ("encoder_depth",),
}
CHOSEN = ("encoder", "decoder", "weights")


class JobSettings(QWidget):
    """Made anew when the engine's description arrives; the method's options whenever the method changes."""

    faults_changed = Signal()

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._description: Mapping[str, Any] = {}
        self._method = ""
        self.forms: dict[str, SchemaForm] = {}
        self.network = NetworkChooser()
        self.network.changed.connect(self._on_network)
        self.network.faults_changed.connect(self.faults_changed)
        self.shares = SharesTable()
        self.shares.changed.connect(self._on_shares)
        self.sections: dict[str, Section] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        for name, title in self._titles().items():
            self.sections[name] = Section(title)
            self._layout.addWidget(self.sections[name])
        self.sections["network"].add(self.network)
        self.sections["shares"].add(self._shares_help())
        self.sections["shares"].add(self.shares)
        self.sections["options"].set_open(True)
        document.changed.connect(self._on_changed)

    def describe(self, description: Mapping[str, Any]) -> None:
        """Show the forms of what the engine can do."""
        self._description = description
        job = description["job"]
        for part, basic in BASIC.items():
            if f"{part}" in job["properties"]:
                skip = CHOSEN if part == "network" else ("device",) if part == "schedule" else ()
                form = BoundForm(self._document, (part,), job["properties"][part], job["$defs"], basic, skip)
                self._put(part, form)
        self.network.set_choices(
            description["encoders"], description["decoders"], description.get("licences", {})
        )
        self.sections["shares"].setVisible("expected_shares" in job["properties"])
        self._method = ""
        self._on_changed(())

    @property
    def faults(self) -> Iterator[str]:
        """What cannot be used, in sentences, in the order of the parts."""
        for form in self.forms.values():
            yield from form.faults
        yield from self.network.faults
        yield from self.shares.faults

    def _titles(self) -> dict[str, str]:
        return {
            "options": self.tr("Options of the method"),
            "schedule": self.tr("Schedule"),
            "sampling": self.tr("Sampling"),
            "network": self.tr("Network"),
            "shares": self.tr("Expected class shares in the target"),
            "predict": self.tr("Prediction"),
        }

    def _shares_help(self) -> QLabel:
        return QLabel(
            self.tr(
                "What you know of the target, such as from statistics. It guards against maps that cannot be."
            ),
            wordWrap=True,
        )

    def _put(self, name: str, form: SchemaForm) -> None:
        if old := self.forms.pop(name, None):
            old.setParent(None)
            old.deleteLater()
        self.forms[name] = form
        form.faults_changed.connect(self.faults_changed)
        self.sections[name].add(form)

    def _on_changed(self, keys: tuple[object, ...]) -> None:
        if not self._description:
            return
        if not keys or keys[0] == "method":
            self._show_options()
        if not keys or keys[0] == "network":
            self._show_network()
        if not keys or keys[0] in ("legend", "expected_shares"):
            self.shares.set_values(
                self._document.value("legend", "classes", default=[]),
                self._document.value("expected_shares", default={}),
            )
            self.faults_changed.emit()

    def _show_options(self) -> None:
        name = str(self._document.value("method", "name", default=DEFAULT_METHOD))
        method = self._description["methods"].get(name)
        self.sections["options"].setVisible(method is not None)
        if method is None or name == self._method:
            return
        self._method = name
        self._put("options", BoundForm(self._document, ("method", "options"), method["options"]))
        if not self.forms["options"].rows:
            self.forms["options"].setParent(None)
            self.sections["options"].hide()

    def _show_network(self) -> None:
        schema = self._description["job"]
        values = [
            self._document.value("network", key, default=default_of(schema, ("network", key)))
            for key in CHOSEN
        ]
        self.network.set_values(str(values[0]), str(values[1]), values[2])
        self.faults_changed.emit()

    def _on_network(self, key: str, value: Any) -> None:
        default = default_of(self._description["job"], ("network", key))
        text = {
            "encoder": self.tr("Choose the encoder"),
            "decoder": self.tr("Choose the decoder"),
            "weights": self.tr("Choose the encoder's weights"),
        }[key]
        change_in(self._document, text, ("network",), (key,), REMOVE if value == default else value)

    def _on_shares(self, shares: Mapping[str, float]) -> None:
        value = dict(shares) if shares else REMOVE
        self._document.change(
            self.tr("Set the expected class shares"), {("expected_shares",): value}, "expected_shares"
        )
        self.faults_changed.emit()
