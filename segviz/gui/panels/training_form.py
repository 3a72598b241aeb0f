"""What a run of training is asked for: recipe, data, and what a person changes of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFileDialog, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QWidget

from segviz.core import places
from segviz.core.choices import DataName, RecipeName
from segviz.core.errors import SegvizError
from segviz.core.learning import USUAL, TrainRequest
from segviz.gui import theme
from segviz.gui.names import sentence
from segviz.gui.panels.header import ChoicePill
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.entry_line import EntryLine
from segviz.gui.widgets.heading import flat_button
from segviz.gui.widgets.pill import Pill
from segviz.gui.widgets.segmented import Segmented
from segviz.gui.widgets.slider import LabelledSlider

KEPT = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)  # shares of the pixels whose loss counts
WAYS = (
    (None, "Recipe's", "Train as the recipe does"),
    (False, "Whole", "Whole images: the loss is the mean over all pixels (lecture T28); one pass answers for all"),
    (True, "Patches", "Patch by patch: one patch for each pixel, labelled as its centre (lecture T27). The same"
     " gradient where all patches are used, and far slower"),
)  # fmt: skip
DATA_TIP = "What is learned from: data of segviz by its name, or a folder of images and masks; empty: the recipe's"
QUICK_TIP = "The quick form of the recipe: seconds instead of minutes, to see that it learns"
KEPT_TIP = (
    "Loss masking (lecture T28): the share of pixels whose loss counts, drawn anew in every step. "
    "It does what random patches do, in one pass"
)
WEIGHTS_TIP = (
    "Class re-weighting (lecture T28): what each class counts in the loss, so that rare ones are not "
    "drowned by the background"
)
MARGINS, WIDEST_NUMBER = 22, 96  # around a number, and eight digits with them, before `theme.px`
WIDEST = 420  # of what grows with the window, before `theme.px`
RECIPES_OWN = "auto"


@dataclass(frozen=True, slots=True)
class Number:
    """A field for a number: its name in TrainRequest, caption, tooltip, and how its text is read."""

    field: str
    caption: str
    tip: str
    read: Callable[[str], float]
    width: int = 62  # before `theme.px`


def _whole(low: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text.replace(",", ""))
        if number < low:
            raise ValueError
        return number

    return read


def _rate(text: str) -> float:
    number = float(text)
    if not (math.isfinite(number) and number > 0):
        raise ValueError
    return number


NUMBERS = (
    Number("steps", "Steps", "How many steps are taken; a whole number from 1 on. Empty: the recipe's", _whole(1)),
    Number("learning_rate", "Rate", "The learning rate at its highest; more than 0. Empty: the recipe's", _rate),
    Number("seed", "Seed", "What all random numbers begin with, from 0 on; the same seed gives the same numbers"
           " again. Empty: the recipe's", _whole(0)),
)  # fmt: skip


class TrainingForm(QWidget):
    """Shows and changes one TrainRequest. `changed` fires for the person alone, `classes_wanted` for the table."""

    changed = Signal(object)  # TrainRequest
    classes_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.request = USUAL
        self.recipe = ChoicePill("Recipe", "Recipe", RecipeName, lambda v: self._take(**self._recipe(v)))
        self.quick = QCheckBox("Quick")
        self.quick.setToolTip(QUICK_TIP)
        self.quick.toggled.connect(lambda on: self._take(quick=on))
        self.hint = ElidedLabel()
        theme.set_role(self.hint, "caption")
        self.data = EntryLine("Data", DATA_TIP, "the recipe's")
        self.data.entered.connect(self._enter_data)
        self.browse = flat_button("folder-open", "Choose a folder of images and masks")
        self.browse.clicked.connect(self._browse)
        self.lines = {number.field: self._line(number) for number in NUMBERS}
        self.way = Segmented(WAYS, "Whole images or patches")
        self.way.changed.connect(lambda value: self._take(patches=value))
        self.kept = LabelledSlider(
            "Kept", low=0, high=len(KEPT) - 1, steps=len(KEPT) - 1, write=self._kept_text, tooltip=KEPT_TIP
        )
        self.kept.moved.connect(lambda at: self._take(kept=None if KEPT[round(at)] == 1 else KEPT[round(at)]))
        self.weights = Pill("Class weights", "Class weights")
        self.weights.menu().aboutToShow.connect(self._fill_weights)
        self._arrange()
        self._show()

    @staticmethod
    def _recipe(value: Any) -> dict[str, Any]:
        """Another recipe has other classes, and may not be able to take the other's data."""
        return {"recipe": value.value, "class_weights": None, "data": None}

    # --------------------------------------------------------------------------------- making

    def _line(self, number: Number) -> EntryLine:
        line = EntryLine(number.caption, number.tip, "auto")
        line.entered.connect(lambda text: self._enter(number, text))
        return line

    def _arrange(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.M)
        grid.setVerticalSpacing(theme.XS)
        first = _row(self.recipe, self.quick)
        first.addWidget(self.hint, 1)
        second = _row(_captioned("Data", self.data), self.data, self.browse)
        second.setStretch(1, 1)
        for number in NUMBERS:
            line = self.lines[number.field]
            second.addWidget(_captioned(number.caption, line))
            second.addWidget(line)
        third = _row(self.way, self.kept, self.weights)
        third.setStretch(1, 1)
        self.kept.setMaximumWidth(theme.px(WIDEST))
        self.data.setMaximumWidth(theme.px(WIDEST))
        second.addStretch()
        third.addStretch()
        for at, row in enumerate((first, second, third)):
            grid.addLayout(row, at, 0)
        self.hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.data.setMinimumWidth(theme.px(80))

    # -------------------------------------------------------------------------------- showing

    def show_request(self, request: TrainRequest) -> None:
        """Show another request; silent."""
        if request != self.request:
            self.request = request
            self._show()

    def _show(self) -> None:
        request = self.request
        choice = RecipeName(request.recipe)
        self.recipe.show_choice(choice)
        self.hint.setText(sentence(choice.hint))
        self.quick.blockSignals(True)
        self.quick.setChecked(request.quick)
        self.quick.blockSignals(False)
        self.data.show_value(request.data or "")
        for number in NUMBERS:
            value = getattr(request, number.field)
            line, text = self.lines[number.field], "" if value is None else str(value)
            line.show_value(text)
            wanted = line.fontMetrics().horizontalAdvance(text) + theme.px(MARGINS)
            line.setFixedWidth(min(max(theme.px(number.width), wanted), theme.px(WIDEST_NUMBER)))
        self.way.set_value(request.patches)
        self.kept.set_value(_place(request.kept))
        self.weights.set_value(_weights_text(request.class_weights), WEIGHTS_TIP)

    def _kept_text(self, at: float) -> str:
        """The share at a place of the slider; of a request that has one between two places, its own."""
        kept = self.request.kept
        share = kept if kept is not None and _place(kept) == round(at) else KEPT[round(at)]
        return f"{share * 100:.3g} %"

    def _fill_weights(self) -> None:
        menu = self.weights.menu()
        menu.clear()
        menu.addAction("As the recipe").triggered.connect(lambda: self._take(class_weights=None))
        menu.addAction("Table of classes…").triggered.connect(self.classes_wanted)

    # ------------------------------------------------------------------------------- gestures

    def _take(self, **changes: Any) -> None:
        self.request = replace(self.request, **changes)
        self._show()
        self.changed.emit(self.request)

    def _enter(self, number: Number, text: str) -> None:
        try:
            value = number.read(text.strip()) if text.strip() else None
        except ValueError:
            self.lines[number.field].refuse()
            return
        self._take(**{number.field: value})

    def _enter_data(self, text: str) -> None:
        try:
            self._take(data=read_data(text), class_weights=None)  # other data have other classes
        except SegvizError as error:
            self.data.refuse()
            self.data.setToolTip(str(error))

    def _browse(self) -> None:
        dialog = QFileDialog(self, "A folder of images and masks", self.data.text())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
        dialog.fileSelected.connect(self._enter_data)
        dialog.open()


def read_data(text: str) -> str | None:
    """The name of data or the folder that a person typed; None for nothing. Raises SegvizError for neither."""
    wanted = text.strip()
    if not wanted:
        return None
    if wanted in set(DataName):
        return wanted
    if not places.is_folder(wanted):
        names = ", ".join(DataName)
        raise SegvizError(f"{wanted}: no such folder, and no data of segviz. Names are: {names}")
    return str(Path(wanted).absolute())


def _place(kept: float | None) -> int:
    """The place of the slider that is nearest to a share of the pixels."""
    return min(range(len(KEPT)), key=lambda at: abs(KEPT[at] - (1 if kept is None else kept)))


def _weights_text(weights: tuple[float, ...] | None) -> str:
    if weights is None:
        return RECIPES_OWN
    return "equal" if len(set(weights)) == 1 else f"{min(weights):.2g} to {max(weights):.2g}"


def _captioned(text: str, buddy: QWidget) -> QLabel:
    label = QLabel(text)
    theme.set_role(label, "caption")
    label.setBuddy(buddy)
    label.setToolTip(buddy.toolTip())
    return label


def _row(*parts: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(theme.S)
    for part in parts:
        row.addWidget(part)
    return row
