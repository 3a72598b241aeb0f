"""Stacks whose size is that of the page in front, and benches: tabs, the chosen page's header beside them."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from segviz.gui import theme
from segviz.gui.widgets.tray import Tray

LOW = 153  # height that a page of a flat bench needs at least, before `theme.px`


class Pages(QStackedWidget):
    """A stack that asks for as much room as its page in front: a page behind must not widen the window."""

    def __init__(self) -> None:
        super().__init__()
        self.currentChanged.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        page = self.currentWidget()
        return page.sizeHint() if page is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        page = self.currentWidget()
        if page is None:
            return super().minimumSizeHint()
        return page.minimumSizeHint().expandedTo(page.minimumSize())


class Headers(Pages):
    """Pages of one height: what stands beside them does not jump when one is turned."""

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._tallest())

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), self._tallest())

    def _tallest(self) -> int:
        pages = (page for at in range(self.count()) if (page := self.widget(at)) is not None)
        return max((page.sizeHint().height() for page in pages), default=0)


class Inside(QWidget):
    """Holds a page at its full size; needs what the page needs at least.

    A layout would not do: of a page with wrapped words a scroll area takes the height that it would like to have.
    """

    def __init__(self, page: QWidget) -> None:
        super().__init__()
        self.page = page
        page.setParent(self)
        page.show()

    def minimumSizeHint(self) -> QSize:
        return self.page.minimumSizeHint().expandedTo(self.page.minimumSize())

    def sizeHint(self) -> QSize:
        return self.page.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.page.setGeometry(self.rect())


class Low(Tray):
    """A page that needs no more height than `LOW`: a taller one is scrolled, for a dock that grows for a page, or for a
    line of words more, would not shrink again by itself.
    """

    def __init__(self, page: QWidget) -> None:
        self.page = page
        super().__init__(Inside(page))
        theme.set_surface(self, "panel")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:
        return self.page.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return QSize(self.inside.minimumSizeHint().width(), theme.px(LOW))


class Bench(QWidget):
    """Pages behind tabs, which are shown from two pages on.

    `currentChanged` fires for every change; block signals to change it silently.
    """

    currentChanged = Signal(int)

    def __init__(self, name: str, flat: bool = False) -> None:
        """`flat`: wide and low. Its tabs scroll where there is little room, and so do its pages (`Low`)."""
        super().__init__()
        theme.set_surface(self, "panel")
        self.bar = QTabBar()
        self.bar.setDrawBase(False)
        self.bar.setExpanding(False)
        self.bar.setDocumentMode(True)
        self.bar.setUsesScrollButtons(flat)
        self.bar.setElideMode(Qt.TextElideMode.ElideNone)
        self.bar.setAccessibleName(name)
        self.bar.hide()
        self._headers = Headers()
        self._pages, self._flat = Pages(), flat
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.S)
        row.addWidget(self.bar, 0, Qt.AlignmentFlag.AlignBottom)
        row.addWidget(self._headers, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self._pages, 1)
        self.bar.currentChanged.connect(self._turn)

    def add(self, page: QWidget, title: str, header: QWidget | None) -> None:
        """Add a page; its header leaves the page and stands beside the tabs."""
        self._headers.addWidget(header if header is not None else QWidget())
        self._pages.addWidget(Low(page) if self._flat else page)
        self.bar.addTab(title)
        self.bar.setVisible(self.bar.count() > 1)

    def _turn(self, index: int) -> None:
        self._pages.setCurrentIndex(index)
        self._headers.setCurrentIndex(index)
        self.currentChanged.emit(index)

    def currentIndex(self) -> int:
        return self.bar.currentIndex()

    def setCurrentIndex(self, index: int) -> None:
        self.bar.setCurrentIndex(index)

    def currentWidget(self) -> QWidget | None:
        shown = self._pages.currentWidget()
        return shown.page if isinstance(shown, Low) else shown

    def setCurrentWidget(self, page: QWidget) -> None:
        shown = [self._pages.widget(at) for at in range(self._pages.count())]
        pages = [one.page if isinstance(one, Low) else one for one in shown]
        self.bar.setCurrentIndex(pages.index(page))
