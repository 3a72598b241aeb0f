"""The inspector: what is under the cursor, what the pinned unit sees, and which classes there are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from segviz.core.choices import Glow, View
from segviz.gui import gestures, tables, theme, words
from segviz.gui.names import title_of
from segviz.gui.panels.base import Area
from segviz.gui.panels.glow_card import GlowCard
from segviz.gui.panels.inspector_parts import Swatch, UnitCard
from segviz.gui.panels.legend import Entry, LegendView, listed
from segviz.gui.panels.sight_cards import PathCard, SightRow, SquareCard
from segviz.gui.panels.window_card import WindowCard
from segviz.gui.scene import Kind, Scene, dragged, pinned
from segviz.gui.widgets.bars import Bar, BarRows
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.heading import flat_button, heading
from segviz.gui.widgets.search_line import SearchLine
from segviz.gui.widgets.tray import Tray

if TYPE_CHECKING:
    from segviz.core.requests import Prediction
    from segviz.core.session import Session
    from segviz.gui.panels.base import Commands

SEARCH_FROM = 12  # classes from which on a search is offered
RANKED = 5
LEGEND_FIELDS = ("hidden", "solo", "palette", "shown_class", "view", "minimum")


class InspectorPanel:
    """Cursor, unit, classes."""

    id = "inspector"
    title = "Inspector"
    area = Area.RIGHT
    stage: QWidget | None = None
    header: QWidget | None = None

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._commands = commands
        self._scene: Scene | None = None
        self._hovered: tuple[float, float] | None = None
        self._entries: list[Entry] = []
        self._hidden = 0  # pixels of the upper part that there is no room for
        self._square_comes = False  # put there, and not yet scrolled to
        self.widget = QWidget()
        self.widget.setObjectName("panel-inspector")
        self.widget.setMinimumWidth(theme.px(248))
        theme.set_surface(self.widget, "panel")
        self._swatch = Swatch()
        self._where = QLabel("–")
        self._where_from = QLabel("Cursor")
        self.bars = BarRows(RANKED)
        self.bars.setToolTip("The most probable classes here; click one to see where else it is probable")
        self.bars.clicked.connect(self._show_class)
        self._bars_note = _note(QLabel())
        self._bars_note.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._ranking = QStackedLayout()  # of one height, so that nothing below jumps
        self._ranking.addWidget(self.bars)
        self._ranking.addWidget(self._bars_note)
        self.window = WindowCard(self._show_class, lambda: self._session.update(window=None))
        self.unit = UnitCard(commands)
        self.square = SquareCard(commands)
        self.sight = (SightRow(commands), self.square, PathCard(commands))
        self.glow = GlowCard(commands)
        self._build_classes()
        self._arrange()

    def _build_classes(self) -> None:
        self.search = SearchLine(
            "Search classes", "Classes whose name contains this, also those that are nowhere in the image"
        )
        self.search.textChanged.connect(lambda _: self._list())
        self.legend = LegendView()
        self.legend.shown.connect(self._show_class)
        self.legend.toggled.connect(lambda index: self._session.update(**gestures.toggle_class(self._now(), index)))
        self.legend.soloed.connect(lambda index: self._session.update(**gestures.solo_class(self._now(), index)))
        self.legend.copied.connect(lambda name: self._commands.copy_table([[name]]))
        self._legend_note = QLabel()
        self._heading, self._percentage = ElidedLabel("CLASSES"), QLabel("% of the image")
        self._copy = flat_button("copy", "Copy the classes and their shares as a table")
        self._copy.clicked.connect(self._copy_classes)
        self._save = flat_button("download", "Save the classes and their shares as CSV")
        self._save.clicked.connect(self._save_classes)

    def _arrange(self) -> None:
        """Cursor and unit above, as high as they are; the classes below have the rest, and a few rows in any case.

        Where the dock is low both scroll, one below the other: never a scroll bar inside another.
        """
        above = QWidget()
        theme.set_surface(above, "panel")
        upper = QVBoxLayout(above)
        upper.setContentsMargins(theme.M, theme.S, theme.M, 0)
        upper.setSpacing(theme.XS)
        upper.addWidget(heading("Inspector"))
        upper.addLayout(self._cursor_row())
        upper.addLayout(self._ranking)
        upper.addWidget(self.window)
        upper.addSpacing(theme.XS)
        for part in (self.unit, *self.sight, self.glow):  # what is clicked comes first: it is seen in a low dock, too
            upper.addWidget(part)
        lower = QVBoxLayout()
        lower.setContentsMargins(theme.M, theme.S, theme.M, 0)
        lower.setSpacing(theme.XS)
        lower.addLayout(self._classes_row())
        lower.addWidget(self.search)
        lower.addWidget(_note(self._legend_note))
        outer = QVBoxLayout(self.widget)
        outer.setContentsMargins(0, 0, 0, theme.S)
        outer.setSpacing(theme.XS)
        self._tray = Tray(above)
        self._tray.verticalScrollBar().rangeChanged.connect(self._follow)
        outer.addWidget(self._tray)
        outer.addLayout(lower)
        outer.addWidget(self.legend, 1)
        outer.addStretch(0)

    def _follow(self, _: int, hidden: int) -> None:
        """What glows stands last and the square below the unit: they are scrolled to as they come."""
        if hidden > self._hidden and self._session.state.glow is not Glow.NONE:
            self._tray.ensureWidgetVisible(self.glow, 0, 0)
        elif hidden > self._hidden and self._square_comes:
            self._tray.ensureWidgetVisible(self.square, 0, 0)
            self._square_comes = False
        self._hidden = hidden

    def _classes_row(self) -> QHBoxLayout:
        theme.set_role(self._heading, "heading")
        theme.set_role(self._percentage, "caption")
        self._percentage.setToolTip("How much of the image each class labels, of labels at least as sure as Minimum")
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self._heading, 1)
        row.addWidget(self._percentage)
        row.addSpacing(theme.XS)
        row.addWidget(self._copy)
        row.addWidget(self._save)
        return row

    def _cursor_row(self) -> QHBoxLayout:
        theme.set_role(self._where_from, "dim")
        self._where.setTextFormat(Qt.TextFormat.PlainText)
        self._where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._where.setToolTip("Pixel (x, y) and its colour")
        row = QHBoxLayout()
        row.setSpacing(theme.S)
        row.addWidget(self._where_from)
        row.addWidget(self._swatch)
        row.addWidget(self._where, 1)
        return row

    # ------------------------------------------------------------------------------- showing

    def show(self, old: Scene | None, new: Scene) -> None:
        self._scene = new
        if old is None or old.picture is not new.picture:
            self._hovered = None
        self._show_point()
        self.window.show_window(dragged(new))
        if old is None or _unit_differs(old, new):
            self.unit.show_unit(pinned(new), new)
        covers = [scene is not None and scene.state.sight.square is not None for scene in (old, new)]
        self._square_comes = covers[1] and (self._square_comes or not covers[0])
        for part in self.sight:
            part.show_scene(new)
        self.glow.show_scene(new)
        if old is None or _classes_differ(old.seen, new.seen):
            self._show_classes(old, new.seen)
        self._mark_old(new)

    def hover(self, point: tuple[float, float] | None) -> None:
        self._hovered = point
        if self._scene is not None:
            self._show_point()

    def wants_stage(self, scene: Scene) -> bool:
        return False

    def _now(self) -> Scene:
        """The scene with the newest State: several gestures may come before the next `show`."""
        scene = self._scene or Scene(self._session.state)
        return replace(scene, state=self._session.state)

    def _show_point(self) -> None:
        """Pixel, colour and classes at the mouse; where it is away, at the pinned position."""
        scene = self._scene
        assert scene is not None
        point = self._hovered or scene.state.cursor
        self._where_from.setText("Cursor" if self._hovered or not scene.state.cursor else "Pinned")
        pixel = _pixel(scene, point)
        if point is None or pixel is None:
            self._where.setText("–")
            self._swatch.set_colour("")
        else:
            x, y, colour = pixel
            self._where.setText(f"{x:,}, {y:,}   {colour}")
            self._swatch.set_colour(colour)
        self._where.setFont(theme.numbers())
        self._show_ranking(point if pixel is not None else None)

    def _show_ranking(self, point: tuple[float, float] | None) -> None:
        scene = self._scene
        assert scene is not None
        prediction = scene.shown_prediction if scene.before is None else None
        note = ""
        bars: list[Bar] = []
        if prediction is None:
            busy = scene.job(Kind.PREDICTION) is not None
            note = "Segmenting…" if busy else "Class probabilities appear here once the network has run."
        elif point is not None:
            from segviz.core import scores

            ranked = scores.ranking(prediction, *point, count=RANKED)
            bars = [Bar(r.name, r.probability, words.probability(r.probability), r.index) for r in ranked]
        else:
            note = "Move over the image to see its classes."
        if scene.prediction is not None:
            self.bars.set_rows(min(RANKED, len(scene.prediction.classes)))
        self.bars.set_bars(bars)
        self._bars_note.setText(note)
        self._ranking.setCurrentWidget(self.bars if bars else self._bars_note)

    def _show_classes(self, old: Scene | None, new: Scene) -> None:
        count = len(new.prediction.classes) if new.prediction else 0
        self._entries = entries_of(new)
        self.search.setVisible(count >= SEARCH_FROM)
        for button in (self._percentage, self._copy, self._save):
            button.setVisible(new.prediction is not None)
        if (
            old is None
            or old.prediction is None
            or new.prediction is None
            or old.prediction.classes != new.prediction.classes
        ):
            with QSignalBlocker(self.search):
                self.search.clear()
            self.search.setPlaceholderText(f"Search {words.count(count)} classes")
        self._list()
        if old is not None and (old.shown_class, old.state.view) != (new.shown_class, new.state.view):
            self._reveal(new)

    def _reveal(self, scene: Scene) -> None:
        """Scroll to the class whose heatmap has come, wherever it was chosen."""
        row = self.legend.classes.row_of(scene.shown_class) if scene.shown_class is not None else -1
        if row >= 0 and scene.state.view is View.HEATMAP:
            self.legend.scrollTo(self.legend.classes.index(row))

    def _mark_old(self, scene: Scene) -> None:
        """The classes of a picture that is still another network's: dimmed, and said to be."""
        before = scene.before
        self._heading.setText((title_of(before.model) if before is not None else "Classes").upper())
        self.legend.setEnabled(before is None)

    def _list(self) -> None:
        found = listed(self._entries, self.search.text())
        self.legend.classes.set_entries(found)
        note = ""
        if not self._entries:
            note = "The legend fills when the network has run."
        elif not found:
            note = f"No class contains “{self.search.text().strip()}”."
        self._legend_note.setText(note)
        self._legend_note.setVisible(bool(note))

    # ------------------------------------------------------------------------------ gestures

    def _show_class(self, index: int) -> None:
        if index >= 0:
            self._session.update(view=View.HEATMAP, shown_class=index)

    # -------------------------------------------------------------------------------- leaving

    def _copy_classes(self) -> None:
        if self._scene is not None and self._scene.prediction is not None:
            self._commands.copy_table(self._class_rows(self._scene.prediction))

    def _save_classes(self) -> None:
        if self._scene is not None and self._scene.prediction is not None:
            self._commands.save_table(self._class_rows(self._scene.prediction), "classes")

    def _class_rows(self, prediction: Prediction) -> list[list[object]]:
        """The shares as the legend shows them."""
        return tables.class_rows(replace(prediction, shares=shown_shares(self._now().seen)))


