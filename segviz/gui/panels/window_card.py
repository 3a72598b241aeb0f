"""The card of the dragged window: where it is, and its most probable classes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from segviz.gui import theme, words
from segviz.gui.scene import Dragged
from segviz.gui.widgets.bars import Bar, BarRows
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.heading import flat_button, heading

ROWS = 5
BOX_HINT = "The window's left, top, right and bottom edge in image pixels, the last two not included"


class WindowCard(QWidget):
    """Shows one window; hidden while there is none. `chosen` is called with the class of a bar that is clicked."""

    def __init__(self, chosen: Callable[[int], None], closed: Callable[[], None]) -> None:
        super().__init__()
        self.place = ElidedLabel()
        self.place.setAccessibleName("Window")
        self.place.setToolTip(BOX_HINT)
        self.bars = BarRows(ROWS)
        self.bars.setToolTip("The classes of exactly this window, as the classifier was published")
        self.bars.clicked.connect(chosen)
        self._close = flat_button("x", "Take the window away  (W)")
        self._close.clicked.connect(closed)
        title = QLabel()
        theme.set_role(title, "heading")
        head = QHBoxLayout()
        head.setSpacing(theme.S)
        head.addWidget(heading("Window"))
        head.addWidget(self.place, 1)
        head.addWidget(self._close)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, theme.S)
        column.setSpacing(theme.XS)
        column.addLayout(head)
        column.addWidget(self.bars)
        self.hide()

    def show_window(self, window: Dragged | None) -> None:
        """Show `window`; None: nothing."""
        self.setVisible(window is not None)
        if window is None:
            return
        self.place.setFont(theme.numbers())
        self.place.setText(words.box(*window.box))
        self.bars.set_rows(min(ROWS, len(window.classes) or ROWS))
        self.bars.set_bars([Bar(name, p, words.probability(p), index) for index, name, p in window.classes])
