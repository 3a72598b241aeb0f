"""Files in and out of the window: open, drop, paste, folders, sessions, save.

Whatever goes wrong here becomes one message; the State changes only when all went well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, QObject, Signal
from PySide6.QtGui import QGuiApplication, QImage, QImageWriter
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from segviz.core import assets, catalogue, folders, places, session_file, trust
from segviz.core.errors import SegvizError, named
from segviz.core.formats import IMAGE_SUFFIXES, MODEL_SUFFIXES
from segviz.core.session import NETWORK_DEFAULTS, State
from segviz.core.specs import Kind as Source
from segviz.core.specs import of_file, parse
from segviz.gui import gestures, settings
from segviz.gui.background import Background, interruptible
from segviz.gui.board_file import kept_copy
from segviz.gui.filming import Filming, Frames
from segviz.gui.kinds import GIF
from segviz.gui.names import PASTED_PREFIX, is_board, is_pasted
from segviz.gui.pictures import to_array
from segviz.gui.scene import Kind
from segviz.gui.scoring import MASK_SUFFIXES

if TYPE_CHECKING:
    from segviz.gui.desk import Desk
    from segviz.gui.panels.base import SaveFunction

SESSION_SUFFIXES = (".segviz", ".json")
NAMES_SUFFIX = ".txt"  # a list of class names
SESSION_KINDS = "segviz sessions (*.segviz *.json);;All files (*)"


def _patterns(suffixes: tuple[str, ...]) -> str:
    """For a file dialog; in upper case, too: systems that tell cases apart would hide what a camera writes."""
    return " ".join(f"*{suffix}" for suffix in (*suffixes, *(suffix.upper() for suffix in suffixes)))


IMAGE_KINDS = f"Images ({_patterns(IMAGE_SUFFIXES)});;All files (*)"
MASK_KINDS = f"Masks ({_patterns(MASK_SUFFIXES)});;All files (*)"
NETWORK_KINDS = f"Networks ({_patterns(MODEL_SUFFIXES)});;All files (*)"
LARGEST_SESSION = 1 << 20  # bytes: a session file is a page of text


class Files(QObject):
    """Opens and saves for one window. `ask_open` and `ask_save` are its dialogs; tests put answers there."""

    image_shown = Signal(str)  # a person has chosen this image: what lies beside it may belong to it

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._window = parent
        self.background = Background()

    # ------------------------------------------------------------------------------ asking

    def ask_open(self, title: str, kinds: str) -> Path | None:
        chosen, _ = QFileDialog.getOpenFileName(self._above(), title, self._folder(), kinds)
        return _remembered(chosen)

    def ask_save(self, name: str, kinds: str) -> Path | None:
        start = str(Path(self._folder()) / name)
        chosen, _ = QFileDialog.getSaveFileName(self._above(), "Save", start, kinds)
        return _remembered(chosen)

    def _above(self) -> QWidget | None:
        """What a dialog stands above: another dialog, if one is open."""
        return QApplication.activeModalWidget() or self._window

    def _folder(self) -> str:
        """Where dialogs begin: where the last one ended, else beside the newest file that is not a sample."""
        last = settings.folder()
        if last and places.is_folder(last):
            return last
        for path in settings.recent():
            place = Path(path).parent
            ours = place == assets.images() or place.is_relative_to(folders.cache())
            if not ours and places.is_folder(place):
                return str(place)
        return str(Path.home())

    # ------------------------------------------------------------------------------ opening

    def open_image_dialog(self) -> None:
        path = self.ask_open("Open an image", IMAGE_KINDS)
        if path is not None:
            self.open_path(path)

    def open_network_dialog(self) -> None:
        path = self.ask_open("Open a network", NETWORK_KINDS)
        if path is not None:
            self.show_network(of_file(path.absolute()))

    def ask_truth(self) -> Path | None:
        """Where the person says that the mask of the image is."""
        return self.ask_open("Open the ground truth of this image", MASK_KINDS)

    def open_session_dialog(self) -> None:
        path = self.ask_open("Open a session", SESSION_KINDS)
        if path is not None:
            self.open_session(path)

    def open_path(self, path: Path) -> None:
        """Open a file by what it is called: a session, a network, a list of class names, else an image."""
        suffix = path.suffix.lower()
        if suffix in SESSION_SUFFIXES:
            self.open_session(path)
        elif suffix in MODEL_SUFFIXES:
            self.show_network(of_file(path.absolute()))
        elif suffix == NAMES_SUFFIX:
            self._name_classes(path)
        elif places.is_folder(path):
            self._open_folder(path)
        else:
            self.show_image(path)

    def _open_folder(self, folder: Path) -> None:
        found = _images_in(folder)
        if found:
            self.show_image(found[0])
        else:
            self._desk.say(f"{folder.name}: the folder holds no image", about=Kind.IMAGE)

    def show_image(self, path: Path) -> None:
        """Show an image, with a network if none is chosen yet."""
        place = str(path.absolute())  # not resolved: symbolic links keep their names
        self._desk.session.update(**gestures.use_image(self._desk.session.state, place))
        settings.add_recent(place)
        self.image_shown.emit(place)

    def show_network(self, spec: str) -> None:
        """Use the network of a spec; one that cannot be leaves everything as it is."""
        try:
            changes = gestures.use_network(self._desk.session.state, spec)
        except SegvizError as error:
            self._desk.say(str(error), error.details, Kind.DESCRIPTION)
            return
        self._desk.session.update(**changes)
        source = parse(spec)
        if source.kind is Source.FILE:
            settings.add_recent(source.name)

    def trust(self, spec: str, key: str) -> None:
        """Open the program of a spec that a person trusts from now on."""
        try:
            trust.give(key)
        except OSError as error:
            self._desk.say(str(SegvizError(f"What you trust cannot be kept: {error}")), about=Kind.DESCRIPTION)
            return
        self._desk.retry()
        self.show_network(spec)

    def _name_classes(self, path: Path) -> None:
        """Call the classes of the network as a text file has them, one name a line."""
        model = self._desk.session.state.model
        if not model:
            self._desk.say(f"{named(path)}: a list of class names needs a network: open one first", about=Kind.IMAGE)
            return
        self.show_network(str(parse(model).with_option("labels", str(path.absolute()))))

    def step(self, step: int) -> None:
        """The next or previous image of the same folder, around its ends."""
        image = self._desk.session.state.image
        if image is None:
            return
        found = _images_in(Path(image).parent)
        if len(found) > 1:
            here = found.index(Path(image)) if Path(image) in found else -1
            image = str(found[(here + step) % len(found)])
            self._desk.session.update(image=image)
            self.image_shown.emit(image)

    def open_session(self, path: Path) -> None:
        """Show what a session file describes, as far as it can be read; one that is none changes nothing."""
        try:
            state, remark = read_session(path)
        except SegvizError as error:
            self._desk.say(str(error), error.details)
            return
        self._desk.session.replace(state)
        settings.add_recent(str(path.absolute()))
        if remark is not None:
            self._desk.say(str(remark), remark.details)

    def accepts(self, data: QMimeData) -> bool:
        return data.hasImage() or any(url.isLocalFile() for url in data.urls())

    def drop(self, data: QMimeData) -> None:
        """Take what was dropped or pasted: a file, else a picture."""
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        if paths:
            self.open_path(paths[0])
        elif data.hasImage():
            self._take(QImage(data.imageData()))

    def paste(self) -> None:
        data = QGuiApplication.clipboard().mimeData()
        if data is not None and self.accepts(data):
            self.drop(data)
        else:
            self._desk.said.emit("The clipboard holds no image")

    def _take(self, image: QImage) -> None:
        """Keep a picture without a file in the cache folder: it enters the State by its path."""
        from segviz.core import export

        buffer = QByteArray()
        device = QBuffer(buffer)
        device.open(QIODevice.OpenModeFlag.WriteOnly)
        if image.isNull() or not QImageWriter(device, b"png").write(image):
            self._desk.say("The picture on the clipboard cannot be read", about=Kind.IMAGE)
            return
        content = bytes(buffer.data())
        folder = folders.cache() / "pasted"
        path = folder / f"{PASTED_PREFIX}{hashlib.sha256(content).hexdigest()[:12]}.png"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            export.replace_file(path, lambda part: part.write_bytes(content))
        except (SegvizError, OSError) as error:
            self._desk.say(str(SegvizError(f"The picture cannot be kept in {folder}: {error}")), about=Kind.IMAGE)
            return
        self.show_image(path)

    # ------------------------------------------------------------------------------ saving

    def save_session(self) -> None:
        state = self._desk.session.state
        name = f"{self.stem()}.segviz"
        self.save_with(name, SESSION_KINDS, lambda path: self._write_session(state, path))

    def stem(self) -> str:
        """What files that leave the window are called, without their ending."""
        image = self._desk.session.state.image
        if image is None:
            return "segviz"
        if is_board(image):
            return "whiteboard"
        return "pasted-image" if is_pasted(image) else Path(image).stem

    def _write_session(self, state: State, path: Path) -> None:
        """Keep what lies there aside if it is not a sound session: somebody may want to mend it."""
        from segviz.core import export

        if path.is_file() and not _is_sound(path):
            path.replace(path.with_name(path.name + ".bad"))
        if state.image is not None and is_board(state.image):  # drawing goes on, a session stays
            state = replace(state, image=kept_copy(state.image, path.parent), revision=0)
        text = session_file.to_json(state, path.parent)
        export.replace_file(path, lambda place: place.write_text(text, encoding="utf-8"))

    def save_with(self, name: str, kinds: str, write: SaveFunction) -> None:
        """Ask where, write there in the background, and say so; a failure is a message."""
        self.save_painted(name, kinds, lambda: write)

    def save_painted(self, name: str, kinds: str, paint: Callable[[], SaveFunction]) -> None:
        """The same of what only the window's thread can paint: `paint` does so once the place is known."""
        place = self.place_for(name, kinds)
        if place is not None:
            self.write(place, paint())

    def save_film(self, name: str, frames: Callable[[], Frames]) -> None:
        """Ask where, let the window's thread paint the `frames`, and write them in the background."""
        place = self.place_for(name, GIF)
        if place is not None:
            Filming(frames(), lambda images: self.write(place, _animation(images)), self)

    def place_for(self, name: str, kinds: str) -> Path | None:
        """Where the person wants it, with the ending of `name` if none is given; None if nowhere."""
        path = self.ask_save(name, kinds)
        return path if path is None or path.suffix else path.with_suffix(Path(name).suffix)

    def write(self, place: Path, write: SaveFunction) -> None:
        """Write in the background, and say so; a failure is a message."""
        self.background.run(lambda: write(place), lambda error: self._saved(place, error))

    def close(self, patience: float) -> None:
        """Let what is being saved come to its end, at most `patience` seconds; nothing is told any more."""
        for filming in self.findChildren(Filming):
            filming.stop()
        self.background.close(patience)

    def _saved(self, path: Path, error: SegvizError | OSError | None) -> None:
        if error is None:
            self._desk.said.emit(f"Saved {path.name}")
        else:
            words = str(error) if isinstance(error, SegvizError) else f"{path.name} cannot be saved: {error}"
            self._desk.say(str(SegvizError(words)))

    def copy_image(self, image: QImage) -> str:
        QGuiApplication.clipboard().setImage(image)
        return f"Copied {image.width()} × {image.height()} pixels"

    def copy_made(self, make: Callable[[], QImage]) -> None:
        """Put a picture on the clipboard that takes long to make: it is made in the background."""
        made: list[QImage] = []

        def then(error: SegvizError | OSError | None) -> None:
            self._desk.said.emit(self.copy_image(made[0]) if error is None else str(error))

        self.background.run(lambda: made.append(make()), then)

    def copy_table(self, rows: list[list[object]]) -> str:
        from segviz.gui.tables import as_text

        QGuiApplication.clipboard().setText(as_text(rows))
        return f"Copied a table of {len(rows) - 1} rows"


