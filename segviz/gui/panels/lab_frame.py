"""The frame of a laboratory: buttons that turn its pages, their settings and stages, and the ways out of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from segviz.core.choices import Choice
from segviz.gui import kinds, pictures, theme
from segviz.gui.panels.header import HeaderLine
from segviz.gui.panels.lab_page import Change, LabPage
from segviz.gui.panels.work_note import WorkNote, told
from segviz.gui.scene import Kind, Scene
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.workbench import Pages

if TYPE_CHECKING:
    from segviz.gui.panels.base import Commands, SaveFunction

WAITED = (Kind.SUMS, Kind.SHIFT, Kind.SIZES, Kind.DEPTHS, Kind.FEATURES)  # work that pages wait for
LEAST = 118  # of the buttons that turn the pages, before `theme.px`

Leaf = TypeVar("Leaf", bound=Choice)


class LabFrame(Generic[Leaf]):
    """Pages, each with settings and a stage. `widget` stands in the workbench, `stage` takes the canvas's place.

    `change(page=...)` and `change(image=...)` are what its own buttons do.
    """

    def __init__(
        self, name: str, pages: Mapping[Leaf, LabPage], columns: int, change: Change, commands: Commands
    ) -> None:
        self._name, self.pages, self._change, self._commands = name, dict(pages), change, commands
        self._page: Leaf | None = None
        self._image = False
        self.widget = QWidget()
        self.widget.setObjectName(f"panel-{name}")
        theme.set_surface(self.widget, "panel")
        self.settings, self.stage = Pages(), Pages()
        self.stage.setObjectName(f"stage-{name}")
        for page in self.pages.values():
            self.settings.addWidget(page.settings)
            self.stage.addWidget(page.stage)
        self.note = WorkNote()
        self.buttons: dict[Leaf, QPushButton] = {}
        self.what = ElidedLabel()
        theme.set_role(self.what, "caption")
        self.header = self._make_header()
        self._arrange(columns)

    # --------------------------------------------------------------------------------- making

    def _make_header(self) -> HeaderLine:
        line = HeaderLine()
        line.add(self.what, 1)
        self.image = line.button("photo", "Show the image in place of the laboratory  (Esc)", self._toggle_image)
        self.image.setCheckable(True)
        self.copy = line.button("copy", "Copy the laboratory as a picture", self._copy)
        self.save = line.button("download", "Save the laboratory as PNG", self._save)
        self.drawing = line.word("SVG", "Save the laboratory as SVG", self._save_drawing)
        self.table = line.word("CSV", "Save the numbers as CSV", self._save_table)
        self.film = line.word("GIF", "Save the steps as an animated GIF", self._save_film)
        return line

    def _arrange(self, columns: int) -> None:
        pages = QGridLayout()
        pages.setSpacing(theme.XS)
        group = QButtonGroup(self.widget)
        for index, page in enumerate(self.pages):
            button = QPushButton(page.title)
            button.setCheckable(True)
            button.setToolTip(page.hint[:1].upper() + page.hint[1:])
            button.clicked.connect(lambda _, p=page: self._change(page=p))
            group.addButton(button)
            pages.addWidget(button, *divmod(index, columns))
            self.buttons[page] = button
        for at in range(columns):
            pages.setColumnMinimumWidth(at, theme.px(LEAST))
        left = QVBoxLayout()
        left.addLayout(pages)
        left.addStretch(1)
        right = QVBoxLayout()
        right.setSpacing(theme.S)
        right.addWidget(self.settings)
        right.addWidget(self.note)
        right.addStretch(1)
        row = QHBoxLayout()
        row.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        row.setSpacing(theme.XL)
        row.addLayout(left)
        row.addLayout(right, 1)
        column = QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addLayout(row, 1)

    # -------------------------------------------------------------------------------- showing

    def show(self, scene: Scene, leaf: Leaf, image: bool) -> None:
        """The page `leaf` of the scene; `image`: whether the photograph stands in place of the stage. Silent."""
        self._page, self._image = leaf, image
        page = self.pages[leaf]
        self.buttons[leaf].setChecked(True)
        self.settings.setCurrentWidget(page.settings)
        self.stage.setCurrentWidget(page.stage)
        page.show(scene)
        missing = page.missing(scene)
        self.note.setVisible(bool(missing))
        waited = next((job for job in scene.jobs if job.kind in WAITED), None) if missing else None
        self.note.show_work(told(scene, waited.kind, missing) if waited is not None else missing, waited)
        self.what.setText(page.what(scene))
        self.image.setChecked(image)
        self.image.setEnabled(not missing)
        for button, there in (
            (self.copy, True),
            (self.save, True),
            (self.drawing, bool(not missing and page.drawn)),
            (self.table, not missing and (page.drawn or bool(page.rows()))),
            (self.film, page.film() is not None),
        ):
            button.setEnabled(there and not missing)

    def hover(self, point: tuple[float, float] | None) -> None:
        """The mouse is over this pixel of the image, or has left it."""
        if self._page is not None:
            self.pages[self._page].hover(point)

    # ------------------------------------------------------------------------------- gestures

    def _toggle_image(self) -> None:
        self._change(image=not self._image)

    # -------------------------------------------------------------------------------- leaving

    @property
    def _front(self) -> LabPage:
        assert self._page is not None
        return self.pages[self._page]

    @property
    def _file(self) -> str:
        return f"{self._name}-{self._page}"

    def _copy(self) -> None:
        self._commands.copy_image(self._front.picture())

    def _save(self) -> None:
        page = self._front

        def paint() -> SaveFunction:
            image = page.picture()
            return lambda path: pictures.save_png(image, path)

        self._commands.save_painted(f"{self._file}.png", kinds.PNG, paint)

    def _save_drawing(self) -> None:
        from segviz.core import export

        page = self._front

        def paint() -> SaveFunction:
            drawing = page.svg()
            return lambda path: export.replace_file(path, lambda part: part.write_bytes(drawing))

        self._commands.save_painted(f"{self._file}.svg", kinds.SVG, paint)

    def _save_table(self) -> None:
        self._commands.save_table(self._front.rows(), self._file)

    def _save_film(self) -> None:
        film = self._front.film()
        if film is not None:
            self._commands.save_film(*film)
