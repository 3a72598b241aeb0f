"""Small widgets of the inspector: a colour's swatch, facts in two columns, the card of the pinned unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from segviz.core.field import Box
from segviz.gui import settings, theme, unit_words, words
from segviz.gui.panels.pixels import seen
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.heading import flat_button, heading
from segviz.gui.widgets.painted import Painted, text_width

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from segviz.core.requests import Network
    from segviz.gui.panels.base import Commands
    from segviz.gui.scene import Pinned, Scene

CROP = 68  # side of the crop, before `theme.px`
COPIED = 512  # longer side of the crop that is copied or saved
BOX_HINT = "The field's left, top, right and bottom edge in image pixels, the last two not included"


class Swatch(Painted):
    """A small square of one colour; nothing while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._colour = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Colour of the pixel")

    def set_colour(self, colour: str) -> None:
        if colour != self._colour:
            self._colour = colour
            self.setAccessibleDescription(colour)
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(14), theme.px(14))

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._colour:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.colours().color("dim"), 1))
        painter.setBrush(QColor(self._colour))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)


class Facts(QWidget):
    """Names and values in two columns; a value too long for its column is elided and has a tooltip."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self._values: dict[str, ElidedLabel] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.S)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        for row, name in enumerate(names):
            label = QLabel(name)
            theme.set_role(label, "dim")
            value = ElidedLabel("–")
            value.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            value.setAccessibleName(name)
            grid.addWidget(label, row, 0)
            grid.addWidget(value, row, 1)
            self._values[name] = value

    def set_values(self, **values: str) -> None:
        for name, text in values.items():
            label = self._values[name]
            label.setText(text)
            label.setAccessibleDescription(text)
        self._fit()

    def set_hints(self, **hints: str) -> None:
        """What values mean, as their tooltips."""
        for name, hint in hints.items():
            self._values[name].setToolTip(f"{self._values[name].text()}\n{hint}")

    def _fit(self) -> None:
        """Smaller type before anything is left out."""
        for label in self._values.values():
            fits = text_width(label.text(), theme.numbers()) <= label.width()
            label.setFont(theme.numbers(theme.BODY if fits else theme.CAPTION))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def value(self, name: str) -> str:
        return self._values[name].text()


class CropView(Painted):
    """What the unit sees, at the field's own aspect; hatched where the field reaches outside the image."""

    def __init__(self) -> None:
        super().__init__()
        self._pixels: npt.NDArray[np.uint8] | None = None
        self._box: Box | None = None
        self._mirrors = False
        self._image: QImage | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("What the unit sees")

    def set_crop(self, pixels: npt.NDArray[np.uint8] | None, box: Box | None, network: Network | None = None) -> None:
        """Show what lies in `box` of pixels (H, W, 3), and beyond them what the network sees there."""
        self._pixels, self._box, self._image = pixels, box, None
        self._mirrors = unit_words.mirrors(network)
        beyond = unit_words.beyond(network)
        self.setToolTip(f"What the unit sees; hatched: outside the image, where the network sees {beyond}")
        self.update()

    def picture(self) -> QImage | None:
        """The crop at a size to copy; None while there is nothing to see."""
        if self._pixels is None or self._box is None:
            return None
        return self._hatched(COPIED)

    def _hatched(self, longest: int) -> QImage:
        assert self._pixels is not None
        assert self._box is not None
        return seen(self._pixels, self._box, longest, self.colours(), self._mirrors)

    def sizeHint(self) -> QSize:
        return QSize(theme.px(CROP), theme.px(CROP))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        t = self.colours()
        if self._pixels is None or self._box is None:
            painter.fillRect(self.rect(), t.color("raised"))
            return
        scale = self.devicePixelRatioF()
        key = round(self.width() * scale)
        if self._image is None or max(self._image.width(), self._image.height()) != key:
            self._image = self._hatched(key)
        wide, tall = self._image.width() / scale, self._image.height() / scale
        painter.drawImage(QRectF((self.width() - wide) / 2, (self.height() - tall) / 2, wide, tall), self._image)


