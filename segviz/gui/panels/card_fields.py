"""The part of the model card that can be changed: how images go in, and how classes are called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from segviz.core.entries import CHANNELS
from segviz.gui import theme
from segviz.gui.card_words import FIELDS, Field, shown
from segviz.gui.names import sentence
from segviz.gui.widgets.entry_line import EntryLine, reset_button
from segviz.gui.widgets.heading import flat_button, heading
from segviz.gui.widgets.segmented import Segmented
from segviz.gui.widgets.wrapped import WrappedLabel

if TYPE_CHECKING:
    from segviz.core.entries import Entry
    from segviz.core.specs import Spec

ROWS = (("mean",), ("std",), ("channels", "minimum"), ("input", "longest"), ("labels",))  # what stands side by side
NARROW = {"minimum": 72, "longest": 92}  # widths, before `theme.px`
NAMES_KINDS = "Lists of names (*.txt);;All files (*)"
ORDERS = {"RGB": "red, green, blue", "BGR": "blue, green, red, as Caffe and OpenCV have it", "L": "grey"}


class FieldBox(QWidget):
    """A caption, with a mark while the field is changed, above what it is changed with.

    `entered(text)` fires for the person's text alone, `reset` when the network's own is wanted back.
    """

    entered = Signal(str)
    reset = Signal()
    mended = Signal()

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.field = field
        self._caption = QLabel(field.caption)
        theme.set_role(self._caption, "caption")
        self._caption.setToolTip(field.tip)
        self._mark = QLabel("●")
        theme.set_role(self._mark, "changed")
        self._mark.setToolTip("Not as the network brings it")
        self._above = QHBoxLayout()
        self._above.setSpacing(theme.XS)
        self._above.addWidget(self._caption)
        self._above.addWidget(self._mark)
        self._above.addStretch(1)
        self._editor = QHBoxLayout()
        self._editor.setSpacing(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(self._above)
        column.addLayout(self._editor)

    @property
    def changed(self) -> bool:
        return not self._mark.isHidden()

    def show_value(self, text: str, changed: bool) -> None:
        """Show what the network is viewed with; silent."""
        self._mark.setVisible(changed)

    def refuse(self) -> None:
        """What was entered is not taken."""


class LineBox(FieldBox):
    """A field to type in."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self.line = EntryLine(field.caption, field.tip, field.placeholder)
        self.line.entered.connect(self.entered)
        self.line.mended.connect(self.mended)
        self.line.reset.connect(self.reset)
        self._editor.addWidget(self.line, 1)

    def show_value(self, text: str, changed: bool) -> None:
        super().show_value(text, changed)
        self.line.mark_changed(changed)
        self.line.show_value(text)

    def refuse(self) -> None:
        self.line.refuse()


class FileBox(LineBox):
    """A field for the path of a file, with a button that looks for one."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self.browse = flat_button("folder-open", "Choose a file of class names")
        self.browse.clicked.connect(self._browse)
        self._editor.addWidget(self.browse)

    def show_value(self, text: str, changed: bool) -> None:
        super().show_value(text, changed)
        if not self.line.hasFocus():
            self.line.setCursorPosition(len(self.line.text()))  # the end of a path says most

    def _browse(self) -> None:
        dialog = QFileDialog(self, "Class names, one a line", str(Path(self.line.text()).parent), NAMES_KINDS)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.entered)
        dialog.open()


class OrderBox(FieldBox):
    """The order of the channels."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self.order = Segmented([(name, name, f"{name}: {ORDERS[name]}") for name in CHANNELS], field.caption)
        self.order.changed.connect(lambda order: self.entered.emit(str(order)))
        self.back: QToolButton = reset_button(field.caption)
        theme.set_kind(self.back, "inside")
        self.back.clicked.connect(self.reset)
        self._above.addWidget(self.back)
        self._editor.addWidget(self.order)
        self._editor.addStretch(1)
        self._text = ""

    def show_value(self, text: str, changed: bool) -> None:
        super().show_value(text, changed)
        self._text = text
        self.back.setVisible(changed)
        if text in CHANNELS:
            self.order.set_value(text)

    def refuse(self) -> None:
        self.show_value(self._text, self.changed)

    def suit(self, channels: int) -> None:
        """Orders of three colours cannot be chosen for a network of four channels, say; grey goes into any number."""
        for name in CHANNELS:
            button = self.order.button(name)
            button.setEnabled(name == "L" or channels in (1, 3))  # for one channel they are refused in words
            other = "" if button.isEnabled() else f"; the network takes {channels} channels"
            button.setToolTip(f"{name}: {ORDERS[name]}{other}")


BOXES: dict[str, type[FieldBox]] = {"channels": OrderBox, "labels": FileBox}


class FieldForm(QWidget):
    """All fields under a heading; what is wrong with one is said below it.

    `entered(option, text)` and `reset(option)` fire for what a person does, `reset_all` for the link of that name.
    """

    entered = Signal(str, str)
    reset = Signal(str)
    reset_all = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.boxes = {field.option: BOXES.get(field.option, LineBox)(field) for field in FIELDS}
        self._words: dict[str, WrappedLabel] = {}
        self.all = QPushButton("Reset all")
        theme.set_kind(self.all, "link")
        self.all.setToolTip("Everything as the network brings it")
        self.all.clicked.connect(self.reset_all)
        policy = self.all.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.all.setSizePolicy(policy)
        for option, box in self.boxes.items():
            box.entered.connect(lambda text, o=option: self.entered.emit(o, text))
            box.reset.connect(lambda o=option: self.reset.emit(o))
            box.mended.connect(lambda o=option: self.refuse(o, ""))
        self._arrange()

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.addWidget(heading("How images go in"), 1)
        head.addWidget(self.all)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addLayout(head)
        for options in ROWS:
            row = QHBoxLayout()
            row.setSpacing(theme.M)
            below = QVBoxLayout()
            below.setSpacing(theme.XS)
            below.addLayout(row)
            for at, option in enumerate(options):
                row.addWidget(self.boxes[option], 0 if at else 1)
                if option in NARROW:
                    self.boxes[option].setFixedWidth(theme.px(NARROW[option]))
                words = self._words[option] = WrappedLabel()
                theme.set_role(words, "bad")
                words.hide()
                below.addWidget(words)
            column.addLayout(below)

    def show_entry(self, entry: Entry, spec: Spec, origin: str) -> None:
        """Show how the network is viewed; `origin` says where the names of its classes come from. Silent."""
        for option, box in self.boxes.items():
            box.show_value(shown(entry, spec, option), spec.option(option) is not None)
        labels, order = self.boxes["labels"], self.boxes["channels"]
        assert isinstance(labels, LineBox)
        assert isinstance(order, OrderBox)
        order.suit(entry.input_size[0])
        labels.line.setPlaceholderText(origin)
        self.all.setVisible(any(box.changed for box in self.boxes.values()))

    def refuse(self, option: str, words: str) -> None:
        """Say beside a field why its text is not taken; '': nothing is wrong with it any more."""
        self._words[option].say(sentence(words))
        self._words[option].setVisible(bool(words))
        if words:
            self.boxes[option].refuse()

    def refused(self, option: str) -> str:
        """What is said beside a field."""
        return self._words[option].said() if not self._words[option].isHidden() else ""
