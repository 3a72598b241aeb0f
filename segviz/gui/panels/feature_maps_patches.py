"""What a map answers to most strongly, over many images: the fields of its strongest units, one an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QVBoxLayout, QWidget

from segviz.core import planning
from segviz.core.choices import PatchSource
from segviz.core.field import Status
from segviz.gui import gestures, theme, words
from segviz.gui.names import image_title
from segviz.gui.pace import clock
from segviz.gui.panels.header import ChoicePill, HeaderLine
from segviz.gui.panels.sheet import Paint, Sheet, contact_sheet, copy_sheet, save_sheet
from segviz.gui.panels.work_note import WorkNote, held_up, without_layer
from segviz.gui.scene import Job, Kind, Scene
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.thumb_grid import ThumbGrid

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
        self.said = WorkNote()
        self.header: QWidget = self._make_header()
        self.widget = self._arrange()
        self.grid.clicked.connect(lambda index, fx, fy: self._open(index))
        self.grid.hovered.connect(self._hovered)
        self.grid.left.connect(self._left)
        self.said.button.clicked.connect(self._stop_or_go_on)

    def _make_header(self) -> HeaderLine:
        line = HeaderLine()
        line.add(self.what, 1)
        line.add(self.source)
        self.copy = line.button(
            "copy", "Copy the patches as one picture", lambda: copy_sheet(self._commands, self.sheet())
        )
        saves = {
            "Patches as PNG…": lambda: save_sheet(self._commands, self.sheet(), self._name()),
            "Places as CSV…": self._save_table,
        }
        self.save = line.menu("download", "Save the patches: PNG or CSV", saves)
        return line

    def _arrange(self) -> QWidget:
        whole = QWidget()
        self.said.setContentsMargins(theme.M, theme.XS, theme.M, theme.XS)
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.said)
        column.addWidget(self.grid, 1)
        column.addStretch(0)
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
        return _squared(self._patches[index], theme.tokens(self.widget.palette()))

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
        text = _advice(scene, found)
        self.said.show_work(text, job)
        if job is not None:
            self.said.offer("Stop", "Stop looking: what was found stays, and the search can go on later")
        else:
            left = _is_given_up(scene) and planning.plan_patches(scene.state) is not None
            self.said.offer("Go on" if left else "", "Look through the images that are left: what was found stays")
        self.said.setVisible(bool(text))
        self.grid.setVisible(there)
        for part in (self.copy, self.save):
            part.setVisible(there)

    def hover(self, point: tuple[float, float] | None) -> None:
        """A place in the open image says nothing about the others."""

    # ------------------------------------------------------------------------------- gestures

    def _stop_or_go_on(self) -> None:
        if self._scene is not None and self._scene.job(Kind.PATCHES) is not None:
            self._commands.stop(Kind.PATCHES)
        else:
            self._commands.retry()

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

    def sheet(self) -> Paint | None:
        """Paints all patches as one picture, as they are shown now; None without any."""
        if self._answer is None or not self._patches:
            return None
        what = Sheet(_title(self._answer), len(self._patches), 1.0, SIDE)
        patches, colours = self._patches, theme.tokens(self.widget.palette())
        captions = [self._caption(index) for index in range(len(patches))]
        return lambda: contact_sheet(
            what, lambda index: _squared(patches[index], colours), captions.__getitem__, colours
        )

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
    mirrored = ", mirrored" if patch.mirrored else ""
    outside = f", {words.share(patch.outside)} outside{mirrored}" if patch.outside >= 0.005 else ""
    place = words.point(*patch.position)
    return f"{image_title(patch.image)} · {words.value(patch.value)} at {place} · field {field}{outside}"


def _advice(scene: Scene, found: TopAnswer | None) -> str:
    """How far the search is, or why there are no patches, or not all; '' where all is there to be seen."""
    job, message = scene.job(Kind.PATCHES), scene.message
    if job is not None:
        return _under_way(scene, job)
    if found is not None and found.whole:
        return _found_all(found)
    if message is not None and message.about is Kind.PATCHES:
        return message.text
    if found is not None:
        return f"Stopped after {found.images} of {found.total} images."
    if scene.state.layer is None or scene.network is None:
        choose = "Choose a layer in the Network panel to see what its maps answer to."
        return without_layer(scene, Kind.PATCHES, choose)
    if _is_given_up(scene):
        return "Stopped before the first image was looked through."
    return held_up(scene, Kind.PATCHES) or "The search begins once the network has been read."


def _under_way(scene: Scene, job: Job) -> str:
    """'Looking for what map 17 of c3 answers to: 4 of 20 images, 0:12 left'."""
    sought = f"Looking for what map {scene.state.looked_at or 0} of {scene.state.layer} answers to"
    progress = job.progress
    if progress is None:
        waits = held_up(scene, Kind.PATCHES)
        return f"{sought}. {waits}" if waits else f"{sought}…"
    left = f", {clock(job.remaining)} left" if job.remaining is not None else ""
    return f"{sought}: {progress.done} of {words.many(progress.total, 'image')}{left}"


def _found_all(found: TopAnswer) -> str:
    """What is to be said of a search that has ended."""
    refused = len(found.notes)
    unread = f"{refused} of {words.many(found.total, 'image')} cannot be read: {found.notes[0]}" if refused else ""
    if found.patches:
        return unread
    nothing = f"Nothing in {words.many(found.images - refused, 'image')} makes a unit of this map active."
    return f"{nothing} {unread}".strip()


def _is_given_up(scene: Scene) -> bool:
    """Whether the search was stopped, or failed."""
    return not scene.waits_for(planning.plan_patches(scene.state))


def _squared(patch: TopPatch, colours: theme.Tokens) -> QImage:
    """The crop in the middle of a square, as large as it fits: fields of whole images have shapes of their own."""
    from segviz.gui.panels.pixels import marked, to_image

    crop = to_image(patch.crop)
    out = QImage(SIDE, SIDE, QImage.Format.Format_RGB32)
    out.fill(colours.color("raised"))
    size = crop.size().scaled(SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio)
    tile = marked(crop.scaled(size), patch.field, patch.size, colours, patch.mirrored)
    painter = QPainter(out)
    painter.drawImage((SIDE - size.width()) // 2, (SIDE - size.height()) // 2, tile)
    painter.end()
    return out
