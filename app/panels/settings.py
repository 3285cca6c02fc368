"""Settings that hold for all projects."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.background import DISKS, Background
from app.panels.weights import WeightsDownload
from app.preferences import TILE_CACHE_MIB, Preferences

FEW_NAMES, FOUND_WIDTH_PX = 6, 320


class SettingsDialog(QDialog):
    """Nothing changes before *OK* or *Apply*; `applied` comes after either."""

    applied = Signal()

    def __init__(self, devices: list[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self._preferences = Preferences()
        self._background = Background(self, DISKS)
        self.theme = _choice(
            {"system": self.tr("As the system"), "light": self.tr("Light"), "dark": self.tr("Dark")}
        )
        self.notifications = QCheckBox(self.tr("Tell when a run ends"))
        self.cache = QSpinBox(
            minimum=TILE_CACHE_MIB[0], maximum=TILE_CACHE_MIB[1], singleStep=128, suffix=" MiB"
        )
        known = ["auto", *(device for device in devices if device != "auto")]
        self.device = _choice({device: self._device_words(device) for device in known})
        self.checkpoints = _choice(
            {"keep": self.tr("Keep"), "delete": self.tr("Delete when the run is finished")}
        )
        self.weights = QLineEdit(clearButtonEnabled=True)
        self.weights.setPlaceholderText(self.tr("automatic: in your own data folder"))
        self.weights.textChanged.connect(self._judge_weights)
        self.download = WeightsDownload(self._folder)
        self.download.fetched.connect(self._judge_weights)
        self.found = QLabel(wordWrap=True)
        self.found.setMinimumWidth(FOUND_WIDTH_PX)
        self._lay_out()
        self._show()

    def accept(self) -> None:
        self.apply()
        super().accept()

    def done(self, result: int) -> None:
        """A download ends with the dialog that shows it."""
        self.download.cancel()
        super().done(result)

    def apply(self) -> None:
        """Keep what is shown."""
        kept = self._preferences
        kept.theme = self.theme.currentData()
        kept.notifications = self.notifications.isChecked()
        kept.tile_cache_mib = self.cache.value()
        kept.device = self.device.currentData()
        kept.checkpoints = self.checkpoints.currentData()
        kept.weights_folder = self._folder()
        kept.settings.sync()
        self.applied.emit()

    def _show(self) -> None:
        kept = self._preferences
        if self.device.findData(kept.device) < 0:
            self.device.addItem(self._device_words(kept.device), kept.device)
        for box, value in (
            (self.theme, kept.theme),
            (self.device, kept.device),
            (self.checkpoints, kept.checkpoints),
        ):
            box.setCurrentIndex(box.findData(value))
        self.notifications.setChecked(kept.notifications)
        self.cache.setValue(kept.tile_cache_mib)
        self.weights.setText(str(kept.weights_folder or ""))
        self._judge_weights()

    def _folder(self) -> Path | None:
        text = self.weights.text().strip()
        return Path(text).expanduser() if text else None

    def _judge_weights(self) -> None:
        """Say what the folder holds before anyone relies on it."""
        folder = self._folder()
        self._background.drop()
        self.found.setVisible(folder is not None)
        self._allow(folder is None)
        if folder is not None:
            self.found.setText(self.tr("Looking at the folder..."))
            self._background.run(partial(_encoders_in, folder), self._show_weights, self.found.setText)

    def _allow(self, keep: bool) -> None:
        self._ok.setEnabled(keep)
        self._apply.setEnabled(keep)

    def _show_weights(self, names: list[str] | None) -> None:
        self._allow(names is not None)
        if names is None:
            self.found.setText(self.tr("⚠ This is no folder; choose one, or empty the field."))
            return
        more = self.tr(" and {0} more").format(len(names) - FEW_NAMES) if len(names) > FEW_NAMES else ""
        holds = self.tr("Holds weights of {0}{1}.").format(", ".join(names[:FEW_NAMES]), more)
        none = self.tr("Holds no weights yet: put files named ENCODER.safetensors into it.")
        self.found.setText(holds if names else none)

    def _choose_folder(self) -> None:
        title = self.tr("Folder of encoder weights")
        if folder := QFileDialog.getExistingDirectory(self, title, self.weights.text()):
            self.weights.setText(folder)

    def _device_words(self, device: str) -> str:
        return self.tr("Automatic") if device == "auto" else device

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for text, control, tip in (
            (self.tr("&Theme"), self.theme, self.tr("Light or dark")),
            (
                self.tr("&Notifications"),
                self.notifications,
                self.tr("Through the system, if the window is behind"),
            ),
            (
                self.tr("&Map memory"),
                self.cache,
                self.tr("What the map keeps of read tiles; more pans smoother"),
            ),
            (
                self.tr("&Device of new projects"),
                self.device,
                self.tr("What computes, unless a project says"),
            ),
            (
                self.tr("&Checkpoints"),
                self.checkpoints,
                self.tr("Of runs started from now on. A finished one needs none: its models and maps stay"),
            ),
        ):
            control.setAccessibleName(text.replace("&", ""))
            control.setToolTip(tip)
            form.addRow(text, control)
        form.addRow(self.tr("&Weights folder"), self._weights_row())
        form.addRow("", self.found)
        form.addRow(self.tr("&Get weights"), self.download)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addStretch()
        layout.addWidget(self._buttons())
        self.resize(560, 320)

    def _weights_row(self) -> QWidget:
        self.weights.setAccessibleName(self.tr("Weights folder"))
        self.weights.setToolTip(
            self.tr(
                "Where encoders' pretrained weights are looked for before they are downloaded: offline work"
            )
        )
        self.browse = QPushButton(self.tr("C&hoose…"))
        self.browse.setAccessibleName(self.tr("Choose the weights folder"))
        self.browse.clicked.connect(self._choose_folder)
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.weights, 1)
        layout.addWidget(self.browse)
        row.setFocusProxy(self.weights)
        return row

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox.StandardButton
        box = QDialogButtonBox(buttons.Ok | buttons.Apply | buttons.Cancel)
        self._ok, self._apply = box.button(buttons.Ok), box.button(buttons.Apply)
        self._apply.clicked.connect(self.apply)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        return box


def _encoders_in(folder: Path) -> list[str] | None:
    """The encoders whose weights lie in a folder; None where it is none."""
    return sorted(path.stem for path in folder.glob("*.safetensors")) if folder.is_dir() else None


def _choice(words: dict[str, str]) -> QComboBox:
    box = QComboBox()
    for value, text in words.items():
        box.addItem(text, value)
    return box
