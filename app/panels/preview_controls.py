"""Whether, how often and what a run shows of its work on the map."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGroupBox, QHBoxLayout, QLabel, QSpinBox, QWidget

LAYERS = ("class", "confidence", "pseudo")
EVERY_STEPS = 50


class PreviewControls(QGroupBox):
    """`preview_changed` carries (on, every how many steps), `layer_changed` one of LAYERS."""

    preview_changed = Signal(object, int)
    layer_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("Live preview"))
        self.on = QCheckBox(self.tr("Show the visible window as the network sees it"), self)
        self.on.setAccessibleName(self.tr("Live preview"))
        self.on.setToolTip(
            self.tr("Predicts what the map shows again and again; each time costs about one prediction")
        )
        self.every = QSpinBox(self, minimum=1, maximum=100_000, value=EVERY_STEPS, singleStep=10)
        self.every.setSuffix(self.tr(" steps"))
        self.every.setAccessibleName(self.tr("Optimisation steps between two previews"))
        self.every.setToolTip(self.tr("Fewer steps show more and slow the training down"))
        self.layer = QComboBox(self)
        self.layer.addItems([self.tr("classes"), self.tr("confidence"), self.tr("pseudo labels")])
        self.layer.setAccessibleName(self.tr("Preview layer"))
        self.layer.setToolTip(
            self.tr("Pseudo labels are the target labels that the method makes itself, where it makes any")
        )
        layout = QHBoxLayout(self)
        layout.addWidget(self.on, 1)
        for text, widget in ((self.tr("&every"), self.every), (self.tr("s&how"), self.layer)):
            label = QLabel(text, self)
            label.setBuddy(widget)
            layout.addWidget(label)
            layout.addWidget(widget)
        self.on.toggled.connect(self._tell)
        self.every.valueChanged.connect(self._tell)
        self.layer.currentIndexChanged.connect(lambda index: self.layer_changed.emit(LAYERS[index]))

    def _tell(self) -> None:
        self.preview_changed.emit(self.on.isChecked(), self.every.value())