class UnitCard(QWidget):
    """The pinned unit: where it is, what it says, and the crop of what it sees."""

    def __init__(self, commands: Commands) -> None:
        super().__init__()
        self._name = "unit"
        self._pinned = self._folded = False
        self.crop = CropView()
        self.place = Facts(("Layer", "Cell", "Field", "Box"))
        self.facts = Facts(("Value", "Outside", "Centre"))
        self.status = QLabel()
        self.status.setWordWrap(True)
        theme.set_role(self.status, "warn")
        self._hint = QLabel("Click in the image to pin a unit and see its receptive field.")
        self._hint.setWordWrap(True)
        theme.set_role(self._hint, "dim")
        self._copy = flat_button("copy", "Copy what the unit sees")
        self._copy.clicked.connect(lambda: commands.copy_image(self.crop.picture()))
        self._save = flat_button("download", "Save what the unit sees as PNG")
        self._save.clicked.connect(lambda: commands.save_image(self.crop.picture(), self._name))
        self._body = QWidget()
        self.summary = ElidedLabel()
        self.summary.setAccessibleName("Pinned unit")
        self.fold = flat_button("chevron-up", "Fold the unit away, for a longer list of classes")
        self._arrange()
        self._folds(settings.folded("unit"))
        self.fold.clicked.connect(self._toggle_fold)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(0)
        head.addWidget(heading("Unit"))
        head.addStretch(1)
        head.addWidget(self._copy)
        head.addWidget(self._save)
        head.addWidget(self.fold)
        beside = QHBoxLayout()
        beside.setSpacing(theme.M)
        beside.addWidget(self.crop, 0, Qt.AlignmentFlag.AlignTop)
        beside.addWidget(self.facts, 1, Qt.AlignmentFlag.AlignTop)
        body = QVBoxLayout(self._body)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(theme.XS)
        body.addWidget(self.place)
        body.addLayout(beside)
        body.addWidget(self.status)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)
        column.addLayout(head)
        column.addWidget(self._hint)
        column.addWidget(self.summary)
        column.addWidget(self._body)

    def _toggle_fold(self) -> None:
        settings.set_folded("unit", not self._folded)
        self._folds(not self._folded)

    def _folds(self, folded: bool) -> None:
        """One line, or all of it."""
        self._folded = folded
        theme.set_icon(self.fold, "chevron-down" if folded else "chevron-up")
        name = "Unfold the unit" if folded else "Fold the unit away, for a longer list of classes"
        self.fold.setToolTip(name)
        self.fold.setAccessibleName(name)
        self._show_parts()

    def _show_parts(self) -> None:
        self._hint.setVisible(not self._pinned)
        self.summary.setVisible(self._pinned and self._folded)
        self._body.setVisible(self._pinned and not self._folded)
        for part in (self.fold, self._copy, self._save):
            part.setVisible(self._pinned)

    def show_unit(self, unit: Pinned | None, scene: Scene) -> None:
        """Show `unit` of `scene`; None: the hint how to pin one."""
        self._pinned = unit is not None
        self._show_parts()
        if unit is None:
            self.crop.set_crop(None, None)
            return
        self._name = f"unit-{unit.layer}-{unit.channel}-{unit.row}-{unit.column}"
        network = scene.network
        name = unit_words.class_of_map(network, unit.layer, unit.channel)
        place = f"{unit.layer}, map {unit.channel}" + (f" · {unit_words.quoted(name)}" if name else "")
        self.summary.setText(place)
        self.place.set_values(
            Layer=place,
            Cell=f"row {unit.row:,}, column {unit.column:,}",
            Field=unit_words.field_size(unit, network),
            Box=words.box(*unit.field),
        )
        self.place.set_hints(Field=unit_words.field_hint(unit, network), Box=BOX_HINT)
        self.facts.set_values(
            Value=words.value(unit.value),
            Outside=words.share(unit.outside),
            Centre=words.point(*unit.center),
        )
        remark = unit_words.remark(unit, network)
        self.status.setText(remark)
        self.status.setVisible(bool(remark))
        self.crop.set_crop(scene.picture.pixels if scene.picture is not None else None, unit.field, network)
