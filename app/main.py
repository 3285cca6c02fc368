"""`isthmus-gui`: opens the window, on a project or a run if one is named."""

import argparse
import gc
import logging
import sys
import threading
import traceback
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QLibraryInfo, QLocale, QObject, QTimer, QTranslator, Signal
from PySide6.QtWidgets import QApplication

from app.crash_log import CrashLog, last_words
from app.log import start_log
from app.theme import apply_colours, apply_theme, icon

if TYPE_CHECKING:
    from app.window import MainWindow


class Faults(QObject):
    """Errors that no one caught, from any thread, brought to the window's thread as text."""

    caught = Signal(str, str)

    def install(self) -> None:
        sys.excepthook = self._on_fault
        threading.excepthook = lambda args: self._on_fault(args.exc_type, args.exc_value, args.exc_traceback)

    def _on_fault(
        self, kind: type[BaseException], fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        details = "".join(traceback.format_exception(kind, fault, trace))
        logging.getLogger(__name__).error("nobody caught\n%s", details)
        if not issubclass(kind, KeyboardInterrupt):
            self.caught.emit(f"{kind.__name__}: {' '.join(str(fault).split())[:200]}", details)


def greet(window: "MainWindow", earlier: str, path: Path | None) -> None:
    """Say what the last window died of, and open `path`; without one, offer what was never saved."""
    if earlier:
        window.tell_crash(earlier)
    if path:
        window.open_path(path)
    else:
        window.files.offer_lost()


def application() -> QApplication:
    """The one QApplication, named so that settings and caches find their folders."""
    found = QApplication.instance()
    app = found if isinstance(found, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("isthmus")
    app.setApplicationDisplayName("Isthmus")
    app.setDesktopFileName("isthmus")
    return app


def translate(app: QApplication, locale: QLocale, folder: Path | None = None) -> bool:
    """Speak the locale's language, Qt's own buttons too, where `folder` (resources/translations) has it."""
    rooms = {"isthmus": str(folder or files("resources") / "translations")}
    rooms["qtbase"] = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    for name, room in rooms.items():
        translator = QTranslator(app)
        if not translator.load(locale, name, "_", room):
            return False
        app.installTranslator(translator)
    return True


def main(argv: list[str] | None = None) -> int:
    """Run the window until it is closed."""
    parser = argparse.ArgumentParser(
        prog="isthmus-gui", description="Adapt a land-cover network to a new place, in a window."
    )
    parser.add_argument(
        "path", nargs="?", type=Path, metavar="PROJECT", help="a project or the folder of a run"
    )
    arguments = parser.parse_args(argv)
    app = application()
    start_log()
    translate(app, QLocale())
    from app.preferences import Preferences

    apply_colours(app, Preferences().theme)
    app.styleHints().colorSchemeChanged.connect(lambda _: apply_theme(app, Preferences().theme))
    app.setWindowIcon(icon("isthmus"))
    earlier = last_words()
    log = CrashLog()
    faults = Faults()
    faults.install()
    from app.menus import Menus
    from app.window import MainWindow

    gc.freeze()  # modules live as long as the process: a collection need not walk through them
    window = MainWindow()
    Menus(window)
    apply_theme(app, Preferences().theme)
    faults.caught.connect(window.tell_fault)
    window.show()
    QTimer.singleShot(0, lambda: greet(window, earlier, arguments.path))
    code = app.exec()
    log.close()
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
