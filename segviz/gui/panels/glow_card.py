"""The card of what glows in the pinned unit's field: the choice, how much of the field matters, what came back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from segviz.core.choices import BackRule, Glow
from segviz.core.effective import COUNTS
from segviz.core.field import Box
from segviz.gui import glowing, theme, unit_words, words
from segviz.gui.panels.header import ChoicePill
from segviz.gui.panels.pixels import seen
from segviz.gui.widgets.heading import flat_button
from segviz.gui.widgets.painted import Painted
from segviz.gui.widgets.pill import Pill

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from segviz.core.effective import EffectiveField
    from segviz.gui.panels.base import Commands
    from segviz.gui.scene import Scene

SIDE = 92  # of each of the two pictures, before `theme.px`
COPIED = 512  # longer side of the picture that is copied or saved
CAME_BACK = {
    BackRule.GRADIENT: "Gradient",
    BackRule.DECONVNET: "Deconvnet",
    BackRule.GUIDED: "Guided",
}
SIGNED = "What comes back from the unit to each pixel: grey is nothing, lighter raises the unit, darker lowers it"
AVERAGED = "The mean energy of these images, in the colours of the glow"


class Excerpt(Painted):
    """A part of an image, at its own aspect, with a caption below it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._pixels: npt.NDArray[np.uint8] | None = None
        self._box: Box | None = None
        self._mirrors = False
        self._image: QImage | None = None
        self.caption = name
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)

    @property
    def box(self) -> Box | None:
        return self._box

    def set_part(
        self, pixels: npt.NDArray[np.uint8] | None, box: Box | None, caption: str, mirrors: bool = False
    ) -> None:
        """Show what lies in `box` of pixels (H, W, 3), `mirrors` as in `seen`; None: nothing yet."""
        self._pixels, self._box, self._image, self.caption = pixels, box, None, caption
        self._mirrors = mirrors
        self.setAccessibleName(caption)
        self.updateGeometry()
        self.update()

    def picture(self) -> QImage | None:
        """The part at a size to copy; None while there is nothing to see."""
        return None if self._pixels is None or self._box is None else self._drawn(COPIED)

    def _drawn(self, longest: int) -> QImage:
        assert self._pixels is not None
        assert self._box is not None
        return seen(self._pixels, self._box, longest, self.colours(), self._mirrors)

    def _size(self) -> tuple[int, int]:
        """(width, height) on the screen of what is shown, a square while there is nothing."""
        side = theme.px(SIDE)
        if self._box is None:
            return side, side
        longest = max(self._box.width, self._box.height, 1e-6)
        return max(1, round(side * self._box.width / longest)), max(1, round(side * self._box.height / longest))

    def sizeHint(self) -> QSize:
        return QSize(theme.px(SIDE), self._size()[1] + theme.px(18))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, t = QPainter(self), self.colours()
        wide, tall = self._size()
        if self._pixels is None:
            painter.fillRect(0, 0, wide, tall, t.color("raised"))
        else:
            key = round(max(wide, tall) * self.devicePixelRatioF())
            if self._image is None or max(self._image.width(), self._image.height()) != key:
                self._image = self._drawn(key)
            painter.drawImage(QRectF(0, 0, wide, tall), self._image)
        painter.setFont(theme.caption())
        painter.setPen(t.color("dim"))
        below = QRectF(0, tall, self.width(), theme.px(18))
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.caption)


