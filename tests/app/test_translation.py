"""The window speaks the language of the system where there is a translation, with all of its words."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import PySide6
import pytest
from PySide6.QtCore import QCoreApplication, QLocale, QTranslator
from PySide6.QtWidgets import QApplication
from recorded import run_folder

from app.main import translate
from app.panels.compare import _verdict_rows
from app.run_words import estimate_words, status_word
from app.setting import Setting
from core.cost import Cost, PhaseCost
from core.judging.comparison import read_outcome

SPOKEN = {
    "Runs": {"finished": "fertig", "about {0} on {1}": "etwa {0} auf {1}", "chosen model": "gewählt"},
    "Setting": {"must be {0}": "muss {0} sein", "at least {0}": "mindestens {0}"},
}
LRELEASE = shutil.which("lrelease", path=str(Path(PySide6.__file__).parent))


@pytest.fixture
def german(qapp: QApplication, tmp_path: Path) -> Iterator[None]:
    messages = {
        context: "".join(
            f"<message><source>{source}</source><translation>{text}</translation></message>"
            for source, text in words.items()
        )
        for context, words in SPOKEN.items()
    }
    contexts = "".join(f"<context><name>{name}</name>{text}</context>" for name, text in messages.items())
    path = tmp_path / "isthmus_de.ts"
    path.write_text(f'<!DOCTYPE TS><TS version="2.1" language="de">{contexts}</TS>', encoding="utf-8")
    assert LRELEASE is not None
    subprocess.run([LRELEASE, "-silent", path], check=True)
    assert translate(qapp, QLocale("de_AT"), tmp_path)
    yield
    for translator in qapp.findChildren(QTranslator):
        qapp.removeTranslator(translator)
        translator.deleteLater()


@pytest.mark.usefixtures("german")
def test_words_are_translated_wherever_they_are_made(tmp_path: Path) -> None:
    cost = Cost(
        device="cpu",
        phases=[PhaseCost(name="adapt", steps=10, seconds_per_step=6)],
        judging_s=0,
        maps_s=0,
        tiles=1,
        memory_gib=None,
        memory_there_gib=8,
        disk_gib=1,
        disk_free_gib=2,
    )
    assert status_word("done") == "fertig"
    assert estimate_words(cost).startswith("etwa 1 min auf cpu")
    with pytest.raises(ValueError, match="muss mindestens 0 sein"):
        Setting(("seed",), "integer", "Seed", least=0).check(-3)
    outcome = read_outcome(run_folder("finished", tmp_path / "run", maps=False))
    assert _verdict_rows(outcome, outcome)[1][0] == "gewählt"


@pytest.mark.usefixtures("german")
def test_qts_own_buttons_go_along() -> None:
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Abbrechen"


def test_without_a_translation_all_stays_english(qapp: QApplication, tmp_path: Path) -> None:
    assert not translate(qapp, QLocale("fi_FI"), tmp_path)
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Cancel"
