"""The dialog of a drawing's size: for a new whiteboard, or for more paper below the one that is there."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDialogButtonBox, QHBoxLayout, QLabel, QPushButton, QSpinBox, QWidget

from segviz.gui import theme
from segviz.gui.board import LARGEST, SIZES, SMALLEST
from segviz.gui.board_strip import size_text
from segviz.gui.dialogs import PlainDialog
from segviz.gui.widgets.segmented import Segmented

Size = tuple[int, int]
OTHER = "other"
WIDE = 420  # before `theme.px`


class SizeDialog(PlainDialog):
    """Asks for a size of (width, height) and hands it to `then`."""

    def __init__(
        self, parent: QWidget, title: str, hint: str, verb: str, first: Size, then: Callable[[int, int], None]
    ) -> None:
        super().__init__(parent, title, (WIDE, 1))
        self._then = then
        text = QLabel(hint)
        text.setWordWrap(True)
        theme.set_role(text, "dim")
        self.body.addWidget(text)
        tip = "As large as one of the pages of digits"
        self.sizes = Segmented(
            [*((size, size_text(size), tip) for size in SIZES), (OTHER, "Other", "Any other size")], "Size"
        )
        self.sizes.changed.connect(self._chosen)
        self.body.addWidget(self.sizes)
        self.width_box, self.height_box = self._number("Width"), self._number("Height")
        self.body.addLayout(self._row())
        self.draw = QPushButton(verb)
        theme.set_kind(self.draw, "primary")
        self.draw.clicked.connect(self.accept)
        self.buttons.addButton(self.draw, QDialogButtonBox.ButtonRole.ActionRole)
        self._show(first)
        self.finish()
        self.draw.setDefault(True)  # not before it is in the dialog: Return in a field would close that instead
        self.draw.setFocus()
        self.resize(self.width(), self.body.heightForWidth(self.width()))

    def _number(self, name: str) -> QSpinBox:
        box = QSpinBox()
        box.setRange(SMALLEST, LARGEST)
        box.setSuffix(" px")
        box.setAccessibleName(name)
        box.setToolTip(f"{name} in pixels, {SMALLEST} to {LARGEST:,}")
        box.lineEdit().setTextMargins(theme.px(6), 0, 0, 0)
        box.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        box.valueChanged.connect(self._typed)
        return box

    def _row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.S)
        for word, box in (("Width", self.width_box), ("Height", self.height_box)):
            label = QLabel(word)
            label.setBuddy(box)
            row.addWidget(label)
            row.addWidget(box, 1)
        return row

    def _show(self, size: Size) -> None:
        for box, side in zip((self.width_box, self.height_box), size, strict=True):
            box.setValue(side)

    def _chosen(self, size: object) -> None:
        if isinstance(size, tuple):
            self._show(size)
        else:
            self.width_box.setFocus()
            self.width_box.selectAll()

    def _typed(self) -> None:
        self.sizes.set_value(self.size_chosen if self.size_chosen in SIZES else OTHER)

    @property
    def size_chosen(self) -> Size:
        return self.width_box.value(), self.height_box.value()

    def accept(self) -> None:
        super().accept()
        self._then(*self.size_chosen)
