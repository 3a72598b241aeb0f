"""The whiteboard: a drawing that is the image while it is made.

The pen paints into `Ink`, which the canvas shows at once, whatever the engine does. At most ten times
a second the drawing is written to its file in the cache folder, beside the window's thread, and shown
to all others as a new revision of that file (`Desk.show_drawn`). A file that was opened, by a session
for example, stays as it is: the first stroke on it begins another one of the same drawing.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, QTimer, Signal
from PySide6.QtGui import QImage, QUndoCommand, QUndoStack

from segviz.core.choices import Choice
from segviz.core.errors import SegvizError
from segviz.core.field import Box
from segviz.gui import gestures, names, settings
from segviz.gui.board_file import Filing, folder, image_of
from segviz.gui.scene import Kind, Scene
from segviz.gui.widgets.ink import Ink
from segviz.gui.widgets.pen import Pen

if TYPE_CHECKING:
    from segviz.core.images import Picture
    from segviz.gui.background import Background
    from segviz.gui.desk import Desk

EVERY = 0.1  # seconds between two pictures of a drawing that goes on
SIZES = ((256, 256), (512, 512), (2000, 1000))  # (width, height), those of the shipped pages of digits
USUAL = SIZES[1]
SMALLEST, LARGEST = 32, 4096  # pixels of a side
THINNEST, THICKEST = 1, 80  # of the pen, in pixels of the drawing
STROKE = 0.09  # of the height of a window: LeNet-5's digits have strokes of 2 to 4 pixels in windows of 32
UNDONE = 100  # strokes that can be taken back


class BoardTool(Choice):
    """What the left button does on a whiteboard."""

    PEN = "pen", "Pen", "draw in white, as the digits are that LeNet-5 knows"
    ERASER = "eraser", "Eraser", "take ink off; so does the other end of a tablet's pen"
    INSPECT = "inspect", "Inspect", "pin units, drag the window, pan; while drawing, hold Alt for it"


class Board(QObject):
    """The drawing of one window; open while the image is one."""

    touched = Signal(object)  # Box: a part of the image was painted over
    changed = Signal()  # the drawing, the tool, its width, or what can be undone

    def __init__(self, desk: Desk, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._background = desk, background
        self.ink: Ink | None = None
        self.tool = BoardTool.PEN
        self.pen = Pen(self)
        self.pen.painted.connect(self._painted)
        self.pen.lifted.connect(self._lifted)
        self.stack = QUndoStack(self)
        self.stack.setUndoLimit(UNDONE)
        self.stack.indexChanged.connect(self.changed)
        self._filing = Filing()
        self._path = ""  # of the image that is shown
        self._file: Path | None = None  # where this drawing is written; None for one that was opened
        self._revision = 0
        self._dirty = self._writing = False
        self._written = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._publish)

    @property
    def open(self) -> bool:
        """Whether the image is a drawing that can go on."""
        return self.ink is not None

    # ------------------------------------------------------------------------------ drawings

    def begin(self, width: int, height: int) -> None:
        """A new drawing of that size, with LeNet-5 where there is no network yet.

        What was drawn on the whiteboard that is shown comes back by undo.
        """
        if self.ink is not None and self.stack.count():
            self.flush()
            self.stack.push(_Resizing(self, self.ink.image, Ink.blank(width, height).image))
            return
        self._leave()
        self._start(Ink.blank(width, height), "")
        self._choose_width()

    def resize(self, width: int, height: int) -> None:
        """Paper of another size below the same drawing; can be undone."""
        if self.ink is not None and (width, height) != self.ink.size:
            self.stack.push(_Resizing(self, self.ink.image, self.ink.resized(width, height)))

    def renew(self, image: QImage) -> None:
        """Go on with this image of another size."""
        self._start(Ink(image.copy()), self._path)

    def _start(self, ink: Ink, path: str) -> None:
        """Show a drawing in a file of its own, which is written at once; `path` is that of an older state."""
        file = folder() / names.board_file(ink.size, Path(path).name)
        picture = self._keep(ink, file)
        if picture is None:
            return
        self._take(ink, str(file))
        self._file, self._revision = file, 1
        changes = gestures.use_board(self._desk.session.state, str(file))
        self._desk.show_drawn(picture, self._revision, **changes)

    def show_scene(self, scene: Scene) -> None:
        """Open the drawing that is shown now, or leave it with the image."""
        path = scene.picture.path if scene.picture is not None else ""
        if path == self._path:
            return
        self._leave()
        if scene.picture is None or not names.is_board(path):
            self._take(None, path)
        else:
            self._take(Ink(image_of(scene.picture)), path)
            self._revision = scene.state.revision
            self._choose_width()

    def _take(self, ink: Ink | None, path: str) -> None:
        self.ink, self._path, self._file, self._dirty = ink, path, None, False
        self.pen.drop(ink)
        self.changed.emit()

    def _leave(self) -> None:
        """Another image comes: the last strokes are kept, what can be undone is not."""
        self.pen.drop(None)
        if self.ink is not None and self._dirty:
            self._dirty = False
            number, image, file = self._filing.number(), self.ink.image, self._own_file()
            self._background.run(lambda: self._filing.keep(number, image, file), self._kept)
        self.ink, self._path = None, ""
        self.stack.clear()

    def _kept(self, error: Exception | None) -> None:
        if error is not None:
            self._desk.say(str(error))

    def close(self) -> None:
        """The window closes: keep the last strokes, and hear nothing more."""
        self._timer.stop()
        self._leave()

    # ------------------------------------------------------------------------------ choices

    def set_tool(self, tool: BoardTool) -> None:
        self.tool = tool
        self.pen.erases, self.pen.resting = tool is BoardTool.ERASER, tool is BoardTool.INSPECT
        self.changed.emit()

    def set_width(self, width: float) -> None:
        self.pen.width = max(THINNEST, min(THICKEST, round(width)))
        self.changed.emit()

    def _choose_width(self) -> None:
        """A pen whose strokes are as wide as those of the digits that the network knows."""
        if self.ink is not None:
            self.set_width(STROKE * min(self.ink.size) / gestures.WINDOWS_HIGH)

    def undo(self) -> None:
        if self.ink is not None and not self.pen.down:
            self.stack.undo()

    def redo(self) -> None:
        if self.ink is not None and not self.pen.down:
            self.stack.redo()

    def clear(self) -> None:
        """Empty paper; can be undone."""
        if self.ink is not None and not self.pen.down:
            before = self.ink.image.copy()
            self.ink.clear()
            self._lifted(before, before.rect(), True)
            self._painted(Box(0, 0, *self.ink.size))

    # ------------------------------------------------------------------------------ strokes

    def _painted(self, box: Box) -> None:
        """Shown at once on the canvas, and soon everywhere."""
        self.touched.emit(box)
        self._dirty = True
        if not self._timer.isActive() and not self._writing:
            self._timer.start(max(0, round((self._written + EVERY - time.monotonic()) * 1000)))

    def _lifted(self, before: QImage, area: QRect, erased: bool) -> None:
        self.stack.push(_Drawing(self, before, area, "Erase" if erased else "Stroke"))

    def put(self, area: QRect, piece: QImage) -> None:
        """Paint a piece of the drawing over, for undo and redo."""
        if self.ink is not None:
            self.ink.put(area.topLeft(), piece)
            self._painted(Box(area.left(), area.top(), area.left() + area.width(), area.top() + area.height()))

    # ------------------------------------------------------------------------------ showing it to all

    def _publish(self) -> None:
        """Write the drawing beside this thread, and show what was written once it is there."""
        if self.ink is None or not self._dirty:
            return
        self._dirty, self._writing = False, True
        number, image, ink, file = self._filing.number(), self.ink.image.copy(), self.ink, self._own_file()
        done: list[Picture | None] = []
        self._background.run(
            lambda: done.append(self._filing.keep(number, image, file)),
            lambda error: self._published(ink, done[0] if done else None, error),
        )

    def _own_file(self) -> Path:
        """Where this drawing is written: never over a file that was opened."""
        assert self.ink is not None
        if self._file is None:
            self._file = folder() / names.board_file(self.ink.size, Path(self._path).name)
        return self._file

    def _published(self, ink: Ink, picture: Picture | None, error: Exception | None) -> None:
        self._writing, self._written = False, time.monotonic()
        if ink is self.ink and error is not None:
            self._desk.say(str(error), about=Kind.IMAGE)
        elif ink is self.ink and picture is not None:
            self._show(picture)
        if self._dirty:
            self._timer.start(round(EVERY * 1000))

    def _show(self, picture: Picture) -> None:
        """The same drawing, newly: what is pinned on it stays."""
        state = self._desk.session.state
        if state.image != self._path:  # another image is on its way
            return
        if self._revision <= 1 or self._path != picture.path:
            settings.add_recent(picture.path)  # with the first stroke: nobody comes back to empty paper
        self._path = picture.path
        self._revision += 1
        self._desk.show_drawn(picture, self._revision, unit=state.unit, cursor=state.cursor)

    def flush(self) -> None:
        """Show to all what is drawn by now, before something is made of it."""
        if self.ink is None or not (self._dirty or self._writing):
            return
        self._dirty = False
        picture = self._keep(self.ink, self._own_file())
        if picture is not None:
            self._show(picture)

    def _keep(self, ink: Ink, file: Path) -> Picture | None:
        """Write a drawing at once; None, and a message, where that fails."""
        try:
            return self._filing.keep(self._filing.number(), ink.image, file)
        except SegvizError as error:
            self._desk.say(str(error), about=Kind.IMAGE)
            return None


class _Drawing(QUndoCommand):
    """One stroke, by the piece of the drawing that it changed."""

    def __init__(self, board: Board, before: QImage, area: QRect, text: str) -> None:
        super().__init__(text)
        assert board.ink is not None
        self._board, self._area = board, QRect(area)
        self._pieces = Ink(before).piece(area), board.ink.piece(area)
        self._painted = True  # the pen was quicker than the stack

    def undo(self) -> None:
        self._board.put(self._area, self._pieces[0])

    def redo(self) -> None:
        if not self._painted:
            self._board.put(self._area, self._pieces[1])
        self._painted = False


class _Resizing(QUndoCommand):
    """Paper of another size."""

    def __init__(self, board: Board, before: QImage, after: QImage) -> None:
        super().__init__("Size")
        self._board = board
        self._images = before.copy(), after

    def undo(self) -> None:
        self._board.renew(self._images[0])

    def redo(self) -> None:
        self._board.renew(self._images[1])
