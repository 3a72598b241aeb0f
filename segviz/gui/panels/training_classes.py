"""The table of class weights: by hand, equal, or so that rare classes count as much as frequent ones."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from segviz.core.learning import TrainingSamples
from segviz.gui import theme, training_words, words
from segviz.gui.widgets.wrapped import WrappedLabel

UNKNOWN = "The classes are known once the recipe has run: press Start, a quick run takes seconds."
SAID = (
    "What each class counts in the loss (lecture T28). Equal: every pixel alike. Balanced: all classes count alike, by "
    "their shares of {of}; one that is not there counts as the rarest. Type a weight to set it by hand. It counts from "
    "the next start on."
)
WIDEST = 440  # of the table, before `theme.px`: names stand near their numbers
LARGEST = 1e6  # a weight


class ClassWeights(QWidget):
    """`changed` carries the weights, None for the recipe's; for what a person does alone."""

    changed = Signal(object)  # tuple[float, ...] | None

    def __init__(self) -> None:
        super().__init__()
        self._classes: tuple[str, ...] = ()
        self._shares: tuple[float, ...] = ()
        self._weights: tuple[float, ...] | None = None
        self.note = WrappedLabel(UNKNOWN)
        theme.set_role(self.note, "dim")
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["Class", "Share", "Weight"])
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setAccessibleName("Class weights")
        self.table.setToolTip("Type a weight from 0 on, or press F2 on a row")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setTabKeyNavigation(False)
        head = self.table.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        head.setHighlightSections(False)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        name = self.table.horizontalHeaderItem(0)
        assert name is not None
        name.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.itemChanged.connect(self._edited)
        self.recipes = self._button("As the recipe", "The weights that the recipe has", lambda: self._take(None))
        self.equal = self._button("Equal", "Every pixel counts 1", lambda: self._take((1.0,) * len(self._classes)))
        self.balanced = self._button("Balanced", "All classes count alike, a pixel 1 on average", self._balance)
        self._arrange()

    def _button(self, text: str, tip: str, then: object) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(then)
        return button

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(theme.S)
        for button in (self.recipes, self.equal, self.balanced):
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addWidget(self.note)
        column.addLayout(row)
        column.addWidget(self.table, 1)
        self.table.setMaximumWidth(theme.px(WIDEST))

    def show_weights(self, samples: TrainingSamples | None, weights: tuple[float, ...] | None) -> None:
        """Show what the classes of `samples` count; silent."""
        known = samples is not None
        self._classes = samples.classes if samples is not None else ()
        self._shares = shares(samples) if samples is not None else ()
        self._weights = weights if weights is not None and len(weights) == len(self._classes) else None
        self.note.say(SAID.format(of=counted(samples)) if samples is not None else UNKNOWN)
        for part in (self.table, self.recipes, self.equal, self.balanced):
            part.setEnabled(known)
        with QSignalBlocker(self.table):
            self._fill()

    def _fill(self) -> None:
        self.table.setRowCount(len(self._classes))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for row, name in enumerate(self._classes):
            weight = "recipe" if self._weights is None else f"{self._weights[row]:.4g}"
            for column, text in enumerate((name, training_words.share(self._shares[row]), weight)):
                item = QTableWidgetItem(text)
                editable = Qt.ItemFlag.ItemIsEditable if column == 2 else Qt.ItemFlag.NoItemFlags
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | editable)
                if column:
                    item.setTextAlignment(right)
                    item.setFont(theme.numbers())
                self.table.setItem(row, column, item)

    def _edited(self, item: QTableWidgetItem) -> None:
        try:
            weight = float(item.text())
            if not (math.isfinite(weight) and 0 <= weight <= LARGEST):
                raise ValueError
        except ValueError:
            with QSignalBlocker(self.table):
                self._fill()
            return
        weights = list(self._weights or (1.0,) * len(self._classes))
        weights[item.row()] = weight
        self._take(tuple(weights))

    def _balance(self) -> None:
        from segviz.core.weight_maps import balancing  # loads numpy, which is there with the samples

        self._take(tuple(round(weight, 4) for weight in balancing(self._shares)))

    def _take(self, weights: tuple[float, ...] | None) -> None:
        self._weights = weights
        with QSignalBlocker(self.table):
            self._fill()
        self.changed.emit(weights)


def shares(samples: TrainingSamples) -> tuple[float, ...]:
    """The share of each class in all that was learned from, before the first step in the samples' truth.

    Of pixels, or of images for a classifier.
    """
    if any(samples.frequencies):
        return tuple(count / sum(samples.frequencies) for count in samples.frequencies)
    import numpy as np

    counts = np.bincount(samples.truth.ravel(), minlength=256)[: len(samples.classes)]
    return tuple(float(count) for count in counts / max(1, int(counts.sum())))


def counted(samples: TrainingSamples) -> str:
    """What `shares` are taken of, in words."""
    if not any(samples.frequencies):
        return "the samples' pixels, until it has learned from more"
    what = "pixels" if samples.truth.ndim > 1 else "images"
    return f"the {words.count(sum(samples.frequencies))} {what} that it learned from until step {samples.step:,}"
