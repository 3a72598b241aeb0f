"""What the pages of the convolution laboratory have in common: a board of small maps, and words about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from segviz.core import planning
from segviz.core.convolution_lab import DILATIONS, PADDINGS, STRIDES, WIDTHS, Preset, Source
from segviz.core.laboratory import LARGEST_NUMBER
from segviz.gui import theme
from segviz.gui.identity import Same
from segviz.gui.panels.lab_page import Change, NumberPill, Rows, choice_pill
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.kernel_table import KernelTable, Refusal, captioned
from segviz.gui.widgets.matrix_board import MatrixBoard
from segviz.gui.widgets.segmented import Segmented
from segviz.gui.widgets.wrapped import WrappedLabel

if TYPE_CHECKING:
    from segviz.core.convolution_lab import ConvolutionLab
    from segviz.gui.filming import Frames
    from segviz.gui.panels.base import Commands
    from segviz.gui.scene import Scene

NOTHING = "Open an image and a network: every layer's arithmetic is shown here, at the unit that you pin."
PICTURE = "Open an image: its pixels are convolved here."


class BoardPage:
    """Settings above a sentence with the result and one that explains; a `MatrixBoard` as the stage."""

    drawn = True

    def __init__(self, name: str, explanation: str, change: Change, commands: Commands) -> None:
        self._change, self._commands = change, commands
        self._key: object = None
        self.said = ElidedLabel()
        self.note = WrappedLabel(explanation)
        theme.set_role(self.note, "caption")
        self.board = MatrixBoard(name)
        self.stage: QWidget = self.board

    def _lay_out(self, *rows: Sequence[QWidget] | QWidget, kernel: KernelChoice | None = None) -> QWidget:
        """The settings: rows of parts, then the sentences; the numbers of a `kernel` stand at their right."""
        column = QVBoxLayout()
        column.setSpacing(theme.S)
        for row in rows:
            if isinstance(row, QWidget):
                column.addWidget(row)
                continue
            line = QHBoxLayout()
            line.setSpacing(theme.S)
            for part in row:
                line.addWidget(part)
            line.addStretch(1)
            column.addLayout(line)
        if kernel is not None:
            column.addWidget(kernel.refusal)
            kernel.refusal.stand_for(self.said)
        column.addWidget(self.said)
        column.addWidget(self.note)
        column.addStretch(1)
        self.said.setFont(theme.numbers())
        whole = QWidget()
        line = QHBoxLayout(whole)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.M)
        line.addLayout(column, 1)
        if kernel is not None:
            line.addWidget(kernel.beside)
        return whole

    def _is_new(self, key: object) -> bool:
        """Whether something else is to be shown than until now."""
        if key == self._key:
            return False
        self._key = key
        return True

    def _clear(self, said: str = "") -> None:
        self._key = None
        self.board.set_tiles(())
        self.said.setText(said)

    def hover(self, point: tuple[float, float] | None) -> None:
        """Nothing: these maps are about the pinned place."""

    def picture(self) -> QImage:
        return self.board.picture()

    def svg(self) -> bytes:
        return self.board.svg() if self.board.tiles else b""

    def rows(self) -> Rows:
        """Every number on the board: what, row, column, value."""
        rows: Rows = [["what", "row", "column", "value"]]
        for tile in self.board.tiles:
            for name, matrix in ((tile.title, tile.main), *((part.name, part) for part in tile.beside)):
                for row, values in enumerate(matrix.values.tolist()):
                    rows += [[name, row, column, value] for column, value in enumerate(values)]
        return rows if len(rows) > 1 else []

    def film(self) -> tuple[str, Callable[[], Frames]] | None:
        return None


class KernelChoice:
    """The controls of the kernel on the image: presets, its width, its numbers, and how it slides."""

    def __init__(self, change: Change, resize: Callable[[int], None], slides: bool = True) -> None:
        self.preset = choice_pill("Kernel", "The kernel that slides over the image", Preset, "preset", change)
        self.width = NumberPill("Width", "Width of the kernel: it becomes your own", WIDTHS, resize, "{0} × {0}")
        self.sliding: dict[str, NumberPill] = {}
        if slides:
            self.sliding = {
                "stride": NumberPill("Stride", "Pixels between outputs", STRIDES, lambda n: change(stride=n)),
                "padding": NumberPill("Padding", "Zeros around the image", PADDINGS, lambda n: change(padding=n)),
                "dilation": NumberPill("Dilation", "Pixels between weights", DILATIONS, lambda n: change(dilation=n)),
            }
        self.table = KernelTable("Kernel", LARGEST_NUMBER)
        self.table.edited.connect(lambda rows: change(preset=Preset.EDITED, edited=rows))
        self.beside = captioned(self.table)
        self.refusal = Refusal(self.table)
        self._shown: ConvolutionLab | None = None

    @property
    def parts(self) -> tuple[QWidget, ...]:
        return self.preset, self.width, *self.sliding.values()

    def show(self, lab: ConvolutionLab, there: bool = True) -> None:
        """Show what is chosen; `there`: whether there is a choice at all."""
        if lab != self._shown:
            self._shown = lab
            self.refusal.say("")
        for part in (*self.parts, self.beside):
            part.setVisible(there)
        if not there:
            return
        from segviz.core import convolutions

        rows = convolutions.kernel_rows(lab.preset, lab.edited)
        self.preset.show_choice(lab.preset)
        self.width.show_number(len(rows))
        for field, pill in self.sliding.items():
            pill.show_number(getattr(lab, field))
        self.table.set_rows(rows)


def source_choice(change: Change) -> Segmented:
    """Whether a layer of the network or the image is convolved."""
    found = Segmented([(source, source.title, _sentence(source.hint)) for source in Source], "What is convolved")
    found.changed.connect(lambda source: change(source=source))
    return found


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def work_key(scene: Scene) -> object:
    """What a convolution at work depends on: where it is the same, nothing is computed anew."""
    state = scene.state
    return Same(scene.picture), Same(scene.shown_sums), replace(state.convolution_lab, image=False), state.cursor


def missing_work(scene: Scene, refused: str) -> str:
    """What a person must do before a convolution is there to be seen; '' where it is."""
    state = scene.state
    if state.convolution_lab.source is Source.IMAGE:
        return refused if scene.picture is not None else PICTURE
    if scene.picture is None or not state.model:
        return NOTHING
    answer = scene.shown_sums
    if answer is not None:
        return _sentence(answer.refusal) + "." if answer.refusal else refused
    if state.layer is None:
        return "Choose a layer in the Network panel, and click on the image to pin a unit."
    if scene.waits_for(planning.plan_sums(state)):
        return f"Computing {state.layer}…"
    return f"{state.layer} has not been computed: Run > Run again (F9)."


def resizing(change: Change, lab: Callable[[], Any]) -> Callable[[int], None]:
    """What a choice of another width changes, of the laboratory that `lab` gives."""

    def resize(width: int) -> None:
        from segviz.gui.panels import convolution_maps

        change(**convolution_maps.resized(lab(), width))

    return resize
