"""Weights are downloaded only after their licence was shown and agreed to."""

import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app import command
from app.panels.weights import WeightsDownload

ENGINE = """
import json, pathlib, sys, time
encoder, options = sys.argv[2], sys.argv[3:]
if encoder == "nonsense":
    sys.exit("error: network.encoder: 'nonsense' is unknown; did you mean 'resnet18'?")
if encoder == "endless" and "--licence" not in options:
    (pathlib.Path(options[options.index("--to") + 1]) / "begun").touch()
    time.sleep(60)
path = None
if "--licence" not in options:
    path = pathlib.Path(options[options.index("--to") + 1]) / f"{encoder}.safetensors"
    path.write_text("weights")
print(json.dumps({"encoder": encoder, "licence": "apache-2.0", "path": path and str(path)}))
"""


@pytest.fixture
def panel(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WeightsDownload:
    monkeypatch.setattr(command, "PROGRAM", (sys.executable, "-c", ENGINE))
    panel = WeightsDownload(lambda: tmp_path)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def test_the_licence_comes_first_and_then_the_file(
    panel: WeightsDownload, tmp_path: Path, qtbot: QtBot
) -> None:
    panel.encoder.setText("resnet18")
    panel.button.click()
    assert not panel.button.isEnabled()
    qtbot.waitUntil(lambda: panel.question is not None, timeout=20_000)
    assert panel.question is not None
    assert "apache-2.0" in panel.question.text()
    assert not list(tmp_path.iterdir()), "nothing is fetched before the licence is agreed to"
    with qtbot.waitSignal(panel.fetched, timeout=20_000):
        panel.question.button(panel.question.StandardButton.Yes).click()
    assert [path.name for path in tmp_path.iterdir()] == ["resnet18.safetensors"]
    assert "resnet18.safetensors" in panel.said.text()


def test_nothing_is_fetched_under_a_licence_that_is_refused(
    panel: WeightsDownload, tmp_path: Path, qtbot: QtBot
) -> None:
    panel.button.click()
    qtbot.waitUntil(lambda: panel.question is not None, timeout=20_000)
    assert panel.question is not None
    panel.question.button(panel.question.StandardButton.No).click()
    qtbot.wait(100)
    assert not panel.engine.working
    assert not list(tmp_path.iterdir())
    assert panel.button.isEnabled()


def test_a_download_shows_that_it_works_and_can_be_cancelled(
    panel: WeightsDownload, tmp_path: Path, qtbot: QtBot
) -> None:
    panel.encoder.setText("endless")
    panel.button.click()
    qtbot.waitUntil(lambda: panel.question is not None, timeout=20_000)
    assert panel.question is not None
    panel.question.button(panel.question.StandardButton.Yes).click()
    qtbot.waitUntil((tmp_path / "begun").exists, timeout=20_000)
    assert panel.bar.isVisible()
    with qtbot.assertNotEmitted(panel.fetched), qtbot.waitSignal(panel.engine.ended):
        panel.stop.click()
    assert panel.said.text() == "Cancelled; no half-written file was left."
    assert not panel.bar.isVisible()
    assert panel.button.isEnabled()


def test_an_unknown_encoder_is_a_sentence_with_a_remedy(panel: WeightsDownload, qtbot: QtBot) -> None:
    panel.encoder.setText("nonsense")
    panel.button.click()
    qtbot.waitUntil(panel.button.isEnabled, timeout=20_000)
    assert "unknown" in panel.said.text()
    assert "did you mean 'resnet18'?" in panel.said.text()
