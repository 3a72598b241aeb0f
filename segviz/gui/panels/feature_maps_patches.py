"""What a map answers to most strongly, over many images: the fields of its strongest units, one an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from segviz.core.choices import PatchSource
from segviz.core.field import Status
from segviz.gui import gestures, theme, words
from segviz.gui.names import image_title
from segviz.gui.panels.header import ChoicePill, HeaderLine
from segviz.gui.panels.sheet import Sheet, contact_sheet
from segviz.gui.scene import Kind, Scene
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.thumb_grid import ThumbGrid
from segviz.gui.widgets.wrapped import WrappedLabel

if TYPE_CHECKING:
    from segviz.core.session import Session
    from segviz.core.top_patches import TopAnswer, TopPatch
    from segviz.gui.panels.base import Commands

SIDE = 192  # pixels of a tile: as many as a crop has at most
LEAST = 84  # width of a tile, before `theme.px`


class PatchesPage:
    """The best crops of the map that is looked at; a click opens the image with that unit pinned."""

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._commands = commands
        self._scene: Scene | None = None
        self._answer: TopAnswer | None = None
        self.grid = ThumbGrid("Patches that the map answers to")
        self.grid.set_smooth(True)
        self.grid.set_filling(True)
        self.grid.set_least(LEAST)
        self.what = ElidedLabel()
        theme.set_role(self.what, "caption")
        self.source = ChoicePill(
            "Images", "Images that are gone through", PatchSource, lambda v: session.update(patch_source=v)
        )
        self.note = WrappedLabel()
        self.more = QPushButton("Go on")
        self.header: QWidget = self._make_header()
        self.widget = self._arrange()
        self.grid.clicked.connect(lambda index, fx, fy: self._open(index))
        self.grid.hovered.connect(self._hovered)
        self.grid.left.connect(self._left)
        self.more.clicked.connect(lambda: commands.retry())

    def _make_header(self) -> HeaderLine:
        line = HeaderLine()
        line.add(self.what, 1)
        line.add(self.source)
        self.copy = line.button(
            "copy", "Copy the patches as one picture", lambda: self._commands.copy_image(self.picture())
        )
        saves = {
            "Patches as PNG…": lambda: self._commands.save_image(self.picture(), self._name()),
            "Places as CSV…": self._save_table,
        }
        self.save = line.menu("download", "Save the patches: PNG or CSV", saves)
        return line

    def _arrange(self) -> QWidget:
        theme.set_role(self.note, "dim")
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.more.setToolTip("Look through the images that are left: what was found stays")
        whole, self._said = QWidget(), QWidget()
        said = QHBoxLayout(self._said)
        said.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        said.addWidget(self.note, 1)
        said.addWidget(self.more, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._said)
        column.addWidget(self.grid, 1)
        return whole

    # -------------------------------------------------------------------------------- showing

    def show(self, old: Scene | None, new: Scene) -> None:
        self._scene = new
        answer = new.shown_top
        if old is None or answer is not self._answer:
            self._answer = answer
            self.grid.set_tiles(len(self._patches), 1.0, self._tile, self._caption)
        self.source.show_choice(new.state.patch_source)
        self._show_selected(new)
        self._show_words(new)

    @property
    def _patches(self) -> tuple[TopPatch, ...]:
        return self._answer.patches if self._answer is not None else ()

    def _tile(self, index: int) -> QImage:
        """The crop in the middle of a square, as large as it fits: fields of whole images have shapes of their own."""
        from segviz.gui.panels.pixels import to_image

        crop = to_image(self._patches[index].crop)
        out = QImage(SIDE, SIDE, QImage.Format.Format_RGB32)
        out.fill(theme.tokens(self.widget.palette()).color("raised"))
        size = crop.size().scaled(SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect((SIDE - size.width()) // 2, (SIDE - size.height()) // 2, size.width(), size.height())
        painter = QPainter(out)
        painter.drawImage(place, crop)
        painter.end()
        return out

    def _caption(self, index: int) -> str:
        patch = self._patches[index]
        return f"{words.value(patch.value)}  {image_title(patch.image)}"

    def _show_selected(self, scene: Scene) -> None:
        unit = scene.state.unit
        at = (scene.state.image, unit.row, unit.column) if unit is not None else None
        places = [(patch.image, patch.row, patch.column) for patch in self._patches]
        self.grid.set_selected(places.index(at) if at in places else None)

    def _show_words(self, scene: Scene) -> None:
        found, job = self._answer, scene.job(Kind.PATCHES)
        there = bool(self._patches)
        self.what.setText(_title(found) if found is not None else "")
        stopped = found is not None and not found.whole and job is None
        self.note.say(_advice(scene, found))
        self.more.setVisible(stopped)
        self._said.setVisible(not there or stopped)
        self.grid.setVisible(there)
        for part in (self.copy, self.save):
            part.setVisible(there)

    def hover(self, point: tuple[float, float] | None) -> None:
        """A place in the open image says nothing about the others."""

    # ------------------------------------------------------------------------------- gestures

    def _open(self, index: int) -> None:
        if self._answer is not None and index < len(self._patches):
            self._session.update(**gestures.open_patch(self._answer, index))

    def _hovered(self, index: int, fx: float, fy: float) -> None:
        if self._scene is None or index >= len(self._patches):
            return
        patch = self._patches[index]
        self.what.setText(_described(patch))
        self._commands.point_at(patch.position if patch.image == self._scene.state.image else None)

    def _left(self) -> None:
        if self._scene is not None:
            self._show_words(self._scene)
        self._commands.point_at(None)

    # -------------------------------------------------------------------------------- leaving

    def picture(self) -> QImage | None:
        """All patches as one picture; None without any."""
        if self._answer is None or not self._patches:
            return None
        what = Sheet(_title(self._answer), len(self._patches), 1.0, SIDE)
        return contact_sheet(what, self._tile, self._caption, theme.tokens(self.widget.palette()))

    def _name(self) -> str:
        request = self._answer.request if self._answer is not None else None
        return f"patches-{request.layer}-{request.channel}" if request is not None else "patches"

    def _save_table(self) -> None:
        rows: list[list[object]] = [["image", "value", "row", "column", "left", "top", "right", "bottom", "status"]]
        rows += [[p.image, p.value, p.row, p.column, *p.field, p.status.value] for p in self._patches]
        self._commands.save_table(rows, self._name())


def _title(found: TopAnswer) -> str:
    request = found.request
    read = words.many(found.images, "image") if found.whole else f"{found.images} of {found.total} images"
    dead = f" · dead on {found.dead}" if found.dead else ""
    return f"map {request.channel} of {request.layer} · the strongest unit of {read}{dead}"


def _described(patch: TopPatch) -> str:
    size = f"{words.size(patch.field.width, patch.field.height)} px"
    field = "the whole image" if patch.status is Status.WHOLE else size
    outside = f", {words.share(patch.outside)} outside" if patch.outside >= 0.005 else ""
    place = words.point(*patch.position)
    return f"{image_title(patch.image)} · {words.value(patch.value)} at {place} · field {field}{outside}"


def _advice(scene: Scene, found: TopAnswer | None) -> str:
    """What is said where there are no patches, or not all."""
    job, message = scene.job(Kind.PATCHES), scene.message
    if job is not None:
        return f"Looking through the images for what map {scene.state.looked_at or 0} answers to…"
    if found is not None and not found.whole:
        return f"Stopped after {found.images} of {found.total} images."
    if found is not None:
        return f"Nothing in {words.many(found.images, 'image')} makes a unit of this map active."
    if message is not None and message.about is Kind.PATCHES:
        return message.text
    if scene.state.layer is None or scene.network is None:
        return "Choose a layer in the Network panel to see what its maps answer to."
    return "What the map answers to appears here once the engine has looked through the images."
