"""What preflight says about the project, in plain words, before hours are lost."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from app.checking import Checker
from app.details import details_of
from app.edits import Document
from app.engine import Engine
from app.panels.problem import show_problem
from core.checks.findings import Finding, PairReport, Verdict, in_words

if TYPE_CHECKING:  # pyqtgraph takes as long to load as the rest of the window: with the first chart
    from app.charts import BandHistograms, ClassBars

ICON_PX = 32
_Pixmap = QStyle.StandardPixmap


class ChecksPanel(QScrollArea):
    """Verdict, faults, warnings, class shares and the gap between the two places.

    `verdict_changed` carries a Verdict, None while none is of the project as it is now.
    """

    verdict_changed = Signal(object)

    def __init__(
        self, document: Document, parent: QWidget | None = None, engine: Engine | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self.checker = Checker(document, self, engine)
        self._classes: ClassBars | None = None
        self._bands: BandHistograms | None = None
        self._build()
        self.checker.changed.connect(self._refresh)
        self.checker.verdict_changed.connect(self.verdict_changed)
        self._refresh()

    @property
    def faults(self) -> list[str]:
        """Why a run cannot start, in sentences; empty with a verdict that says it can."""
        return self.checker.faults

    @property
    def verdict(self) -> Verdict | None:
        return self.checker.verdict

    @property
    def classes(self) -> "ClassBars":
        """The chart of the classes' shares, made when first needed."""
        if self._classes is None:
            from app.charts import ClassBars

            self._classes = ClassBars()
            self._classes.setAccessibleName(self.tr("Share of each class in the labels"))
            self._class_column.addWidget(self._classes)
        return self._classes

    @property
    def bands(self) -> "BandHistograms":
        """The histograms of both places, made when first needed."""
        if self._bands is None:
            from app.charts import BandHistograms

            self._bands = BandHistograms()
            self._bands.setAccessibleName(self.tr("Pixel values of both places by band"))
            self._pair_column.addWidget(self._bands)
        return self._bands

    def check(self) -> None:
        """Look at the files now."""
        self.checker.check()

    def _refresh(self) -> None:
        state, verdict = self.checker.state, self.checker.verdict
        self._show_banner()
        self.busy.setVisible(state == "looking")
        self.stop.setVisible(state == "looking")
        self.again.setEnabled(state not in ("incomplete", "looking"))
        sentences = [] if verdict else self.checker.faults
        faults = verdict.faults if verdict else [_as_finding(text) for text in sentences]
        _fill(self.fault_box, [self._card(finding, _Pixmap.SP_MessageBoxCritical) for finding in faults])
        warnings = verdict.warnings if verdict else []
        _fill(self.warning_box, [self._card(finding, _Pixmap.SP_MessageBoxWarning) for finding in warnings])
        self._show_classes(verdict)
        self._show_pair(verdict)

    def _show_banner(self) -> None:
        verdict, count = self.checker.verdict, len(self.checker.faults)
        icon, words = {
            "incomplete": (_Pixmap.SP_MessageBoxInformation, self.tr("Not ready: something is missing")),
            "waiting": (_Pixmap.SP_MessageBoxInformation, self.tr("Not checked yet")),
            "looking": (_Pixmap.SP_MessageBoxInformation, self.tr("Looking at the files...")),
            "failed": (_Pixmap.SP_MessageBoxCritical, self.tr("The check itself failed")),
            "done": (_Pixmap.SP_DialogApplyButton, self.tr("Ready to run")),
        }[self.checker.state]
        if verdict and count:
            icon = _Pixmap.SP_MessageBoxCritical
            words = self.tr("Cannot run: a fault") if count == 1 else self.tr("Cannot run: {} faults")
        elif verdict and verdict.warnings:
            icon, count = _Pixmap.SP_MessageBoxWarning, len(verdict.warnings)
            one, many = self.tr("Can run, with a warning"), self.tr("Can run, with {} warnings")
            words = one if count == 1 else many
        self.icon.setPixmap(self.style().standardIcon(icon).pixmap(ICON_PX))
        self.words.setText(words.format(count))

    def _show_classes(self, verdict: Verdict | None) -> None:
        pixels: dict[str, int] = {}
        for report in (scene.labels for scene in verdict.scenes) if verdict else ():
            for name, count in report.pixels.items() if report else ():
                pixels[name] = pixels.get(name, 0) + count
        colors = {c["name"]: c["color"] for c in self._document.value("legend", "classes", default=[])}
        total = max(sum(pixels.values()), 1)
        bars = [(name, count / total, colors.get(name, "#888888")) for name, count in pixels.items()]
        self.class_box.setVisible(bool(bars))
        if not bars:
            return
        self.classes.show_shares(bars)
        said = ", ".join(f"{name} {share:.1%}" for name, share, _ in bars)
        self.classes.setAccessibleDescription(said)

    def _show_pair(self, verdict: Verdict | None) -> None:
        pair = verdict.pair if verdict else None
        self.pair_box.setVisible(pair is not None)
        if not verdict or not pair:
            return
        from app.charts import colors_of

        self.pair.setText(self._pair_in_words(verdict, pair))
        ours, theirs = (color.name() for color in colors_of(self.bands))
        key = self.tr(
            '<span style="color:{0}">━━</span> source &nbsp; <span style="color:{1}">╍╍</span> target'
        )
        self.key.setText(key.format(ours, theirs))
        self.bands.show_bands(pair.source, pair.target)
        self.bands.setAccessibleDescription(self.pair.text())

    def _pair_in_words(self, verdict: Verdict, pair: PairReport) -> str:
        crs = self.tr("the same CRS") if pair.same_crs else self.tr("another CRS (no obstacle)")
        sizes = ", ".join(f"{Path(s.path).name} {s.gsd_m:.3g} m" for s in verdict.scenes[:6])
        others = len(verdict.scenes) - 6
        more = self.tr(" and {} more").format(others) if others > 0 else ""
        lines = [
            self.tr("Pixel sizes: {0}{1}; they differ by {2:.2f} times.").format(sizes, more, pair.gsd_ratio),
            self.tr("The network sees pixels of {0:.3g} m. The target has {1}.").format(
                pair.working_gsd_m, crs
            ),
            self.tr("Distance of the pixel values, in standard deviations: {}.").format(
                ", ".join(f"{name} {d:.2f} ({in_words(d)})" for name, d in pair.distance.items())
            ),
        ]
        return "\n".join(lines)

    def _card(self, finding: Finding, pixmap: QStyle.StandardPixmap) -> QWidget:
        card = QWidget()
        icon = QLabel()
        icon.setPixmap(self.style().standardIcon(pixmap).pixmap(16))
        icon.setAlignment(Qt.AlignmentFlag.AlignTop)
        name = Path(finding.where).name or finding.where
        head = f"{name}: {finding.what}." if finding.where else f"{finding.what}."
        remedy = self.tr("What to do: {}.").format(finding.remedy) if finding.remedy else ""
        text = QLabel("\n".join(filter(None, (head, remedy))), wordWrap=True)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        text.setToolTip(finding.where)
        row = QHBoxLayout(card)
        row.setContentsMargins(0, 2, 0, 2)
        row.addWidget(icon)
        row.addWidget(text, 1)
        sentence = finding.text.removeprefix(": ").removesuffix("; ")
        if details := details_of(sentence):
            unfold = QPushButton(self.tr("Details"))
            unfold.setAccessibleName(self.tr("Details"))
            unfold.clicked.connect(lambda _: show_problem(self, sentence, details))
            row.addWidget(unfold, alignment=Qt.AlignmentFlag.AlignTop)
        return card

    def _build(self) -> None:
        self.setAccessibleName(self.tr("Checks"))
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.fault_box, self.warning_box = QGroupBox(self.tr("Faults")), QGroupBox(self.tr("Warnings"))
        for box in (self.fault_box, self.warning_box):
            QVBoxLayout(box)
        inside = QWidget()
        column = QVBoxLayout(inside)
        for widget in (self._build_banner(), self.fault_box, self.warning_box, *self._build_charts()):
            column.addWidget(widget)
        column.addStretch(1)
        self.setWidget(inside)

    def _build_banner(self) -> QWidget:
        banner = QFrame()
        banner.setFrameShape(QFrame.Shape.StyledPanel)
        self.icon, self.words = QLabel(), QLabel(wordWrap=True)
        self.words.setProperty("role", "heading")
        self.words.setAccessibleName(self.tr("Verdict"))
        self.busy = QProgressBar(minimum=0, maximum=0)
        self.busy.setAccessibleName(self.tr("Looking at the files"))
        self.stop = QPushButton(self.tr("Stop"))
        self.stop.setToolTip(self.tr("Stop looking; check again whenever you like"))
        self.stop.clicked.connect(lambda _: self.checker.cancel())
        self.again = QPushButton(self.tr("Check &again"))
        self.again.setToolTip(self.tr("Look at all files now, as they may have changed on disk"))
        self.again.clicked.connect(lambda _: self.check())
        self.automatic = QCheckBox(self.tr("After each &change"))
        self.automatic.setChecked(True)
        self.automatic.setToolTip(self.tr("Look again by itself when the project has changed"))
        self.automatic.toggled.connect(self._set_automatic)
        for control in (self.stop, self.again, self.automatic):
            control.setAccessibleName(control.text().replace("&", ""))
        rows, said, asked = QVBoxLayout(banner), QHBoxLayout(), QHBoxLayout()
        said.addWidget(self.icon)
        said.addWidget(self.words, 1)
        said.addWidget(self.busy)
        asked.addWidget(self.automatic)
        asked.addStretch(1)
        asked.addWidget(self.stop)
        asked.addWidget(self.again)
        rows.addLayout(said)
        rows.addLayout(asked)
        return banner

    def _set_automatic(self, on: bool) -> None:
        self.checker.automatic = on
        if on and self.checker.state == "waiting":
            self.check()

    def _build_charts(self) -> tuple[QWidget, QWidget]:
        self.class_box = QGroupBox(self.tr("Classes in the source's labels"))
        self._class_column = QVBoxLayout(self.class_box)
        self.pair_box = QGroupBox(self.tr("Source against target"))
        self.pair, self.key = QLabel(wordWrap=True), QLabel()
        self.pair.setTextFormat(Qt.TextFormat.PlainText)
        self._pair_column = QVBoxLayout(self.pair_box)
        for widget in (self.pair, self.key):
            self._pair_column.addWidget(widget)
        return self.class_box, self.pair_box


def _fill(box: QGroupBox, cards: list[QWidget]) -> None:
    layout = box.layout()
    assert layout is not None
    while (item := layout.takeAt(0)) is not None:
        if (old := item.widget()) is not None:
            old.deleteLater()
    for card in cards:
        layout.addWidget(card)
    box.setVisible(bool(cards))


def _as_finding(sentence: str) -> Finding:
    """A sentence that is no finding of preflight: what is wrong, and after the last `; ` what to do."""
    what, _, remedy = sentence.rpartition("; ")
    return Finding(where="", what=what or sentence, remedy=remedy if what else "")
