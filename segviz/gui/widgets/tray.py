"""A widget as high as it is, that scrolls where there is less room for it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

from segviz.gui import theme
from segviz.gui.widgets.following import follow_focus

LEAST = 96  # height that is always seen, before `theme.px`


class Tray(QScrollArea):
    """Takes no more height than `inside` needs at its width; gives way before its neighbours' least height."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setWidget(inside)
        self.inside = inside
        inside.installEventFilter(self)
        follow_focus(self)

    def _tall(self) -> int:
        inside, width = self.inside, max(1, self.viewport().width())
        tall = inside.heightForWidth(width) if inside.hasHeightForWidth() else inside.sizeHint().height()
        return max(tall, inside.minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        return QSize(self.inside.sizeHint().width(), self._tall())

    def minimumSizeHint(self) -> QSize:
        return QSize(self.inside.minimumSizeHint().width(), min(theme.px(LEAST), self._tall()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
