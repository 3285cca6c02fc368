"""Two runs side by side: the options that differ, verdicts, scores, curves and class shares."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGroupBox,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.background import Background
from app.history import History
from app.panels.curve_pair import CurvePair
from app.panels.curves import score_title
from app.panels.tables import FigureTable, change_text, figure
from app.run_words import tr
from core.judging.comparison import Outcome, Row, headline, read_outcome, score_rows, share_rows, signal_rows
from core.variants import differences

Pair = tuple[Outcome, Outcome]


class ComparePanel(QScrollArea):
    """Compares the two runs that `show_runs` names. `failed` carries a sentence."""

    failed = Signal(str)

    def __init__(self, history: History, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history, self._background = history, Background(self)
        tr = self.tr
        self.setAccessibleName(tr("Two runs side by side"))
        self.title = QLabel(self, wordWrap=True)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setProperty("role", "heading")
        self.title.setAccessibleName(tr("The runs compared"))
        self.options = self._table(tr("Option"), tr("Options that differ"), change=False)
        self.verdicts = self._table(tr("Verdict"), tr("Verdicts"), change=False)
        self.options.share_width()
        self.scores = self._table(tr("Chosen map"), tr("Scores"))
        self.shares = self._table(tr("Class share of the chosen model"), tr("Class shares"))
        self.losses = CurvePair(tr("Losses"), tr("&Loss"), lambda of: of.curves, str, self)
        self.score_curves = CurvePair(
            tr("Scores while it was trained, without labels of the target"),
            tr("S&core"),
            lambda of: of.score_curves,
            score_title,
            self,
        )
        self._lay_out()
        self._show_nothing("")

    def show_runs(self, one: Path, other: Path) -> None:
        """Read both, in the background, and compare them."""
        self._show_nothing(self.tr("Reading {0} and {1}...").format(one.name, other.name))
        self._background.run(lambda: (read_outcome(one), read_outcome(other)), self._show, self._fail, "runs")

    def _table(self, first: str, name: str, change: bool = True) -> FigureTable:
        headers = [first, self.tr("first"), self.tr("second")] + [self.tr("change")] * change
        return FigureTable(headers, name, self)

    def _lay_out(self) -> None:
        body = QWidget(self)
        layout = QVBoxLayout(body)
        layout.addWidget(self.title)
        tr = self.tr
        self._sections = {}
        for title, table in (
            (tr("Options that differ"), self.options),
            (tr("Verdicts"), self.verdicts),
            (tr("Scores"), self.scores),
            (tr("Class shares"), self.shares),
        ):
            self._sections[title] = (self._section(title, table), table)
            layout.addWidget(self._sections[title][0])
        layout.addWidget(self.losses)
        layout.addWidget(self.score_curves)
        layout.addStretch()
        self.setWidget(body)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)

    def _section(self, title: str, table: FigureTable) -> QGroupBox:
        box = QGroupBox(title, self)
        QVBoxLayout(box).addWidget(table)
        return box

    def _show_nothing(self, why: str) -> None:
        self.title.setText(why)
        for box, _ in self._sections.values():
            box.hide()
        for curves in (self.losses, self.score_curves):
            curves.hide()

    def _fail(self, sentence: str) -> None:
        self._show_nothing(sentence)
        self.failed.emit(sentence)

    def _show(self, pair: Pair) -> None:
        one, other = pair
        names = one.folder.name, other.folder.name
        self.title.setText(self.tr("{0} and {1}").format(*names))
        for table in (self.options, self.verdicts, self.scores, self.shares):
            table.setHorizontalHeaderLabels(
                [_header(table), *names, self.tr("change")][: table.columnCount()]
            )
        self.options.show_rows(_option_rows(one, other) or [[self.tr("none: the same job"), "", ""]])
        self.verdicts.show_rows(_verdict_rows(one, other))
        self._show_figures(self.scores, _score_rows(one, other))
        self._show_figures(self.shares, _share_rows(one, other))
        for box, table in self._sections.values():
            box.setVisible(table.rowCount() > 0)
        for curves in (self.losses, self.score_curves):
            curves.follow([self._history.follower(outcome.folder) for outcome in pair])

    def _show_figures(self, table: FigureTable, rows: list[Row]) -> None:
        table.show_rows([[row.name, figure(row.before), figure(row.after), change_text(row)] for row in rows])


def _header(table: FigureTable) -> str:
    item = table.horizontalHeaderItem(0)
    return item.text() if item else ""


def _option_rows(one: Outcome, other: Outcome) -> list[list[str]]:
    return [[each.key, _plain(each.one), _plain(each.other)] for each in differences(one.job, other.job)]


def _plain(value: Any) -> str:
    return "–" if value is None else str(value)


def _verdict_rows(one: Outcome, other: Outcome) -> list[list[str]]:
    both = [outcome.verdict for outcome in (one, other)]
    rows = [[tr("did adapting help"), *(headline(verdict).partition(":")[0] for verdict in both)]]
    for key, name in (("chosen", tr("chosen model")), ("sure", tr("how sure"))):
        rows.append([name, *(str(verdict.get(key, "–")) for verdict in both)])
    found = [{row.name: row for row in signal_rows(verdict)} for verdict in both]
    for name in found[0] | found[1]:
        rows.append(
            [
                tr("{0}, adapted").format(name),
                *(figure(each[name].after if name in each else None) for each in found),
            ]
        )
    return rows


def _chosen(outcome: Outcome) -> dict[str, Any]:
    """The scores of the map that the run delivers."""
    return outcome.scores.get(outcome.verdict.get("chosen", ""), {})


def _names(one: Outcome, other: Outcome) -> list[str]:
    """Classes of both legends, the first one's first."""
    return [*one.names, *(name for name in other.names if name not in one.names)]


def _score_rows(one: Outcome, other: Outcome) -> list[Row]:
    return score_rows(_chosen(one), _chosen(other), _names(one, other))


def _share_rows(one: Outcome, other: Outcome) -> list[Row]:
    shares = []
    for outcome in (one, other):
        adapted = outcome.verdict.get("chosen") == "adapted"
        rows = share_rows(outcome.verdict, outcome.names)
        shares.append({row.name: row.after if adapted else row.before for row in rows})
    if not any(shares):
        return []
    return [Row(name, shares[0].get(name), shares[1].get(name)) for name in _names(one, other)]
