"""The window: canvas in the centre, docks around it, one toolbar. It arranges; what is shown comes from the desk.

The first paint shows the frame alone and loads neither numpy nor pyqtgraph; canvas, panels and the
engine follow in the next turn of the event loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QVBoxLayout, QWidget

from segviz.core.choices import NetworkView, Theme, View
from segviz.core.session import Session
from segviz.gui import gestures, settings, theme
from segviz.gui.actions import find
from segviz.gui.board import USUAL, Board
from segviz.gui.desk import CLOSING, Desk
from segviz.gui.files import Files
from segviz.gui.grip import Grip
from segviz.gui.layout import SIZE, SMALLEST, Layout
from segviz.gui.menus import Menus
from segviz.gui.names import image_title, sentence
from segviz.gui.notices import Notices
from segviz.gui.panels.base import Area, Panel
from segviz.gui.partners import Worker
from segviz.gui.scene import Kind, Scene, Tab
from segviz.gui.scoring import Scoring
from segviz.gui.stages import Stages, turning_to
from segviz.gui.statusbar import StatusBar
from segviz.gui.toolbar import Toolbar
from segviz.gui.window_dialogs import WindowDialogs
from segviz.gui.workbench import Bench, Pages

if TYPE_CHECKING:
    from segviz.gui.canvas import Canvas
    from segviz.gui.compare_stage import CompareStage
    from segviz.gui.comparison import Comparison
    from segviz.gui.exports import Export
    from segviz.gui.network_stage import NetworkStage
    from segviz.gui.sight_tools import SightTools

DOCKS = {
    Area.LEFT: ("network", "Network"),
    Area.RIGHT: ("inspector", "Inspector"),
    Area.WORKBENCH: ("workbench", "Workbench"),
}
PLACES = {
    Area.LEFT: Qt.DockWidgetArea.LeftDockWidgetArea,
    Area.RIGHT: Qt.DockWidgetArea.RightDockWidgetArea,
    Area.WORKBENCH: Qt.DockWidgetArea.BottomDockWidgetArea,
}
BESIDE = (Area.LEFT, Area.RIGHT)


class MainWindow(QMainWindow):
    """The window of one Session. `make_jobs` starts the engine's client once the frame is on the screen."""

    desk: Desk
    files: Files
    board: Board
    dialogs: WindowDialogs
    layouts: Layout
    toolbar: Toolbar
    comparison: Comparison  # from the first paint on, as what follows
    sight: SightTools

    filled = Signal()  # canvas and panels are there, the engine is starting
    closed = Signal()

    def __init__(
        self,
        session: Session,
        make_jobs: Callable[[], Worker] | None = None,
        remembers: bool = True,
        make_trainer: Callable[[], Worker] | None = None,
    ) -> None:
        """`remembers`: whether the layout is taken from the last window and kept for the next.

        `make_trainer` starts the client of the training process, once training is asked for.
        """
        super().__init__()
        self._make_jobs = make_jobs
        self._painted = self._closed = False
        self._shown: dict[str, Scene] = {}  # the scene that each panel shows
        self.canvas: Canvas | None = None
        self.panels: tuple[Panel, ...] = ()
        self.desk = Desk(session, parent=self)
        if make_trainer is not None:
            self.desk.training.use(make_trainer)
        self.files = Files(self.desk, self)
        self.desk.use(self.files)
        self.board = Board(self.desk, self.files.background, self)
        self.scoring = Scoring(self.desk, self.files.background, self)
        self.files.image_shown.connect(self.scoring.look)
        self.desk.wanted.connect(self.do)
        look = theme.look()
        self.theme = look.theme if look is not None else settings.theme()
        self._build_frame()
        self.stages = Stages(self)
        self.dialogs = WindowDialogs(self)
        self.menus = Menus(self)
        self.toolbar = Toolbar(self)
        self.addToolBar(self.toolbar)
        self._build_centre()
        self._build_docks()
        self.layouts = Layout(self, remembers)
        self.desk.untrusted.connect(self.dialogs.trust)
        self.desk.said.connect(lambda text: self.status.showMessage(sentence(text), 5000))
        self.toolbar.show_scene(self.desk.scene)
        self.menus.refresh()

    # ------------------------------------------------------------------------------ building

    def _build_frame(self) -> None:
        self.setWindowTitle("segviz")
        self.setMinimumSize(SMALLEST)
        self.resize(SIZE)
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.status = StatusBar()
        self.setStatusBar(self.status)

    def _build_centre(self) -> None:
        centre = QWidget()
        theme.set_surface(centre, "surround")
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.centre = Pages()
        self.notices = Notices(self, self.centre)
        layout.addWidget(self.notices.banner)
        layout.addWidget(self.centre, 1)
        self._column = layout
        self.setCentralWidget(centre)

    def _build_docks(self) -> None:
        self.docks: dict[Area, QDockWidget] = {}
        self.benches = {area: Bench(title, area is Area.WORKBENCH) for area, (_, title) in DOCKS.items()}
        self.tabs = self.benches[Area.WORKBENCH]
        self.menus.menus["View"].addSeparator()
        for area, (name, title) in DOCKS.items():
            dock = QDockWidget(title, self)
            dock.setObjectName(f"dock-{name}")
            dock.setTitleBarWidget(Grip(dock))
            dock.setWidget(self.benches[area])
            dock.visibilityChanged.connect(self._show_panels)
            self.addDockWidget(PLACES[area], dock)
            self.docks[area] = dock
            self.menus.menus["View"].addAction(dock.toggleViewAction())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self._fill)

    def _fill(self) -> None:
        """What the first paint did without: canvas, panels, engine."""
        from segviz.gui.canvas import Canvas
        from segviz.gui.comparison import Comparison
        from segviz.gui.panels import PANELS
        from segviz.gui.sight_tools import SightTools

        self.canvas = Canvas(self.desk.session)
        self.canvas.hovered.connect(lambda x, y: self._hover((x, y)))
        self.canvas.left.connect(lambda: self._hover(None))
        self.canvas.clicked.connect(self._pin)
        self.canvas.window_dragged.connect(self._drag)
        self.canvas.board_wanted.connect(lambda: self.board.begin(*USUAL))
        self._fill_board(self.canvas)
        self.comparison = Comparison(self, self.canvas)
        self.comparison.hovered.connect(self._hover)
        self.comparison.clicked.connect(self._pin)
        self.sight = SightTools(self, self.canvas)
        self.canvas.action_wanted.connect(self.do)
        self.canvas.view.zoomed.connect(self.stages.tell_zoom)
        self.centre.addWidget(self.canvas)
        self.panels = tuple(make(self.desk.session, self.desk) for make in PANELS)
        for panel in self.panels:
            self.benches[panel.area].add(panel.widget, panel.title, panel.header)
            if panel.stage is not None:
                self.centre.addWidget(panel.stage)
        self.tabs.currentChanged.connect(self._tab_chosen)
        self.benches[Area.LEFT].currentChanged.connect(self._left_chosen)
        if not self.layouts.restored:
            self.layouts.size_docks()
        self.layouts.keep_on_screen()
        self.desk.shown.connect(self._show)
        self.desk.pointed.connect(self._point_at)
        self.desk.training.look()
        self._show(None, self.desk.scene)
        if self._make_jobs is not None:
            self.desk.start(self._make_jobs())
        self.filled.emit()

    def add_above(self, strip: QWidget) -> None:
        """A strip above the canvas and whatever takes its place."""
        self._column.insertWidget(1, strip)

    def _fill_board(self, canvas: Canvas) -> None:
        from segviz.gui.board_strip import BoardStrip

        strip = BoardStrip(self.board)
        strip.wanted.connect(self.do)
        canvas.add_tool(self.board.pen, strip)
        self.board.touched.connect(canvas.view.update_box)
        self.board.changed.connect(self.menus.refresh)

    # ------------------------------------------------------------------------------ showing

    def _show(self, old: Scene | None, new: Scene) -> None:
        if self.canvas is None:
            return
        self._show_tab(new)
        self.board.show_scene(new)
        self.canvas.ink = self.board.ink
        self.canvas.show_scene(old, new)
        self._show_panels()
        self.toolbar.show_scene(new)
        self.status.show_scene(new)
        self.notices.show_message(new)
        self.comparison.show_scene(new)
        self.sight.show_scene(new)
        self.menus.refresh()
        self._show_stage(new)
        self.notices.show_work()
        image = new.state.image
        self.setWindowTitle(image_title(image) if image else "segviz")  # Qt adds the application's name

    def _show_tab(self, scene: Scene) -> None:
        index = next((i for i, panel in enumerate(self._workbench()) if panel.id == scene.state.tab), None)
        if index is not None and index != self.tabs.currentIndex():
            with QSignalBlocker(self.tabs):  # the bar inside still turns the pages
                self.tabs.setCurrentIndex(index)

    def _show_panels(self) -> None:
        """Bring the panels that can be seen up to the scene; the others follow when they are looked at."""
        for panel in self.panels:
            scene = self.desk.scene
            followed = self._in_front(panel) or panel.wants_stage(scene)  # a race is collected also from behind
            if followed and self._shown.get(panel.id) is not scene:
                old = self._shown.get(panel.id)
                self._shown[panel.id] = scene
                panel.show(old, scene)

    def _workbench(self) -> list[Panel]:
        return [panel for panel in self.panels if panel.area is Area.WORKBENCH]

    def _in_front(self, panel: Panel) -> bool:
        if panel.stage is not None and self.centre.currentWidget() is panel.stage:
            return True
        return self.benches[panel.area].currentWidget() is panel.widget and self.docks[panel.area].isVisibleTo(self)

    def _show_stage(self, scene: Scene) -> None:
        front = next((panel for panel in self._workbench() if self.tabs.currentWidget() is panel.widget), None)
        self.stages.show(scene, front)
        self.comparison.show_strip(scene)

    def _hover(self, point: tuple[float, float] | None) -> None:
        for panel in self.panels:
            if self._in_front(panel):
                panel.hover(point)

    def _point_at(self, point: tuple[float, float] | None) -> None:
        """The mouse is in a panel: a cross on the image, and every panel follows as if it were there."""
        if self.canvas is not None:
            self.canvas.point_at(point)
            self.comparison.point_at(point)
        self._hover(point)

    def _pin(self, x: float, y: float) -> None:
        self.desk.pinning.click(self.desk.scene, x, y)

    def _drag(self, x: float, y: float) -> None:
        self.desk.session.update(**gestures.drag_window(self.desk.scene, x, y))

    def _left_chosen(self) -> None:
        """What a network can do is tried while its card is looked at."""
        card = next(panel for panel in self.panels if panel.id == "card")
        self.desk.examine(self._in_front(card))
        self._show_panels()

    def _tab_chosen(self, index: int) -> None:
        self.desk.session.update(**turning_to(self.desk.scene, self._workbench()[index]))

    # ------------------------------------------------------------------------------ doing

    def do(self, identifier: str) -> None:
        """Carry out the action of that id."""
        find(identifier).do(self)
        self.menus.refresh()

    def on_canvas(self, do: Callable[[Canvas | CompareStage | NetworkStage], None]) -> None:
        """Let the canvas, or what stands in its place, fit or zoom; nothing before there is an image on it."""
        if self.stages.zooming is not None and (self.stages.network or self.desk.scene.picture is not None):
            do(self.stages.zooming)

    def copy_view(self) -> None:
        if self.stages.network is not None:
            self.stages.network.copy_picture()
        elif self.canvas is not None and self.desk.scene.picture is not None:
            from segviz.gui.exports import whole_view

            scene, ground, chain = self.desk.scene, self.canvas.view.ground, self.canvas.chain
            self.files.copy_made(lambda: whole_view(scene, 1.0, ground, chain))

    def drag_window(self) -> None:
        """A window to drag, or none any more; where there can be none, why."""
        scene = self.desk.scene
        if scene.state.window is not None:
            self.desk.session.update(window=None)
        elif reason := gestures.no_window(scene):
            self.desk.say(reason, about=Kind.WINDOW)
        else:
            self.desk.session.update(**gestures.show_window(scene))

    def open_truth(self) -> None:
        """Ask for the mask of the image, and score against it."""
        path = self.files.ask_truth()
        if path is not None:
            self.scoring.use(path)

    def save_session(self) -> None:
        self.board.flush()
        self.files.save_session()

    def race(self) -> None:
        self.desk.session.update(tab=Tab.RACE.value, network_view=NetworkView.NONE)
        self.desk.race()

    def places(self) -> list[tuple[str, Callable[[], None]]]:
        """The panels beside the canvas by their titles, and what shows each; actions bring the workbench's tabs."""
        beside = [panel for panel in self.panels if panel.area in BESIDE]
        return [(panel.title, lambda one=panel: self.bring_panel(one.id)) for panel in beside]  # type: ignore[misc]

    def show_class(self, index: int) -> None:
        """The heatmap of a class, or what it still needs."""
        self.desk.session.update(shown_class=index, view=View.HEATMAP)
        if self.desk.scene.prediction is None:
            needed = (
                "an image: open one first" if self.desk.session.state.image is None else "a result: wait for the run"
            )
            self.desk.said.emit(f"The heatmap of a class needs {needed}")

    def bring_panel(self, identifier: str) -> None:
        """Bring a panel beside the canvas to the front, its dock too."""
        for panel in (panel for panel in self.panels if panel.id == identifier):
            self.docks[panel.area].show()
            self.benches[panel.area].setCurrentWidget(panel.widget)

    def bring_tab(self, tab: str) -> None:
        """Bring a tab of the workbench to the front."""
        self.docks[Area.WORKBENCH].show()
        panel = next(panel for panel in self._workbench() if panel.id == tab)
        self.desk.session.update(**turning_to(self.desk.scene, panel))

    def set_theme(self, wanted: Theme) -> None:
        self.theme = wanted
        settings.set_theme(wanted)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme.apply(app, wanted)

    @property
    def presenting(self) -> bool:
        return self.layouts.presenting

    def export(self, wanted: Export, scale: float) -> None:
        """Ask where, and write one of the exports there; pictures at `scale` times the image's pixels.

        What leaves is what was there when it was chosen, whatever comes while the dialog is open.
        """
        scene = self.desk.scene.seen  # an old picture leaves in its old view
        place = self.files.place_for(f"{self.files.stem()}-{wanted.suffix}", wanted.kinds)
        if place is not None and self.canvas is not None:
            self.files.write(place, wanted.prepare(scene, self.canvas, scale))

    # ------------------------------------------------------------------------------ Qt

    def createPopupMenu(self) -> None:
        """None: the View menu has the panels, with the toolbar always there."""

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.files.accepts(event.mimeData()):
            _as_copy(event)

    def dropEvent(self, event: QDropEvent) -> None:
        _as_copy(event)
        if not self.scoring.takes(event.mimeData(), self.files.open_path):
            self.files.drop(event.mimeData())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that the canvas has and does not use: arrows move the unit there, and nowhere else."""
        identifier = self.menus.canvas_action(event)
        if identifier is not None and self.canvas is not None and self.canvas.view.hasFocus():
            self.do(identifier)
        else:
            super().keyPressEvent(event)

    def leave(self) -> None:
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Gone from the screen at once; engine, pictures and saves share one deadline behind it."""
        event.accept()
        if self._closed:
            return
        self._closed = True
        self.layouts.save()
        self.hide()
        self.board.close()
        until = time.monotonic() + CLOSING
        self.desk.close(CLOSING)
        self.files.close(until - time.monotonic())
        self.closed.emit()

    def action(self, identifier: str) -> QAction:
        return self.menus.actions[identifier]


def _as_copy(event: QDropEvent) -> None:
    """Take what is dropped as a copy, whatever is proposed: after a move the other side deletes its file."""
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()
