"""Where the tables of the scores stand: low beside the figures, or large in the place of the image."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from segviz.gui import theme
from segviz.gui.panels.scores_table import ClassTable
from segviz.gui.widgets.colour_bar import ColourBar
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.matrix import Matrix
from segviz.gui.widgets.tray import Tray
from segviz.gui.widgets.wrapped import WrappedLabel
from segviz.gui.workbench import Pages

BESIDE = 620  # width from which table and matrix stand side by side, before `theme.px`
ACROSS, DOWN = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.BottomToTop


class Tables(QWidget):
    """The table of classes and the confusion matrix, side by side or one above the other."""

    def __init__(self) -> None:
        super().__init__()
        self.table = ClassTable()
        self.matrix = Matrix("Confusion matrix")
        self.hint = ElidedLabel()
        theme.set_role(self.hint, "caption")
        self.scale_bar = ColourBar()
        above = QHBoxLayout()
        above.addWidget(self.hint, 1)
        above.addWidget(self.scale_bar)
        right = QVBoxLayout()
        right.setSpacing(theme.XS)
        right.addLayout(above)
        right.addWidget(self.matrix, 1)
        self._row = QBoxLayout(ACROSS, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.L)
        self._row.addWidget(self.table, 4)
        self._row.addLayout(right, 5)

    def set_narrow(self, narrow: bool) -> None:
        """The matrix above the table, or beside it."""
        self._row.setDirection(DOWN if narrow else ACROSS)


class ScoresStage(QWidget):
    """The tables in the place of the image."""

    def __init__(self) -> None:
        super().__init__()
        theme.set_surface(self, "panel")
        self._tables: Tables | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(theme.M, theme.M, theme.M, theme.M)

    def take(self, tables: Tables) -> None:
        self._tables = tables
        self._column.addWidget(tables)
        self._turn()
        tables.show()

    def _turn(self) -> None:
        if self._tables is not None and self.isAncestorOf(self._tables):
            self._tables.set_narrow(self.width() < theme.px(BESIDE))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._turn()

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(400), theme.px(240))


class Content(QWidget):
    """Figures, tables, plot. The plot is there only where there is room for it; while the tables are large, words
    stand in their place: all that was remarked, uncut.
    """

    def __init__(self, figures: QBoxLayout, tables: Tables, plot: QWidget) -> None:
        super().__init__()
        self.plot = plot
        self.words = WrappedLabel()
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._place, self._low, self._all_words = Pages(), QWidget(), Tray(self.words)
        for part in (self.words, self._all_words):
            theme.set_surface(part, "panel")
        self._column = QVBoxLayout(self._low)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._place.addWidget(self._low)
        self._place.addWidget(self._all_words)
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        row.setSpacing(theme.L)
        row.addLayout(figures)
        row.addWidget(self._place, 9)
        row.addWidget(plot, 3)
        self.take(tables)

    def take(self, tables: Tables) -> None:
        tables.set_narrow(False)
        self._column.addWidget(tables)
        tables.show()

    def show_words(self, shown: bool) -> None:
        self._place.setCurrentWidget(self._all_words if shown else self._low)
        self.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def minimumSizeHint(self) -> QSize:
        return self._row.minimumSize() - QSize(0 if self.plot.isHidden() else self._plot_width(), 0)

    def _plot_width(self) -> int:
        return self.plot.minimumSizeHint().width() + self._row.spacing()

    def fit(self) -> None:
        self.plot.setVisible(self.width() >= self.minimumSizeHint().width() + self._plot_width())
