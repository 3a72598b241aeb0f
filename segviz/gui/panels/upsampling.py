"""The upsampling laboratory: from a coarse map to pixels in every way of the lecture (T20, T22 to T26)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from segviz.core.choices import Method
from segviz.core.laboratory import Page
from segviz.gui import gestures, kinds, theme
from segviz.gui.panels.base import Area
from segviz.gui.panels.header import HeaderLine
from segviz.gui.panels.upsampling_page import LabPage, changed
from segviz.gui.panels.upsampling_shifts import DirectPage, ShiftsPage
from segviz.gui.panels.upsampling_skips import DepthsPage
from segviz.gui.panels.upsampling_steps import InsertionPage
from segviz.gui.panels.upsampling_ways import WaysPage
from segviz.gui.scene import Scene, Tab
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.heading import worded_button
from segviz.gui.widgets.wrapped import WrappedLabel
from segviz.gui.workbench import Pages

if TYPE_CHECKING:
    from segviz.core.session import Session
    from segviz.gui.panels.base import Commands

COLUMNS = 2  # of the buttons that turn the pages


class UpsamplingPanel:
    """Pages, each with settings here and a stage in the canvas's place."""

    id = Tab.UPSAMPLING.value
    title = "Upsampling"
    area = Area.WORKBENCH

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._commands = commands
        self._scene: Scene | None = None
        self.pages: dict[Page, LabPage] = {
            Page.WAYS: WaysPage(self._change, self._pin, commands),
            Page.INSERTION: InsertionPage(self._change, commands),
            Page.SKIPS: DepthsPage(self._change, commands),
            Page.DEPTHS: DepthsPage(self._change, commands, alone=True),
            Page.DIRECT: DirectPage(commands, self._choose_method),
            Page.SHIFTS: ShiftsPage(commands, self._choose_method),
        }
        self.widget = QWidget()
        self.widget.setObjectName("panel-upsampling")
        theme.set_surface(self.widget, "panel")
        self.settings = Pages()
        self.stage: QWidget | None = Pages()
        self.stage.setObjectName("stage-upsampling")
        for page in self.pages.values():
            self.settings.addWidget(page.settings)
            self.stage.addWidget(page.stage)
        self.note = WrappedLabel()
        theme.set_role(self.note, "dim")
        self.buttons: dict[Page, QPushButton] = {}
        self.what = ElidedLabel()
        theme.set_role(self.what, "caption")
        self.header: QWidget | None = self._make_header()
        self._arrange()

    # --------------------------------------------------------------------------------- making

    def _make_header(self) -> HeaderLine:
        line = HeaderLine()
        line.add(self.what, 1)
        self.image = line.button("photo", "Show the image in place of the laboratory", self._toggle_image)
        self.image.setCheckable(True)
        self.copy = line.button("copy", "Copy the laboratory as a picture", self._copy)
        self.save = line.button("download", "Save the laboratory as PNG", self._save)
        self.drawing = _worded("SVG", "Save the laboratory as SVG", self._save_drawing)
        self.table = _worded("CSV", "Save the numbers as CSV", self._save_table)
        self.film = _worded("GIF", "Save the steps as an animated GIF", self._save_film)
        for button in (self.drawing, self.table, self.film):
            line.add(button)
        return line

    def _arrange(self) -> None:
        pages = QGridLayout()
        pages.setSpacing(theme.XS)
        group = QButtonGroup(self.widget)
        for index, page in enumerate(Page):
            button = QPushButton(page.title)
            button.setCheckable(True)
            button.setToolTip(page.hint[:1].upper() + page.hint[1:])
            button.clicked.connect(lambda _, p=page: self._change(page=p))
            group.addButton(button)
            pages.addWidget(button, *divmod(index, COLUMNS))
            self.buttons[page] = button
        for column in range(COLUMNS):
            pages.setColumnMinimumWidth(column, theme.px(118))
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
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)

    # -------------------------------------------------------------------------------- showing

    def show(self, old: Scene | None, new: Scene) -> None:
        self._scene = new
        laboratory = new.state.upsampling_lab
        page = self.pages[laboratory.page]
        self.buttons[laboratory.page].setChecked(True)
        self.settings.setCurrentWidget(page.settings)
        assert isinstance(self.stage, Pages)
        self.stage.setCurrentWidget(page.stage)
        page.show(new)
        missing = page.missing(new)
        self.note.setVisible(bool(missing))
        self.note.say(missing)
        self.what.setText(page.what(new))
        self.image.setChecked(laboratory.image)
        self.image.setEnabled(not missing)
        for button, there in (
            (self.copy, True),
            (self.save, True),
            (self.drawing, bool(not missing and laboratory.page in DRAWN)),
            (self.table, bool(page.rows()) if not missing and laboratory.page not in DRAWN else not missing),
            (self.film, page.film() is not None),
        ):
            button.setEnabled(there and not missing)

    def hover(self, point: tuple[float, float] | None) -> None:
        """The cross follows the mouse on the image."""
        if self._scene is not None:
            self._page.hover(point)

    def wants_stage(self, scene: Scene) -> bool:
        laboratory = scene.state.upsampling_lab
        if scene.state.tab != Tab.UPSAMPLING or laboratory.image:
            return False
        return not self.pages[laboratory.page].missing(scene)

    @property
    def _page(self) -> LabPage:
        assert self._scene is not None
        return self.pages[self._scene.state.upsampling_lab.page]

    # ------------------------------------------------------------------------------- gestures

    def _change(self, **fields: Any) -> None:
        self._session.update(upsampling_lab=changed(self._session.state.upsampling_lab, **fields))

    def _toggle_image(self) -> None:
        self._change(image=not self._session.state.upsampling_lab.image)

    def _choose_method(self, method: Method) -> None:
        if self._scene is not None:
            self._session.update(**gestures.choose_method(self._scene, method))

    def _pin(self, channel: int, row: int, column: int) -> None:
        """A unit of the whole map was clicked: pin what sits there."""
        scene = self._scene
        if scene is None:
            return
        from segviz.gui.panels import upsampling_maps

        near = upsampling_maps.neighbourhood(scene)
        if near is not None:
            self._session.update(**gestures.pin(scene, *near.lattice.position_of(row, column)))

    # -------------------------------------------------------------------------------- leaving

    def _name(self) -> str:
        return f"upsampling-{self._session.state.upsampling_lab.page.value}"

    def _copy(self) -> None:
        self._commands.copy_image(self._page.picture())

    def _save(self) -> None:
        self._commands.save_image(self._page.picture(), self._name())

    def _save_drawing(self) -> None:
        from segviz.core import export

        drawing = self._page.svg()
        self._commands.save_with(
            f"{self._name()}.svg",
            kinds.SVG,
            lambda path: export.replace_file(path, lambda part: part.write_bytes(drawing)),
        )

    def _save_table(self) -> None:
        self._commands.save_table(self._page.rows(), self._name())

    def _save_film(self) -> None:
        film = self._page.film()
        if film is not None:
            self._commands.save_film(*film)


DRAWN = (Page.WAYS, Page.INSERTION)  # pages without a photograph


def _worded(text: str, tip: str, then: Any) -> QToolButton:
    button = worded_button(text, tip)
    button.clicked.connect(lambda: then())
    return button
