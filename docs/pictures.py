"""The pictures of the tour, taken of the real window on the built-in sample with two finished runs.

    isthmus sample places && isthmus run places/job.yaml && isthmus run places/job.yaml --set seed=1
    python docs/pictures.py places docs/tour [--scheme dark]

At 200 %: QT_SCALE_FACTOR=2. Without a screen: QT_QPA_PLATFORM=offscreen.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QElapsedTimer, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.main import application
from app.map.image_layer import ImageLayer
from app.map.layer_list import LayerList
from app.menus import Menus
from app.panels.about import AboutDialog
from app.panels.apply import ApplyPanel
from app.panels.compare import ComparePanel
from app.panels.export import ExportDialog
from app.panels.settings import SettingsDialog
from app.panels.shortcuts import ShortcutsDialog
from app.place_map import PlaceMap
from app.theme import apply_theme
from app.window import MainWindow

PATIENCE_MS, QUALITY = 120_000, 80


def wait(true: Callable[[], object]) -> None:
    clock = QElapsedTimer()
    clock.start()
    while not true():
        if clock.elapsed() > PATIENCE_MS:
            sys.exit("the window did not come to what was to be pictured")
        QTest.qWait(50)
    QTest.qWait(300)


class Tour:
    """One walk through the window; `take` saves what it shows."""

    def __init__(self, sample: Path, to: Path, ending: str) -> None:
        self.sample, self.to, self.ending = sample, to, ending
        self.window = MainWindow()
        self.menus = Menus(self.window)
        self.window.resize(1440, 900)
        self.window.show()
        QTest.qWait(500)

    def take(self, name: str, widget: QWidget | None = None) -> None:
        self.to.mkdir(parents=True, exist_ok=True)
        seen = (widget or self.window).grab()
        if not seen.save(str(self.to / f"{name}{self.ending}"), quality=QUALITY):
            sys.exit(f"{name} cannot be written to {self.to}")

    def take_beside(
        self, name: str, kind: type[QWidget], ready: Callable[[Any], bool] = lambda _: True
    ) -> None:
        """A window beside the main one once it is ready; it is closed then."""

        def shown() -> list[QWidget]:
            found = (each for each in QApplication.topLevelWidgets() if isinstance(each, kind))
            return [each for each in found if each.isVisible()]

        wait(lambda: any(map(ready, shown())))
        QTest.qWait(1000)
        (widget,) = shown()
        self.take(name, widget)
        widget.close()

    def still(self) -> bool:
        return not any(place_map.view.busy for place_map in self.window.maps.maps.values())

    def walk(self) -> None:
        window = self.window
        self.take("1-start")
        window.open_path(self.sample / "job.yaml")
        wait(lambda: all(all(panel.facts) for panel in window.places.imagery.values()) and self.still())
        window.places.imagery["source"].select(0)
        self.take("2-imagery")
        self.look_closer()
        window.steps.show_step("legend")
        self.take("3-classes")
        window.steps.show_step("checks")
        window.check()
        wait(lambda: window.checks.verdict)
        QTest.qWait(1500)
        self.take("4-checks")
        window.steps.show_step("method")
        wait(lambda: window.engine.description)
        QTest.qWait(1500)
        self.take("5-method")
        window.steps.show_step("runs")
        wait(lambda: window.history.rows)
        folder = window.history.rows[-1].folder  # the sample as it is drawn
        window.run_list.select(folder)
        window.bottom.show()
        wait(lambda: window.runs.follower and window.runs.follower.live)
        window.runs.watching.setCurrentIndex(1)
        QTest.qWait(1500)
        self.take("6-runs")
        window.runs.watching.setCurrentIndex(0)
        QTest.qWait(500)
        self.take("8-watch")
        window.bottom.hide()
        window.steps.show_step("results")
        wait(lambda: window.runs.results.outcome)
        window.maps.actions_by_name["target-only"].trigger()
        window.runs.results.maps.buttons["swipe"].click()
        wait(lambda: window.maps.target.view.swipe is not None and self.still())
        window.maps.target.outlines.zoom_to(0)
        wait(self.still)
        self.take("7-results")
        window.runs.compare(folder, window.history.rows[0].folder)
        self.take_beside("9-compare", ComparePanel, lambda panel: panel.scores.isVisible())
        window.runs.export(folder)
        self.take_beside("10-export", ExportDialog)
        window.runs.apply(folder)
        self.take_beside("11-apply", ApplyPanel)
        for name, kind, opens in (
            ("12-settings", SettingsDialog, self.menus._settings),
            ("13-about", AboutDialog, self.menus._about),
            ("14-shortcuts", ShortcutsDialog, self.menus._shortcuts),
        ):
            opens()
            self.take_beside(name, kind)
        window.close()

    def look_closer(self) -> None:
        """What clicks on the map bring, and the bands; the project is as before after it."""
        area, panel = self.window.maps, self.window.places.imagery["source"]
        area.actions_by_name["identify"].trigger()
        self.click(area.target, 0.25, 0.25)
        wait(lambda: area.layers.currentWidget() is area.identified and self.still())
        self.take("15-identify")
        layers = area.layers.widget(0)
        assert isinstance(layers, LayerList)
        layers.choose(next(each for each in area.source.view.layers if isinstance(each, ImageLayer)))
        area.layers.setCurrentIndex(0)
        panel.tabs.setCurrentWidget(panel.area)
        area.actions_by_name["polygon"].trigger()
        for corner in ((0.25, 0.41), (0.7, 0.38), (0.78, 0.55), (0.45, 0.6)):
            self.click(area.source, *corner)
        QTest.keyClick(area.source.view, Qt.Key.Key_Return)
        area.actions_by_name["edit"].trigger()
        wait(self.still)
        self.take("16-area")
        area.actions_by_name["pan"].trigger()
        panel.tabs.setCurrentWidget(panel.bands)
        QTest.qWait(300)
        self.take("17-bands")
        panel.tabs.setCurrentIndex(0)
        while not self.window.document.undo.isClean():
            self.window.document.undo.undo()

    def click(self, place_map: PlaceMap, across: float, down: float) -> None:
        """At shares of a map's width and height."""
        seen = place_map.view.viewport()
        at = QPoint(round(across * seen.width()), round(down * seen.height()))
        QTest.mouseClick(seen, Qt.MouseButton.LeftButton, pos=at)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sample", type=Path, help="the folder of a drawn sample with a finished run")
    parser.add_argument("to", type=Path, help="where the pictures go")
    parser.add_argument("--scheme", choices=["light", "dark"], default="light")
    args = parser.parse_args()
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):  # not the user's own settings
        os.environ[name] = tempfile.mkdtemp()
    apply_theme(application(), args.scheme)
    ending = "-200.jpg" if os.environ.get("QT_SCALE_FACTOR") == "2" else ".png"
    Tour(args.sample, args.to, f"-{args.scheme}{ending}").walk()


if __name__ == "__main__":
    main()