def entries_of(scene: Scene) -> list[Entry]:
    """The legend's classes with what the State says of each."""
    prediction, state = scene.prediction, scene.state
    if prediction is None:
        return []
    from segviz.core import catalogue, palettes

    count = len(prediction.classes)
    colours = palettes.class_colours(state.palette, count)
    background = catalogue.background(prediction.classes)
    shares = dict(shown_shares(scene))
    current = scene.shown_class if state.view is View.HEATMAP else None
    return [
        Entry(
            index=index,
            name=name,
            share=shares.get(index, 0.0),
            colour="" if index == background else "#{:02x}{:02x}{:02x}".format(*(int(part) for part in colours[index])),
            visible=index != background and gestures.visible(scene, index),
            solo=state.solo == index,
            current=index == current,
        )
        for index, name in enumerate(prediction.classes)
    ]


def shown_shares(scene: Scene) -> tuple[tuple[int, float], ...]:
    """(class index, share of the image) of what is painted at the Minimum, largest first."""
    from segviz.core import scores

    return scores.shares(scene.prediction.levels, scene.state.minimum) if scene.prediction is not None else ()


def _unit_differs(old: Scene, new: Scene) -> bool:
    return (
        old.picture is not new.picture
        or old.network is not new.network
        or old.features is not new.features
        or old.measured is not new.measured
        or old.state.unit != new.state.unit
        or old.state.layer != new.state.layer
    )


def _classes_differ(old: Scene, new: Scene) -> bool:
    changed = any(getattr(old.state, name) != getattr(new.state, name) for name in LEGEND_FIELDS)
    return old.prediction is not new.prediction or changed


def _pixel(scene: Scene, point: tuple[float, float] | None) -> tuple[int, int, str] | None:
    """(x, y, #rrggbb) of the pixel at `point`; None outside the image."""
    if point is None or scene.picture is None:
        return None
    x, y = round(point[0]), round(point[1])
    if not (0 <= x < scene.picture.width and 0 <= y < scene.picture.height):
        return None
    red, green, blue = (int(part) for part in scene.picture.pixels[y, x])
    return x, y, f"#{red:02x}{green:02x}{blue:02x}"


def _note(label: QLabel) -> QLabel:
    label.setWordWrap(True)
    theme.set_role(label, "dim")
    label.hide()
    return label
