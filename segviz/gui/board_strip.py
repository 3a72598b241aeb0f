"""The strip above a whiteboard: pen, eraser or inspect, how wide, back and forth, and how large the paper is."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from segviz.gui import theme
from segviz.gui.actions import find, tooltip
from segviz.gui.board import SIZES, THICKEST, THINNEST, Board, BoardTool
from segviz.gui.widgets.pill import Pill
from segviz.gui.widgets.segmented import Segmented
from segviz.gui.widgets.slider import LabelledSlider

LONGEST = 280  # width of the slider, before `theme.px`


def size_text(size: tuple[int, int]) -> str:
    """'512 × 512', width first."""
    return f"{size[0]} × {size[1]}"


class BoardStrip(QWidget):
    """Follows `board` and is there while it is open. `wanted` names an action of `actions`."""

    wanted = Signal(str)

    def __init__(self, board: Board, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._board = board
        theme.set_surface(self, "surround")
        self.tools = Segmented(
            [(tool, tool.title, tooltip(find(f"board-{tool.value}"))) for tool in BoardTool], "What the mouse does"
        )
        self.width_slider = LabelledSlider(
            "Width",
            low=THINNEST,
            high=THICKEST,
            steps=THICKEST - THINNEST,
            write=lambda width: f"{width:.0f} px",
            tooltip="How wide the pen is, in pixels of the drawing; keys . and ,",
        )
        self.undo, self.redo = self._button("undo"), self._button("redo")
        self.clear = self._button("board-clear")
        self.new = self._button("whiteboard")
        self.size_pill = Pill("Size", "Size of the paper")
        self.width_slider.setMaximumWidth(theme.px(LONGEST))
        self._fill_sizes()
        row = self._row = QHBoxLayout(self)
        row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        row.setContentsMargins(theme.M, theme.S, theme.M, theme.XS)
        row.setSpacing(theme.M)
        row.addWidget(self.tools)
        row.addWidget(self.width_slider, 3)
        row.addStretch(1)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.XS)
        for button in (self.undo, self.redo, self.clear, self.new):
            buttons.addWidget(button)
        row.addLayout(buttons)
        row.addWidget(self.size_pill)
        self.tools.changed.connect(board.set_tool)
        self.width_slider.moved.connect(board.set_width)
        board.changed.connect(self.follow)
        self.follow()

    def _button(self, identifier: str) -> QToolButton:
        """A button that does what the action of that id does."""
        action = find(identifier)
        button = QToolButton()
        theme.set_kind(button, "flat")
        theme.set_icon(button, action.icon)
        button.setToolTip(tooltip(action))
        button.setAccessibleName(action.text.rstrip("…"))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # keys stay the canvas's while one draws
        button.clicked.connect(lambda: self.wanted.emit(identifier))
        return button

    def _fill_sizes(self) -> None:
        menu = self.size_pill.menu()
        for size in SIZES:
            entry = menu.addAction(size_text(size))
            entry.triggered.connect(lambda _=False, wanted=size: self._board.resize(*wanted))
        menu.addSeparator()
        other = menu.addAction(find("board-size").text)
        other.triggered.connect(lambda: self.wanted.emit("board-size"))

    def follow(self) -> None:
        """Show what the board says; silent."""
        board = self._board
        self.setVisible(board.ink is not None)
        self.tools.set_value(board.tool)
        self.width_slider.set_value(board.pen.width)
        self.undo.setEnabled(board.stack.canUndo())
        self.redo.setEnabled(board.stack.canRedo())
        if board.ink is not None:
            self.size_pill.set_value(size_text(board.ink.size), "what is drawn stays in its corner")

    def minimumSizeHint(self) -> QSize:
        """Tools and buttons; the rest goes as the room gets narrow (`resizeEvent`)."""
        return QSize(self._needed(), self.sizeHint().height())

    def _needed(self, *more: int) -> int:
        """The least width of tools, slider and buttons with parts of these widths beside them."""
        buttons = 4 * self.undo.sizeHint().width() + 3 * theme.XS
        widths = [self.tools.sizeHint().width(), self.width_slider.least(), buttons, *more]
        margins = self._row.contentsMargins()
        return sum(widths) + theme.M * (len(widths) - 1) + margins.left() + margins.right()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as much as there is room for: the size goes first, then the slider's number."""
        super().resizeEvent(event)
        width, pill = event.size().width(), self.size_pill.whole_width()
        self.size_pill.setVisible(width >= self._needed(self.size_pill.minimumSizeHint().width()))
        self.size_pill.show_caption(width >= self._needed(pill) + self.width_slider.value_width())
        self.width_slider.show_value(width >= self._needed(pill) + self.width_slider.value_width())
