"""A finished run: did adapting help, how do we know, what changed on the ground, and where to see it."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import (
    QFrame,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.areas import AreaCount, Areas
from app.background import Background
from app.panels.map_choice import MapChoice
from app.panels.tables import FigureTable, row_texts
from app.theme import icon
from core.judging.comparison import Outcome, headline, read_outcome, score_rows, signal_rows
from core.judging.evidence import evidence


class ResultsPanel(QScrollArea):
    """Shows the run that `show_run` names.

    `show_requested` carries (run's folder, scene's stem, what): adapted, source-only, chosen, confidence,
    disagreement or swipe. `export_requested` and `apply_requested` carry the folder, `failed` a sentence.
    """

    show_requested = Signal(object, str, str)
    export_requested = Signal(object)
    apply_requested = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.outcome: Outcome | None = None
        self.setAccessibleName(self.tr("Results"))
        self._background, self._areas = Background(self), AreaCount(self)
        self._areas.counted.connect(self._show_areas)
        self._areas.failed.connect(self._miss_areas)
        self.verdict = self._text("heading", self.tr("Did adapting help"))
        self.reasons = self._text("", self.tr("How we know"))
        tr = self.tr
        both = (tr("source-only"), tr("adapted"), tr("change"))
        self.signals = FigureTable((tr("Measured without labels"), *both), tr("Signals"), self)
        self.scores = FigureTable((tr("Against check labels"), *both), tr("Scores"), self)
        self.areas = FigureTable((tr("Ground covered, ha"), *both), tr("Class areas"), self)
        self.areas_note = self._text("hint", self.tr("State of the areas"))
        self.maps = MapChoice(self)
        self.maps.chosen.connect(self._request)
        self._lay_out()
        self.show_run(None)

    def show_run(self, folder: Path | None) -> None:
        """Read this run, in the background, and show what it came to; None for none."""
        self._areas.stop()
        self._background.drop("run")
        if folder is None:
            self._show(None)
            return
        self._background.run(lambda: read_outcome(folder), self._show, self._fail, "run")

    def _text(self, role: str, name: str) -> QLabel:
        label = QLabel(self, wordWrap=True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setProperty("role", role)
        label.setAccessibleName(name)
        return label

    def _lay_out(self) -> None:
        self.export = QPushButton(icon("export"), self.tr("&Export..."), self)
        self.export.setToolTip(self.tr("Maps, polygons, catalogue, model and report, in a folder of yours"))
        self.export.clicked.connect(lambda: self._emit(self.export_requested))
        self.apply = QPushButton(icon("apply"), self.tr("&Apply to new scenes..."), self)
        self.apply.setToolTip(self.tr("Map more scenes of the same sensor and season with this model"))
        self.apply.clicked.connect(lambda: self._emit(self.apply_requested))
        buttons = QHBoxLayout()
        for button in (self.export, self.apply):
            button.setAccessibleName(button.text().replace("&", "").rstrip("."))
            buttons.addWidget(button)
        buttons.addStretch()
        self._sections = [
            self._section(self.tr("How do we know"), [self.signals]),
            self._section(self.tr("Scores"), [self.scores]),
            self._section(self.tr("Class areas, before and after"), [self.areas, self.areas_note]),
        ]
        body = QWidget(self)
        layout = QVBoxLayout(body)
        layout.addWidget(self.verdict)
        layout.addWidget(self.reasons)
        layout.addWidget(self.maps)
        layout.addLayout(buttons)
        for section in self._sections:
            layout.addWidget(section)
        layout.addStretch()
        self.setWidget(body)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def _section(self, title: str, widgets: Sequence[QWidget]) -> QGroupBox:
        box = QGroupBox(title, self)
        layout = QVBoxLayout(box)
        for widget in widgets:
            layout.addWidget(widget)
        return box

    def _show(self, outcome: Outcome | None) -> None:
        self.outcome = outcome
        self._show_verdict(outcome)
        stems = outcome.stems if outcome else []
        self.maps.show_maps({stem: outcome.models(stem) for stem in stems} if outcome else {})
        for widget in (self.maps, self.export, self.apply):
            widget.setVisible(bool(stems))
        signals = signal_rows(outcome.verdict) if outcome else []
        self.signals.show_rows([row_texts(row) for row in signals], [row.hint for row in signals])
        scores = outcome.scores if outcome else {}
        names = outcome.names if outcome else []
        rows = score_rows(scores.get("source-only"), scores.get("adapted"), names)
        self.scores.show_rows([row_texts(row) for row in rows])
        for section, shown in zip(self._sections, (signals, rows, stems), strict=True):
            section.setVisible(bool(shown))
        self.areas.show_rows([])
        self.areas.hide()
        self._say_areas(self.tr("Counting the pixels of the maps..."))
        if outcome and stems:
            self._areas.count(outcome)

    def _show_verdict(self, outcome: Outcome | None) -> None:
        if outcome is None:
            self.verdict.setText(self.tr("No results yet"))
            self.reasons.setText(self.tr("Choose a finished run, or wait until one ends."))
            return
        self.verdict.setText(headline(outcome.verdict))
        lines = [f"• {reason}" for reason in outcome.verdict.get("reasons", [])]
        lines += [f"• {sentence}" for sentence in evidence(outcome.verdict)]
        if "adapted" in outcome.verdict:
            sure = outcome.verdict["sure"]
            lines.insert(0, self.tr("Judged without any label of the target; how sure: {0}.").format(sure))
        self.reasons.setText("\n".join(lines) or self.tr("It is judged when the training has ended."))

    def _show_areas(self, folder: Path, areas: Areas) -> None:
        outcome = self.outcome
        if outcome is None or outcome.folder != folder:
            return
        before, after = areas.get("source-only"), areas.get("adapted")
        rows = [_area_texts(name, i, before, after) for i, name in enumerate(outcome.names)]
        self.areas.show_rows(rows, colors=[each.color for each in outcome.job.legend.classes])
        self.areas.show()
        self._say_areas("")

    def _miss_areas(self, sentence: str) -> None:
        self._say_areas(self.tr("The areas could not be counted: {0}").format(sentence))

    def _say_areas(self, text: str) -> None:
        self.areas_note.setText(text)
        self.areas_note.setVisible(bool(text))

    def _fail(self, sentence: str) -> None:
        self._show(None)
        self.failed.emit(sentence)

    def _emit(self, signal: SignalInstance) -> None:
        if self.outcome:
            signal.emit(self.outcome.folder)

    def _request(self, stem: str, what: str) -> None:
        if self.outcome:
            self.show_requested.emit(self.outcome.folder, stem, what)


def _area_texts(name: str, number: int, before: list[float] | None, after: list[float] | None) -> list[str]:
    """Hectares of one class by either model, and how it changed."""
    was, now = (None if each is None else each[number] / 1e4 for each in (before, after))
    texts = ["–" if each is None else f"{each:,.2f}" for each in (was, now)]
    if was is None or now is None:
        return [name, *texts, "–"]
    change = now - was
    if abs(change) < 0.005:
        return [name, *texts, "="]
    share = f" ({change / was:+.0%})" if was else ""
    return [name, *texts, f"{'▲' if change > 0 else '▼'} {abs(change):,.2f}{share}"]