class GlowCard(QWidget):
    """What glows, and what is known of it. Asks the window's actions, so that menu, keys and card are one."""

    def __init__(self, commands: Commands) -> None:
        super().__init__()
        self._commands = commands
        self._name = "back-projection"
        self._shown: object = None
        self.choice = ChoicePill("", "What glows in the field", Glow, self._choose)
        self.images = _ImagesPill(lambda count: commands.do(f"glow-images-{count}"))
        self._copy = flat_button("copy", "Copy what came back to the pixels")
        self._save = flat_button("download", "Save what came back to the pixels as PNG")
        self.figures, self.axes, self.note = QLabel(), QLabel(), QLabel()
        for label, role in ((self.figures, ""), (self.axes, "dim"), (self.note, "dim")):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            if role:
                theme.set_role(label, role)
        self.figures.setToolTip(glowing.FIGURES_HINT)
        self.axes.setToolTip(
            "Both axes of the ellipses that hold so much of the energy, in image pixels. "
            "A field is a box: where energy fills its corners, the ellipse is wider than the box."
        )
        self.saw, self.back = Excerpt("Saw"), Excerpt("Came back")
        self._copy.clicked.connect(lambda: commands.copy_image(self.back.picture()))
        self._save.clicked.connect(lambda: commands.save_image(self.back.picture(), self._name))
        self.saw.setToolTip("The part of the image that the unit can see")
        self._pair = QWidget()
        self._arrange()

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(theme.XS)
        head.addWidget(self.choice)
        head.addWidget(self.images)
        head.addStretch(1)
        ways_out = QVBoxLayout()
        ways_out.setSpacing(0)
        ways_out.addWidget(self._copy)
        ways_out.addWidget(self._save)
        ways_out.addStretch(1)
        pair = QHBoxLayout(self._pair)
        pair.setContentsMargins(0, 0, 0, 0)
        pair.setSpacing(theme.S)
        for part in (self.saw, self.back):
            pair.addWidget(part, 0, Qt.AlignmentFlag.AlignTop)
        pair.addStretch(1)
        pair.addLayout(ways_out)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)
        column.addLayout(head)
        for below in (self.figures, self.axes, self.note, self._pair):
            column.addWidget(below)

    def show_scene(self, scene: Scene) -> None:
        """Show what the scene has of the pinned unit; while it is computed the pictures stand empty."""
        state, found = scene.state, scene.shown_effective
        waiting = glowing.waiting(scene)
        key = (found, scene.picture, state.glow, state.glow_images, state.unit, state.colour_map, waiting)
        if key == self._shown:
            return
        self._shown = key
        self.setVisible(state.unit is not None or state.glow is not Glow.NONE)
        self.choice.show_choice(state.glow)
        self.images.setVisible(state.glow is Glow.EFFECTIVE)
        self.images.show_count(state.glow_images)
        effective = found is not None and found.request.rule is BackRule.GRADIENT
        _say(self.figures, glowing.figures(found) if found is not None and effective else "")
        _say(self.axes, glowing.axes(found) if found is not None and effective else "")
        _say(self.note, glowing.remark(found) if found is not None else waiting)
        self._pair.setVisible(state.glow is not Glow.NONE and state.unit is not None)
        for button in (self._copy, self._save):
            button.setEnabled(found is not None)
        self._show_pair(found, scene)

    def _show_pair(self, found: EffectiveField | None, scene: Scene) -> None:
        if found is None:
            for part in (self.saw, self.back):
                part.set_part(None, part.box, part.caption)
            return
        from segviz.core import palettes

        unit = f"{found.layer}-{found.channel}-{found.request.row}-{found.request.column}"
        self._name = f"{found.request.rule.value}-{unit}"
        image = scene.picture.pixels if scene.picture is not None else None
        self.saw.set_part(image, found.box, "Sees", unit_words.mirrors(scene.network))
        signed = found.picture
        pixels = palettes.colour_map(scene.state.colour_map)[found.glow] if signed is None else signed
        rows, columns = found.glow.shape
        caption = CAME_BACK[found.request.rule] if signed is not None else f"Mean of {found.images}"
        self.back.set_part(pixels, Box(0, 0, columns, rows), caption)
        self.back.setToolTip(AVERAGED if signed is None else SIGNED)

    def _choose(self, value: object) -> None:
        assert isinstance(value, Glow)
        self._commands.do(f"glow-{value.value}")


def _say(label: QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))


class _ImagesPill(Pill):
    """A drop-down of how many images are averaged; `chosen(count)` is called for the person's choice alone."""

    def __init__(self, chosen: Callable[[int], None]) -> None:
        super().__init__("", "Images that the effective field is of")
        self._actions: dict[int, QAction] = {}
        group = QActionGroup(self)
        for count in COUNTS:
            action = self.menu().addAction(glowing.images_title(count))
            action.setCheckable(True)
            action.setToolTip(glowing.images_hint(count))
            action.triggered.connect(lambda _, c=count: chosen(c))
            group.addAction(action)
            self._actions[count] = action

    def show_count(self, count: int) -> None:
        """Show `count`; silent."""
        if count in self._actions:
            self._actions[count].setChecked(True)
        self.set_value(words.many(count, "image"), glowing.images_hint(count))
