"""The dialogs of networks that a person brings: one opened by its name, and the one question before a program runs."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCompleter, QDialogButtonBox, QLabel, QLineEdit, QPushButton, QWidget

from segviz.core import catalogue
from segviz.core.errors import SegvizError
from segviz.core.specs import EXAMPLES, Kind, parse
from segviz.gui import theme
from segviz.gui.dialogs import PlainDialog
from segviz.gui.names import sentence, specs

WIDE = 520  # before `theme.px`
SOURCES = (
    (Kind.CATALOGUE, "lenet5", "comes with segviz; 'vgg16?weights=FILE' gives it other weights"),
    (Kind.FILE, "nets/my-net.pth", "weights or a program: .safetensors, .pth, .pt, .pt2, .onnx, .py"),
    *((kind, EXAMPLES[kind], kind.hint) for kind in (Kind.TORCHVISION, Kind.TIMM, Kind.SMP, Kind.PYTHON)),
)


class SpecDialog(PlainDialog):
    """Asks for a model spec and hands it to `then`; what is no spec is said below the line."""

    def __init__(self, parent: QWidget, current: str, then: Callable[[str], None]) -> None:
        super().__init__(parent, "Open a network by name", (WIDE, 1))
        self._then = then
        self.line = QLineEdit(current)
        self.line.setAccessibleName("Name of the network")
        self.line.setPlaceholderText("lenet5, torchvision:resnet18, a file, …")
        self.line.setCompleter(self._completer())
        self.body.addWidget(self.line)
        self.said = QLabel()
        self.line.textEdited.connect(lambda _: self.said.clear())
        self.said.setWordWrap(True)
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        theme.set_role(self.said, "warn")
        self.body.addWidget(self.said)
        hints = QLabel("\n".join(f"{example}: {hint}" for _, example, hint in SOURCES))
        hints.setWordWrap(True)
        theme.set_role(hints, "caption")
        self.body.addWidget(hints)
        self.open_button = QPushButton("Open")
        theme.set_kind(self.open_button, "primary")
        self.open_button.clicked.connect(self.accept)
        self.buttons.addButton(self.open_button, QDialogButtonBox.ButtonRole.ActionRole)
        self.finish()
        self.open_button.setDefault(True)
        self.line.selectAll()
        self.line.setFocus()
        self.resize(self.width(), self.body.heightForWidth(self.width()))

    def _completer(self) -> QCompleter:
        names = [spec for entry in catalogue.ENTRIES for spec, _ in specs(entry)]
        completer = QCompleter([*names, *(f"{kind.value}:" for kind in EXAMPLES)], self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        return completer

    def accept(self) -> None:
        text = self.line.text().strip()
        try:
            catalogue.entry(text)
        except SegvizError as error:
            self.said.setText(sentence(str(error)))
            return
        super().accept()
        self._then(text)


class TrustDialog(PlainDialog):
    """Whether a program may run: asked once for its content, answered 'no' by every key but the button's own."""

    def __init__(self, parent: QWidget, spec: str, what: str, then: Callable[[], None]) -> None:
        super().__init__(parent, f"Run code from {parse(spec).title}?", (WIDE, 1))
        self._then = then
        for text, role in (
            (f"{what.partition(';')[0]}.", ""),
            (f"From: {parse(spec).name}", "dim"),
            (
                "It can do whatever you can do on this computer: trust it only if you know where it is from. "
                "The question comes once, unless the file changes; what it imports may change without one.",
                "caption",
            ),
        ):
            label = QLabel(text)
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            theme.set_role(label, role)
            self.body.addWidget(label)
        self.trust = QPushButton("Trust and open")
        self.trust.setAutoDefault(False)
        self.trust.clicked.connect(self._trusted)
        self.buttons.addButton(self.trust, QDialogButtonBox.ButtonRole.ActionRole)
        self.finish()
        close = self.buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setText("Do not open")
        close.setDefault(True)
        close.setFocus()
        self.resize(self.width(), self.body.heightForWidth(self.width()))

    def _trusted(self) -> None:
        self.accept()
        self._then()
