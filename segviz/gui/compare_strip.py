"""The shelf above the picture: what is kept for comparison, how it is shown, and by how much two results differ."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from segviz.core.choices import CompareView
from segviz.core.kept import MOST
from segviz.core.requests import Prediction
from segviz.gui import comparing, theme, words
from segviz.gui.actions import find, tooltip
from segviz.gui.scene import Scene
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.heading import flat_button
from segviz.gui.widgets.result_chip import HEIGHT, ResultChip
from segviz.gui.widgets.segmented import Segmented

BUTTONS = ("keep-result", "kept-restore", "kept-rename", "kept-remove")
WAITING = "computed when it is compared"


class NameLine(QLineEdit):
    """A name while it is typed: Return and leaving take it, Escape does not."""

    def event(self, event: QEvent) -> bool:
        """Escape is for this line before it is for the window."""
        escapes = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
        if escapes and event.type() is QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.setModified(False)
            self.editingFinished.emit()
        else:
            super().keyPressEvent(event)


class CompareStrip(QWidget):
    """`wanted` names an action, `view_chosen` a CompareView, `chosen` a kept result, `named` its new name."""

    wanted = Signal(str)
    view_chosen = Signal(object)
    chosen = Signal(int)
    named = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        theme.set_surface(self, "surround")
        self.setAccessibleName("Kept results")
        self.views = Segmented(
            [(view, view.title, tooltip(find(f"compare-{view.value}"))) for view in CompareView], "How results compare"
        )
        self.views.changed.connect(self.view_chosen)
        self.numbers = ElidedLabel()
        theme.set_role(self.numbers, "dim")
        self.buttons = {name: flat_button(find(name).icon, tooltip(find(name))) for name in BUTTONS}
        for name, button in self.buttons.items():
            button.clicked.connect(lambda _, name=name: self.wanted.emit(name))
        self.line = NameLine(self)
        self.line.setAccessibleName("Name of the kept result")
        self.line.setPlaceholderText("A name; empty: what differs")
        self.line.editingFinished.connect(self._named)
        self.line.hide()
        self.chips = tuple(ResultChip(self) for _ in range(MOST))
        for index, chip in enumerate(self.chips):
            chip.clicked.connect(lambda _, index=index: self._choose(index))
        self._pictures: dict[int, tuple[object, QImage]] = {}
        self._difference: tuple[Prediction, Prediction, tuple[str, str]] | None = None
        self._arrange()

    def _arrange(self) -> None:
        first, second, column = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        column.setContentsMargins(theme.M, theme.S, theme.M, theme.XS)
        column.setSpacing(theme.S)
        for row in (first, second):
            row.setSpacing(theme.S)
            column.addLayout(row)
        for chip in self.chips:
            first.addWidget(chip)
            chip.hide()
        first.addWidget(self.line, 1)
        first.addStretch(1)
        for button in self.buttons.values():
            first.addWidget(button)
        second.addWidget(self.views)
        second.addWidget(self.numbers, 1)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.views.sizeHint().width() + 2 * theme.M, self.sizeHint().height())

    def _choose(self, index: int) -> None:
        self.chips[index].setChecked(True)  # a second click on the chosen one leaves it chosen
        self.chosen.emit(index)

    # ------------------------------------------------------------------------------- names

    def edit_name(self) -> None:
        """Let the name of the chosen result be typed."""
        chosen = next((chip for chip in self.chips if not chip.isHidden() and chip.isChecked()), None)
        if chosen is None:
            return
        self.line.setText(chosen.text())
        self.line.show()
        self.line.setFocus()
        self.line.selectAll()

    def _named(self) -> None:
        if self.line.isHidden():
            return
        changed, name = self.line.isModified(), self.line.text()
        self.line.hide()
        if changed:
            self.named.emit(name)

    # ----------------------------------------------------------------------------- showing

    def show_scene(self, scene: Scene) -> None:
        """Follow the scene; silent."""
        results, chosen = comparing.results(scene), comparing.chosen(scene.state)
        for index, chip in enumerate(self.chips):
            chip.setVisible(index < len(results))
            if index < len(results):
                there = results[index].prediction
                hint = "kept" if there is not None else comparing.refusal(scene, index) or WAITING
                chip.show_result(results[index].title, self._picture(index, there, scene), hint)
                chip.setChecked(index == chosen)
        self.views.set_value(scene.state.compare)
        short, whole = self._told(scene)
        self.numbers.setText(short)
        self.numbers.setToolTip(whole)

    def _picture(self, index: int, prediction: Prediction | None, scene: Scene) -> QImage:
        if prediction is None:
            return QImage()
        from segviz.gui.compare_layers import thumbnail  # loads numpy, which is there with a prediction

        state = scene.state
        key = (prediction, scene.picture, state.palette, state.hidden, state.solo, state.minimum, state.opacity)
        known = self._pictures.get(index)
        if known is None or known[0] != key:
            self._pictures[index] = known = key, thumbnail(prediction, scene, theme.px(HEIGHT) - 2 * theme.XS)
        return known[1]

    def _told(self, scene: Scene) -> tuple[str, str]:
        """By how much the chosen result and the newest differ, in short and whole; counted once for each pair."""
        index, newest = comparing.chosen(scene.state), scene.shown_prediction
        if scene.state.compare is CompareView.NONE or index is None or newest is None:
            return "", ""
        kept = comparing.found(scene, index)
        if kept is None:
            told = f"{comparing.titles(scene.state)[index]} is being computed" if scene.jobs else ""
            return (comparing.refusal(scene, index) or told,) * 2
        known = self._difference
        if known is None or known[0] is not kept or known[1] is not newest:
            self._difference = known = kept, newest, difference_text(kept, newest)
        return known[2]


def difference_text(kept: Prediction, newest: Prediction) -> tuple[str, str]:
    """In short, '93.1 % agree · difference at most 0.41, mean 0.0032', and in sentences."""
    from segviz.core.differences import difference

    found = difference(newest, kept)
    agree = f"{found.agreement * 100:.1f} %"
    whole = f"The labels of {agree} of the pixels agree."
    if found.maximum is None or found.mean is None:
        return f"{agree} agree · {found.reason}", f"{whole} Probabilities are not compared: {found.reason}."
    if found.maximum == 0 and kept.request.refinement != newest.request.refinement:
        moved = "the same logits, labels moved by the CRF"
        return f"{agree} agree · {moved}", f"{whole} Both are of {moved}: probabilities on the grid are equal."
    if found.maximum == 0:
        return f"{agree} agree · equal on the grid", f"{whole} Probabilities on the grid are equal."
    most, mean = words.exponent(found.maximum), words.exponent(found.mean)
    grid = f"Probabilities on the grid differ by at most {most}, by {mean} in the mean over units and classes."
    return f"{agree} agree · difference at most {most}, mean {mean}", f"{whole} {grid}"