def read_session(path: Path) -> tuple[State, SegvizError | None]:
    """The State of a session file, and a message if a part of it cannot be shown: that part is left out.

    Raises SegvizError for a file that is no session at all.
    """
    state, remarks = _read(path)
    if state.model:
        try:
            catalogue.entry(state.model)
        except SegvizError as error:
            remarks += (str(error),)
            state = replace(state, model="", cursor=None, **NETWORK_DEFAULTS)
    if state.image is not None and not places.is_file(state.image):
        remarks += (f"{named(state.image)} is not at {state.image}",)
        state = replace(state, image=None, unit=None, cursor=None)
    if state.truth is not None and not places.is_file(state.truth):
        remarks += (f"{named(state.truth)} is not at {state.truth}",)
        state = replace(state, truth=None, cell=None)
    if not remarks:
        return state, None
    return state, SegvizError(f"{named(path)}: opened in part. {'; '.join(remarks)}", "\n".join(remarks))


def _read(path: Path) -> tuple[State, tuple[str, ...]]:
    try:
        if path.stat().st_size > LARGEST_SESSION:
            raise SegvizError(f"{named(path)}: too large for a session file")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SegvizError(f"{named(path)}: cannot be read as a session file ({error})") from error
    return session_file.from_json(text, path.parent, named(path))


def _animation(images: list[QImage]) -> SaveFunction:
    from segviz.core import export

    frames = (to_array(image) for image in images)
    return lambda path: export.save_animation(path, interruptible(frames))


def _is_sound(path: Path) -> bool:
    """Whether a session file can be read whole."""
    try:
        return not _read(path)[1]
    except SegvizError:
        return False


def _remembered(chosen: str) -> Path | None:
    """The answer of a file dialog; the next one begins in its folder."""
    if not chosen:
        return None
    settings.set_folder(str(Path(chosen).parent))
    return Path(chosen)


def _images_in(folder: Path) -> list[Path]:
    """The images of a folder; none where it cannot be read."""
    try:
        return places.images_in(folder)
    except OSError:
        return []
