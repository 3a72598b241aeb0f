"""The line above a workbench panel's content: what is shown, choices, and the ways out of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent
from PySide6.QtGui import QAction, QActionGroup, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from segviz.core.choices import Choice
from segviz.gui import theme
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.heading import flat_button, worded_button
from segviz.gui.widgets.pill import Pill


def at_the_end(*parts: QWidget) -> QWidget:
    """A line with `parts` at its right end: ways out of a panel that has no more to say above its content."""
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(0, theme.XS, theme.S, 0)
    row.setSpacing(0)
    row.addStretch(1)
    for part in parts:
        row.addWidget(part)
    return line


class HeaderLine(QWidget):
    """A row of parts."""

    def __init__(self) -> None:
        super().__init__()
        self._favoured: QWidget | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(theme.M, theme.XS, theme.S, theme.XS)
        self.row.setSpacing(theme.S)

    def add(self, part: QWidget, stretch: int = 0) -> None:
        self.row.addWidget(part, stretch)

    def favour(self, words: QWidget) -> None:
        """Let the captions of pills go before `words` are cut; other words have what is left."""
        self._favoured = words
        self._settle()

    def _settle(self) -> None:
        if self._favoured is None:
            return
        items = (self.row.itemAt(at) for at in range(self.row.count()))
        parts = [part for item in items if item is not None and (part := item.widget()) is not None]
        pills = [part for part in parts if isinstance(part, Pill)]
        needed = self.row.contentsMargins().left() + self.row.contentsMargins().right()
        for part in parts:
            if part is self._favoured or not (part.isHidden() or isinstance(part, ElidedLabel)):
                wide = part.whole_width() if isinstance(part, Pill) else part.sizeHint().width()
                needed += wide + self.row.spacing()
        for pill in pills:
            pill.show_caption(self.width() >= needed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._settle()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._settle()
        return super().event(event)

    def insert(self, at: int, part: QWidget, stretch: int = 0) -> None:
        self.row.insertWidget(at, part, stretch)

    def remove(self, part: QWidget) -> None:
        """Take a part out of the line, to be put elsewhere."""
        self.row.removeWidget(part)

    def button(self, icon: str, name: str, then: Callable[[], None]) -> QToolButton:
        """A button of one icon, at the end of the line."""
        button = flat_button(icon, name)
        button.clicked.connect(lambda: then())
        self.row.addWidget(button)
        return button

    def menu(self, icon: str, name: str, entries: dict[str, Callable[[], None]]) -> QToolButton:
        """A button of one icon that drops a menu, at the end of the line."""
        button = flat_button(icon, name)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        for text, then in entries.items():
            menu.addAction(text).triggered.connect(lambda _, t=then: t())
        button.setMenu(menu)
        self.row.addWidget(button)
        return button

    def word(self, text: str, name: str, then: Callable[[], None]) -> QToolButton:
        """A button of a word, at the end of the line."""
        button = worded_button(text, name)
        button.clicked.connect(lambda: then())
        self.row.addWidget(button)
        return button


class ChoicePill(Pill):
    """A drop-down of an enumeration's values; `chosen(value)` is called for the person's choice alone."""

    def __init__(self, caption: str, name: str, values: type[Choice], chosen: Callable[[Choice], None]) -> None:
        super().__init__(caption, name)
        self._actions: dict[Choice, QAction] = {}
        self.menu().setToolTipsVisible(True)
        group = QActionGroup(self)
        for value in values:
            action = self.menu().addAction(value.title)
            action.setCheckable(True)
            action.setToolTip(value.hint or value.title)
            action.triggered.connect(lambda _, v=value: chosen(v))
            group.addAction(action)
            self._actions[value] = action

    def show_choice(self, value: Choice) -> None:
        """Show `value`; silent."""
        self._actions[value].setChecked(True)
        self.set_value(value.title, value.hint)

    def refuse(self, value: Choice, reason: str) -> None:
        """Grey a choice that cannot be made, for a `reason` that its tooltip gives; '' offers it again."""
        action = self._actions[value]
        action.setEnabled(not reason)
        action.setToolTip(reason or value.hint or value.title)

    def choose(self, value: Choice) -> None:
        """Take `value`, as a click in the menu does."""
        self._actions[value].trigger()
