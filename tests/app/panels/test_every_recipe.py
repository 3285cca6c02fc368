"""Every card and every recipe that the engine really describes leads to a project that can be started."""

import json
import subprocess
import sys
from pathlib import Path

from described import ready
from pytestqt.qtbot import QtBot

from app.engine import Engine
from app.panels.method import MethodPanel


def test_every_card_and_every_recipe_can_be_started_and_undone(qtbot: QtBot, tmp_path: Path) -> None:
    document = ready(tmp_path)
    panel = MethodPanel(document, Engine(program=["nothing"]))
    panel.bar.estimate.automatic = False
    qtbot.addWidget(panel)
    panel.show()
    said = json.loads(subprocess.check_output([sys.executable, "-P", "-m", "core.cli", "describe"]))
    panel._engine.described.emit(said)
    before = document.project.dumped(tmp_path)
    offered = [name for card in panel.cards.cards.values() for name in card.recipes]
    assert sorted(offered) == list(said["recipes"])
    for card in panel.cards.cards.values():
        card.radio.click()
        assert card.take.isHidden() == (not card.recipes)
        for name, action in card.recipes.items():
            action.trigger()
            panel.check()
            assert panel.bar.start.isEnabled(), (name, panel.bar.reason.text())
            assert action.isChecked(), name
            assert card.radio.isChecked(), name
        panel.check()
        assert panel.bar.start.isEnabled(), (card.title, panel.bar.reason.text())
    while document.undo.canUndo():
        document.undo.undo()
    assert panel.cards.cards["combined"].radio.isChecked()
    assert not any(value for key, value in document.project.content.items() if key not in before)
