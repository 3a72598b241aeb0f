"""How well the labels agree with ground truth: the four scores, every class, who is taken for whom, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from segviz.core.choices import ColourMap, MaskColours
from segviz.core.formats import LARGEST_LABEL
from segviz.gui import gestures, kinds, score_words, theme
from segviz.gui.actions import find, tooltip
from segviz.gui.panels.base import Area
from segviz.gui.panels.header import HeaderLine
from segviz.gui.panels.scores_room import Content, ScoresStage, Tables
from segviz.gui.scene import Scene, Tab
from segviz.gui.widgets.curve import Curve, CurvePlot
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.entry_line import EntryLine
from segviz.gui.widgets.figure import Figure
from segviz.gui.widgets.heading import flat_button
from segviz.gui.widgets.segmented import Segmented

if TYPE_CHECKING:
    from segviz.core.agreement import Agreement
    from segviz.core.session import Session
    from segviz.gui.panels.base import Commands

TRIMAP, BOUND = "trimap", "bound"
PLOTS = (
    (TRIMAP, "Boundaries", "Mean IoU of the pixels near a boundary of the truth, by how near (trimap)"),
    (BOUND, "Upper bound", "The mean IoU of the truth itself on a grid so many times coarser, each cell by majority"),
)
IGNORE_TIP = "The label of pixels that do not count, 0 to 65,535; empty: 255, unless that is a class"
LARGE_TIP = "Table and matrix large, in the place of the image; remarks whole"
WORDS = 760  # width of the words of the empty panel at most, before `theme.px`


class ScoresPanel:
    """Scores of the prediction against the ground truth; a cell of the matrix shows its pixels on the canvas."""

    id = Tab.SCORES.value
    title = "Scores"
    area = Area.WORKBENCH

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._commands = commands
        self._scene: Scene | None = None
        self._found: Agreement | None = None
        self.widget = QWidget()
        self.widget.setObjectName("panel-scores")
        theme.set_surface(self.widget, "panel")
        self.what = ElidedLabel()
        theme.set_role(self.what, "caption")
        self.remarks = ElidedLabel()
        theme.set_role(self.remarks, "warn")
        self.figures = {
            key: Figure("0.000", theme.NUMBERS, Qt.AlignmentFlag.AlignLeft) for _, key, _ in score_words.FOUR
        }
        self.tables, self.scores_stage = Tables(), ScoresStage()
        self.stage: QWidget | None = self.scores_stage
        self.table, self.matrix = self.tables.table, self.tables.matrix
        self.hint, self.scale_bar = self.tables.hint, self.tables.scale_bar
        self.reading = flat_button("adjust", "How the mask is read: what its colours stand for, its ignored label")
        self.colours: dict[MaskColours, QAction] = {}
        self.ignored = EntryLine("Ignored label", IGNORE_TIP, "255")
        self.choice = Segmented(PLOTS, "What is plotted")
        self.plot = CurvePlot("Scores by boundary width or coarseness")
        self.note, self.rule = QLabel(), QLabel(score_words.RULE)
        self.open = QPushButton("Open ground truth…")
        self.header: QWidget | None = self._make_header()
        self._pages = QStackedWidget()
        self._pages.addWidget(self._make_empty())
        self._content = self._make_content()
        self._pages.addWidget(self._content)
        column = QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self._pages, 1)
        self._connect()

    # --------------------------------------------------------------------------------- making

    def _make_header(self) -> HeaderLine:
        line = HeaderLine()
        line.add(self.what, 1)
        line.add(self.remarks, 1)
        self.large = line.button("arrows-maximize", LARGE_TIP, self._toggle_large)
        self.large.setCheckable(True)
        self.errors = line.button("flag", tooltip(find("errors")), self._toggle_errors)
        self.errors.setCheckable(True)
        self.reading.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.reading.setMenu(self._make_reading())
        line.add(self.reading)
        self.reopen = line.button("folder-open", tooltip(find("open-truth")), lambda: self._commands.do("open-truth"))
        self.remove = line.button("x", "Remove the ground truth", lambda: self._commands.do("remove-truth"))
        self.copy = line.button("copy", "Copy all scores as a table", self._copy_table)
        self.save = flat_button("download", "Save the scores, the matrix or the plot")
        self.save.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.save.setMenu(self._make_menu())
        line.add(self.save)
        return line

    def _make_menu(self) -> QMenu:
        menu = QMenu(self.save)
        for text, then in (
            ("Scores as CSV…", self._save_table),
            ("Confusion matrix as CSV…", self._save_confusion),
            ("Confusion matrix as PNG…", lambda: self._commands.save_image(self.matrix.picture(), "confusion")),
            ("Confusion matrix as SVG…", lambda: self._save_drawing(self.matrix.svg(), "confusion")),
            ("Plot as SVG…", lambda: self._save_drawing(self.plot.svg(), str(self.choice.value))),
        ):
            menu.addAction(text).triggered.connect(lambda _=False, do=then: do())
        menu.addSeparator()
        menu.addAction("Copy the confusion matrix").triggered.connect(
            lambda: self._commands.copy_image(self.matrix.picture())
        )
        return menu

    def _make_reading(self) -> QMenu:
        menu, group = QMenu(self.reading), QActionGroup(self.reading)
        menu.setToolTipsVisible(True)
        for value in MaskColours:
            action = self.colours[value] = group.addAction(f"Colours: {value.title}")
            action.setCheckable(True)
            action.setToolTip(value.hint)
            action.triggered.connect(lambda _=False, v=value: self._session.update(mask_colours=v))
            menu.addAction(action)
        menu.addSeparator()
        line, inside = QWidget(), QWidgetAction(menu)
        row = QHBoxLayout(line)
        row.setContentsMargins(theme.M, theme.XS, theme.M, theme.XS)
        row.addWidget(QLabel("Ignored label"))
        row.addWidget(self.ignored, 1)
        inside.setDefaultWidget(line)
        menu.addAction(inside)
        return menu

    def _make_empty(self) -> QWidget:
        page = QWidget()
        for label in (self.note, self.rule):
            label.setWordWrap(True)
            label.setMaximumWidth(theme.px(WORDS))
        theme.set_role(self.rule, "caption")
        theme.set_kind(self.open, "primary")
        self.open.setToolTip(tooltip(find("open-truth")))
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        column.setSpacing(theme.S)
        column.addWidget(self.note)
        column.addWidget(self.open, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.rule)
        column.addStretch(1)
        return page

    def _make_content(self) -> Content:
        plots = QWidget()
        below = QVBoxLayout(plots)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(theme.XS)
        below.addWidget(self.choice)
        below.addWidget(self.plot, 1)
        return Content(self._make_figures(), self.tables, plots)

    def _make_figures(self) -> QVBoxLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.L)
        grid.setVerticalSpacing(0)
        for at, (name, key, hint) in enumerate(score_words.FOUR):
            label = QLabel(name)
            theme.set_role(label, "caption")
            for part in (label, self.figures[key]):
                part.setToolTip(hint)
            row = 3 * (at // 2)
            grid.addWidget(self.figures[key], row, at % 2)
            grid.addWidget(label, row + 1, at % 2)
        grid.setRowMinimumHeight(2, theme.S)
        column = QVBoxLayout()
        column.addLayout(grid)
        column.addStretch(1)
        return column

    def _connect(self) -> None:
        self.open.clicked.connect(lambda: self._commands.do("open-truth"))
        self.matrix.chosen.connect(self._choose)
        self.matrix.pointed.connect(self._point)
        self.choice.changed.connect(lambda _: self._show_plot())
        self.ignored.entered.connect(self._ignore)

    # ------------------------------------------------------------------------------- showing

    def show(self, old: Scene | None, new: Scene) -> None:
        before, self._scene = self._found, new
        missing = score_words.missing(new)
        self._found = found = new.agreement if not missing else None
        if found is None:
            self._show_missing(new, missing)
        else:
            fresh = before is None or before.confusion is not found.confusion
            recoloured = old is None or old.state.palette is not new.state.palette
            if fresh or recoloured:
                self._show_numbers(found, new)
            if fresh or old is None or old.state.colour_map is not new.state.colour_map:
                self._show_colours(new.state.colour_map)
            if before is not found:
                self._show_plot()
            self.matrix.set_selected(score_words.place_of(found, new.state.cell))
        self._pages.setCurrentIndex(0 if found is None else 1)
        for part in (self._content, self.tables):
            part.setEnabled(found is not None and found is new.shown_agreement)
        self._show_large(new)
        self._show_header(new)

    def _show_missing(self, scene: Scene, text: str) -> None:
        self.note.setText(text)
        wanting = scene.state.image is not None and (scene.state.truth is None or bool(scene.unscored))
        theme.set_role(self.note, "warn" if scene.unscored else "")
        self.open.setVisible(wanting)
        self.rule.setVisible(wanting and not scene.unscored)

    def _show_large(self, scene: Scene) -> None:
        """The tables where they belong: there is one of each."""
        large = self.wants_stage(scene)
        if large != self.scores_stage.isAncestorOf(self.tables):
            (self.scores_stage if large else self._content).take(self.tables)
            self._content.show_words(large)

    def _show_header(self, scene: Scene) -> None:
        found = self._found
        self.what.setText(score_words.heading(found) if found is not None else "")
        for part in (self.large, self.errors, self.copy, self.save):
            part.setVisible(found is not None)
        self.large.setChecked(scene.state.scores_large)
        below = self.wants_stage(scene)  # whole, where the tables were
        self.remarks.setVisible(found is not None and bool(found.remarks) and not below)
        self.colours[scene.state.mask_colours].setChecked(True)
        self.ignored.show_value("" if scene.state.ignored is None else str(scene.state.ignored))
        for part in (self.reopen, self.remove, self.reading):
            part.setVisible(scene.state.truth is not None)
        self.errors.setChecked(scene.state.errors)

    def _show_numbers(self, found: Agreement, scene: Scene) -> None:
        from segviz.core import catalogue, palettes

        for _, key, _ in score_words.FOUR:
            self.figures[key].set_text(score_words.score(getattr(found.scores, key)))
        remarks = " ".join(f"{text[0].upper()}{text[1:]}." for text in found.remarks)
        self.remarks.setText(remarks)
        self._content.words.say(remarks or score_words.NOTHING_REMARKED)
        theme.set_role(self._content.words, "warn" if remarks else "caption")
        table = palettes.class_colours(scene.state.palette, len(found.prediction.classes))
        colours = ["#" + bytes(colour.tolist()).hex() for colour in table]
        hollow = catalogue.background(found.prediction.classes)
        if hollow is not None:
            colours[hollow] = ""
        self.table.show_scores(found.scores.per_class, found.classes, colours)
        self.matrix.set_table(score_words.matrix(found))
        self._point(None)

    def _show_colours(self, colour_map: ColourMap) -> None:
        from segviz.core import palettes
        from segviz.gui.widgets.plane import rgb

        colours = rgb(palettes.colour_map(colour_map))
        self.matrix.set_colours(colours)
        self.scale_bar.set_colours(colours)
        self.scale_bar.set_range("0", "1")

    def _show_plot(self) -> None:
        found = self._found
        make = score_words.trimap_curve if self.choice.value == TRIMAP else score_words.bound_curve
        self.plot.set_curve(make(found) if found is not None and found.bands else Curve())

    def hover(self, point: tuple[float, float] | None) -> None:
        """The matrix marks the cell that the pixel under the mouse is counted in."""
        found = self._found
        if found is None:
            return
        self.matrix.set_mark(None)
        if point is not None:
            height, width = found.truth.shape
            row, column = round(point[1]), round(point[0])
            if 0 <= row < height and 0 <= column < width and found.truth[row, column] >= 0:
                cell = int(found.truth[row, column]), int(found.prediction.labels[row, column])
                self.matrix.set_mark(score_words.place_of(found, cell))
        self._say(self.matrix.mark)

    def wants_stage(self, scene: Scene) -> bool:
        there = scene.agreement is not None and not score_words.missing(scene)
        return scene.state.scores_large and scene.state.tab == self.id and there

    # ------------------------------------------------------------------------------ gestures

    def _ignore(self, text: str) -> None:
        """Another label that does not count; nothing typed: as the file's form says."""
        wanted = text.strip()
        if wanted and not (wanted.isdecimal() and int(wanted) <= LARGEST_LABEL):
            self.ignored.refuse()
            return
        self._session.update(ignored=int(wanted) if wanted else None)

    def _point(self, cell: tuple[int, int] | None) -> None:
        self._say(cell)

    def _say(self, cell: tuple[int, int] | None) -> None:
        found = self._found
        if found is not None:
            self.hint.setText(score_words.matrix_hint(found) if cell is None else score_words.cell_text(found, *cell))

    def _choose(self, row: int, column: int) -> None:
        if self._found is not None and self._scene is not None:
            cell = score_words.cell_of(self._found, row, column)
            self._session.update(**gestures.toggle_cell(self._scene, *cell))

    def _toggle_errors(self) -> None:
        self._session.update(**gestures.show_errors(self.errors.isChecked()))

    def _toggle_large(self) -> None:
        self._session.update(**gestures.show_large_scores(self.large.isChecked()))

    # -------------------------------------------------------------------------------- leaving

    def _copy_table(self) -> None:
        if self._found is not None:
            self._commands.copy_table(score_words.score_rows(self._found))

    def _save_table(self) -> None:
        if self._found is not None:
            self._commands.save_table(score_words.score_rows(self._found), "scores")

    def _save_confusion(self) -> None:
        if self._found is not None:
            self._commands.save_table(score_words.confusion_rows(self._found), "confusion")

    def _save_drawing(self, drawing: bytes, name: str) -> None:
        from segviz.core import export

        self._commands.save_with(
            f"{name}.svg", kinds.SVG, lambda path: export.replace_file(path, lambda part: part.write_bytes(drawing))
        )
