"""Ground truth in the window: the mask that the State names is read, and the labels are scored against it.

Both happen in threads of the window's process: a mask is decoded like a picture, and counting two
million pixels takes too long for the window's thread, but not for a process of its own. numpy works
in strips of rows, so that the window stays awake meanwhile. The newest question wins.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject

from segviz.core.choices import MaskColours
from segviz.core.errors import SegvizError, named
from segviz.gui.background import Background
from segviz.gui.names import is_board
from segviz.gui.scene import Kind, Scene

if TYPE_CHECKING:
    from collections.abc import Callable

    from segviz.core.agreement import Agreement
    from segviz.core.masks import Mask
    from segviz.core.requests import Prediction
    from segviz.gui.background import Then
    from segviz.gui.desk import Desk

MASK_SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".gif")
Question = tuple["Mask", "Prediction", int | None]
Source = tuple[str | None, MaskColours]


class Scoring(QObject):
    """Follows the desk: reads masks and scores predictions in `background`, and hands both to the Scene."""

    def __init__(self, desk: Desk, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._background = desk, background
        self._wanted: Source = (None, MaskColours.AUTO)  # what is read or was read last
        self._good: tuple[str, Mask, MaskColours] | None = None  # image, its mask, how that was read
        self._asked: Question | None = None  # mask, prediction and ignored label that are scored or were
        desk.shown.connect(lambda old, new: self.follow(new))

    # ----------------------------------------------------------------------------- reading

    def follow(self, scene: Scene) -> None:
        """Read and score what the scene wants and does not have."""
        path, colours = wanted = scene.state.truth, scene.state.mask_colours
        if wanted != self._wanted and (path, self._wanted[0]) != (None, None):
            self._wanted, self._asked = wanted, None
            self._desk.take(truth=None, agreement=None, unscored="")
            if path is not None:
                self._read(path, colours)
        elif scene.shown_truth is not None and self._fits(scene):
            self._score(scene)

    def _read(self, path: str, colours: MaskColours) -> None:
        read: list[Mask] = []

        def work() -> None:
            from segviz.core.mask_colours import key_of
            from segviz.core.masks import read_mask

            read.append(replace(read_mask(path, key_of(colours)), path=path))

        def then(error: SegvizError | OSError | None) -> None:
            if (path, colours) != self._wanted:
                return
            if error is not None:
                self._refuse(str(error))
            else:
                self._desk.take(truth=read[0], **self._desk.cleared(Kind.TRUTH))

        self._run(work, then)

    def _run(self, work: Callable[[], None], then: Then) -> None:
        """Like `Background.run`; the desk is not idle until `then` has been called."""
        self._desk.errands += 1

        def ended(error: SegvizError | OSError | None) -> None:
            self._desk.errands -= 1
            then(error)

        self._background.run(work, ended)

    def _fits(self, scene: Scene) -> bool:
        """Whether the mask has the size of the image, which must be there; one that has not is taken back."""
        mask, picture, image = scene.shown_truth, scene.picture, scene.state.image
        if mask is None or picture is None or image is None or Path(picture.path) != Path(image).absolute():
            return False
        try:
            mask.check_size(picture.height, picture.width)
        except SegvizError as error:
            self._refuse(str(error))
            return False
        self._good = image, mask, scene.state.mask_colours
        return True

    def _refuse(self, text: str) -> None:
        """Say why a mask cannot be used, and go back to the last one of this image that could."""
        state = self._desk.session.state
        image, good, colours = self._good or (None, None, MaskColours.AUTO)
        if good is None or image != state.image or (good.path, colours) == (state.truth, state.mask_colours):
            good, colours = None, MaskColours.AUTO
        self._wanted, self._asked = (good.path if good is not None else None, colours), None  # it is not read again
        self._desk.take(truth=good, agreement=None)
        self._desk.session.update(truth=self._wanted[0], mask_colours=colours)
        self._desk.say(text, about=Kind.TRUTH)

    # ----------------------------------------------------------------------------- scoring

    def _score(self, scene: Scene) -> None:
        mask, prediction = scene.shown_truth, scene.shown_prediction
        if mask is None or prediction is None or scene.before is not None:
            return
        asked, ignored = self._asked, scene.state.ignored
        if asked is not None and asked[0] is mask and asked[1] is prediction and asked[2] == ignored:
            return
        question = self._asked = (mask, prediction, ignored)
        found: list[Agreement] = []

        def work() -> None:
            from segviz.core.agreement import agree

            found.append(agree(*question))

        def then(error: SegvizError | OSError | None) -> None:
            if question is not self._asked:
                return
            if error is not None:
                self._desk.take(agreement=None, unscored=str(error))
                return
            self._desk.take(agreement=found[0], unscored="")
            self._complete(question, found[0])

        self._run(work, then)

    def _complete(self, question: Question, first: Agreement) -> None:
        """The scores that take longer: near boundaries, and of a coarser truth."""
        found: list[Agreement] = []

        def work() -> None:
            from segviz.core.agreement import completed

            found.append(completed(first))

        def then(error: SegvizError | OSError | None) -> None:
            if question is not self._asked:
                return
            if error is None:
                self._desk.take(agreement=found[0])
            else:
                self._desk.say(f"No scores near boundaries and no upper bounds: {error}", about=Kind.TRUTH)

        self._run(work, then)

    # ----------------------------------------------------------------------------- finding

    def look(self, image: str) -> None:
        """Take the mask that lies beside an image by the naming rule, unless another is there by then."""
        if is_board(image):
            return
        found: list[Path] = []

        def work() -> None:
            from segviz.core.masks import mask_beside

            found.extend(path for path in (mask_beside(image),) if path is not None)

        def then(error: SegvizError | OSError | None) -> None:
            state = self._desk.session.state
            if found and (state.image, state.truth) == (image, None):
                self._desk.session.update(truth=str(found[0]))
                self._desk.said.emit(f"Ground truth: {named(found[0])}, found beside the image")

        self._run(work, then)

    def takes(self, data: QMimeData, otherwise: Callable[[Path], None]) -> bool:
        """Whether a drop may be the mask of the image that is open, judged by its size.

        If so it is looked into: a mask becomes the ground truth, anything else goes to `otherwise`.
        """
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        picture, state = self._desk.scene.picture, self._desk.session.state
        if len(paths) != 1 or picture is None or paths[0].suffix.lower() not in MASK_SUFFIXES:
            return False
        (path,) = paths
        if state.image is None or path == Path(state.image) or not _has_size(path, picture.height, picture.width):
            return False
        masks: list[bool] = []

        def work() -> None:
            from segviz.core.masks import is_mask_of

            masks.append(is_mask_of(path, picture.height, picture.width))

        def then(error: SegvizError | OSError | None) -> None:
            if masks == [True] and self._desk.session.state.image == state.image:
                self.use(path)
                self._desk.said.emit(f"{named(path)} is taken as ground truth; File > Open image opens it as an image")
            else:
                otherwise(path)

        self._run(work, then)
        return True

    def use(self, path: Path) -> None:
        """Score against the mask at `path`."""
        if self._desk.scene.picture is None:
            self._desk.say("Ground truth is the mask of an image: open the image first.", about=Kind.TRUTH)
            return
        self._desk.session.update(truth=str(path.absolute()))


def _has_size(path: Path, height: int, width: int) -> bool:
    from segviz.core import images

    try:
        return images.probe(path) == (height, width)
    except SegvizError:
        return False
