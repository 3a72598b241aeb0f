"""The network panel: layers in order, as volumes to scale, with size, stride, field, parameters and time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QSignalBlocker,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QPaintEvent, QResizeEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QLabel, QMenu, QTreeView, QVBoxLayout, QWidget

from segviz.core.choices import NetworkView
from segviz.gui import gestures, tables, theme, words
from segviz.gui.names import opening, sentence, title_of
from segviz.gui.panels.base import Area
from segviz.gui.panels.header import at_the_end
from segviz.gui.panels.network_paint import ROW, ColumnTitles, RowDelegate
from segviz.gui.panels.network_rows import INPUT, Row, layer_seconds, rows_of
from segviz.gui.scene import Kind, Tab
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.following import focus_with_rows
from segviz.gui.widgets.heading import flat_button
from segviz.gui.widgets.search_line import SearchLine

if TYPE_CHECKING:
    from segviz.core.requests import Network
    from segviz.core.session import Session
    from segviz.gui.panels.base import Commands
    from segviz.gui.scene import Scene

FILTER_FROM = 12  # rows from which on a filter is offered


class LayerTree(QTreeView):
    """A tree of two-line rows without decorations: the delegate paints all of it."""

    menu_wanted = Signal(QModelIndex, QPoint)  # the row clicked with the right button, and where on the screen

    def __init__(self) -> None:
        super().__init__()
        self._keeps = self._seen = False
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setUniformRowHeights(True)
        self.setMouseTracking(True)
        self.setExpandsOnDoubleClick(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFrameShape(QTreeView.Shape.NoFrame)

    def drawBranches(self, painter: Any, rect: Any, index: Any) -> None:
        """Nothing: the delegate's triangle stands in the row itself."""

    def changeEvent(self, event: QEvent) -> None:
        """Rows of another height: the selected layer stays in view."""
        super().changeEvent(event)
        if event.type() in theme.LOOK_CHANGES:
            self.scheduleDelayedItemsLayout()
            self._keeps = True

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The selected layer stays in view where it was when last painted, or has come to be since."""
        super().resizeEvent(event)
        if self._seen:
            self.scrollTo(self.currentIndex())
        self._keep_current()

    def scrollTo(self, index: Any, hint: Any = QTreeView.ScrollHint.EnsureVisible) -> None:
        super().scrollTo(index, hint)
        self._seen = index == self.currentIndex()

    def paintEvent(self, event: QPaintEvent) -> None:
        self._keep_current()
        super().paintEvent(event)
        row = self.visualRect(self.currentIndex())
        self._seen = row.isValid() and row.top() >= 0 and row.bottom() <= self.viewport().height()  # Qt is a pixel off

    def _keep_current(self) -> None:
        """After the look has changed, once the rows have their new heights."""
        if self._keeps and self.isVisible():
            self._keeps = False
            self.executeDelayedItemsLayout()
            self.scrollTo(self.currentIndex())

    def mousePressEvent(self, event: Any) -> None:
        """A press on the triangle folds and unfolds without selecting."""
        index = self.indexAt(event.position().toPoint())
        delegate = self.itemDelegate()
        if (
            event.button() is Qt.MouseButton.LeftButton
            and isinstance(delegate, RowDelegate)
            and self.model().hasChildren(index)
            and delegate.triangle(self.visualRect(index), index).contains(event.position())
        ):
            self.setExpanded(index, not self.isExpanded(index))
            event.accept()
            return
        super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self.indexAt(event.pos())
        if index.isValid():
            self.menu_wanted.emit(index, event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return and Space fold and unfold; the brackets belong to the window's actions."""
        folds = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
        if folds and self.model().hasChildren(self.currentIndex()):
            self.setExpanded(self.currentIndex(), not self.isExpanded(self.currentIndex()))
            return
        if event.text() in ("[", "]"):
            event.ignore()
            return
        super().keyPressEvent(event)


class NetworkPanel:
    """Layers of the network; the selected one drives feature maps and receptive field."""

    id = "network"
    title = "Network"
    area = Area.LEFT
    stage: QWidget | None = None

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._commands = commands
        self._scene: Scene | None = None
        self._items: dict[str, QStandardItem] = {}
        self._silent = False
        self.widget = QWidget()
        self.widget.setObjectName("panel-network")
        theme.set_surface(self.widget, "panel")
        self._size = ElidedLabel()
        theme.set_role(self._size, "caption")
        self._picture = flat_button("volumes", "The network as a picture, or the image again  (N)")
        self._picture.clicked.connect(lambda: commands.do("network-picture"))
        self._picture.setCheckable(True)
        self._copy = flat_button("copy", "Copy the layers as a table")
        self._copy.clicked.connect(self._copy_layers)
        self._save = flat_button("download", "Save the layers as CSV")
        self._save.clicked.connect(self._save_layers)
        self._filter = SearchLine("Filter layers", "Show only layers whose name contains this")
        self._filter.textChanged.connect(self._filter_changed)
        self._note = QLabel()
        self._note.setWordWrap(True)
        theme.set_role(self._note, "dim")
        self._model = QStandardItemModel(self.widget)
        self._shown = QSortFilterProxyModel(self.widget)
        self._shown.setRecursiveFilteringEnabled(True)
        self._shown.setAutoAcceptChildRows(True)
        self._shown.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._shown.setSourceModel(self._model)
        self.tree = LayerTree()
        self.tree.setModel(self._shown)
        focus_with_rows(self.tree)
        self.tree.setItemDelegate(RowDelegate(self.tree))
        self.tree.setAccessibleName("Layers of the network")
        self.tree.selectionModel().currentChanged.connect(self._current_changed)
        self.tree.menu_wanted.connect(self._open_menu)
        self._titles = ColumnTitles()
        self._arrange()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.XS)
        head = QVBoxLayout()
        head.setContentsMargins(theme.M, theme.S, theme.M, 0)
        head.setSpacing(theme.S)
        head.addWidget(self._size)
        head.addWidget(self._filter)
        head.addWidget(self._note)
        self.header: QWidget | None = at_the_end(self._picture, self._copy, self._save)
        layout.addWidget(self.header)
        layout.addLayout(head)
        layout.addWidget(self._titles)
        layout.addWidget(self.tree, 1)
        self.widget.setMinimumWidth(theme.px(248))
        for shown in (self._filter, self._titles, self._size, self._picture, self._copy, self._save):
            shown.hide()

    # ------------------------------------------------------------------------------- showing

    def show(self, old: Scene | None, new: Scene) -> None:
        self._scene = new
        same_network = old is not None and old.network is new.network
        if not same_network:
            self._build(new)
        if not same_network or old is None or old.prediction is not new.prediction:
            self._show_times(new)
        if not same_network or old is None or old.state.layer != new.state.layer:
            self._select(new.state.layer)
        self._picture.setChecked(new.state.network_view is not NetworkView.NONE)
        self._show_note(new)

    def _build(self, scene: Scene) -> None:
        network = scene.network
        self._silent = True
        self._model.clear()
        self._items = {}
        rows = rows_of(network) if network is not None else ()
        for row in rows:
            item = _item(row)
            self._items[row.name] = item
            above = self._items.get(row.parent) if row.parent else None
            (above or self._model.invisibleRootItem()).appendRow(item)
        self._filter.setVisible(len(rows) >= FILTER_FROM)
        with QSignalBlocker(self._filter):
            self._filter.clear()
        self._shown.setFilterFixedString("")
        for shown in (self._titles, self._size, self._picture, self._copy, self._save):
            shown.setVisible(network is not None)
        self._size.setText(_size_text(network) if network is not None else "")
        self._size.setToolTip(_facts(scene))
        self._silent = False

    def _show_times(self, scene: Scene) -> None:
        """Time shares into the rows that are there: folds and scrolling stay as they are."""
        seconds = layer_seconds(scene.network, scene.prediction)
        if scene.network is None:
            return
        self._silent = True
        for row in rows_of(scene.network, seconds):
            self._items[row.name].setData(row, ROW)
            self._items[row.name].setToolTip(row.tooltip)
        self._silent = False

    def _show_note(self, scene: Scene) -> None:
        text = ""
        if scene.network is None:
            name = title_of(scene.state.model)
            text = sentence(opening(name)) if scene.network_comes else "Choose a network to see its layers."
        elif scene.job(Kind.DESCRIPTION) is not None:
            text = "Tracing…"
        else:
            caution = scene.network.entry.caution
            text = f"{caution}." if caution else ""
        self._note.setText(text)
        self._note.setVisible(bool(text))

    def _select(self, layer: str | None) -> None:
        self._silent = True
        item = self._items.get(layer) if layer else None
        index = self._shown.mapFromSource(item.index()) if item is not None else QModelIndex()
        if not index.isValid():
            self.tree.clearSelection()
            self.tree.setCurrentIndex(QModelIndex())
        elif index != self.tree.currentIndex():
            self.tree.setCurrentIndex(index)
            self.tree.scrollTo(index)
        self._silent = False

    def hover(self, point: tuple[float, float] | None) -> None:
        """Nothing: layers do not depend on the mouse."""

    def wants_stage(self, scene: Scene) -> bool:
        return False

    # ------------------------------------------------------------------------------ gestures

    def _current_changed(self, index: QModelIndex | QPersistentModelIndex) -> None:
        row = index.data(ROW)
        if self._silent or self._scene is None or not isinstance(row, Row) or row.name == INPUT:
            return
        if row.name != self._session.state.layer:
            self._session.update(**gestures.select_layer(self._scene, row.name))

    def _open_menu(self, index: QModelIndex, at: QPoint) -> None:
        row = index.data(ROW)
        if isinstance(row, Row) and row.name != INPUT:
            self.menu_of(row).popup(at)

    def menu_of(self, row: Row) -> QMenu:
        """What can be done with a layer."""
        menu = QMenu(self.tree)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Show its feature maps").triggered.connect(lambda: self._show_maps(row.name))
        menu.addAction("Copy its name").triggered.connect(lambda: self._commands.copy_table([[row.name]]))
        return menu

    def _show_maps(self, layer: str) -> None:
        if self._scene is not None:
            changes = gestures.select_layer(self._scene, layer)
            self._session.update(**changes, tab=Tab.FEATURE_MAPS.value)

    def _copy_layers(self) -> None:
        if self._scene is not None and self._scene.network is not None:
            self._commands.copy_table(tables.layer_rows(self._scene.network))

    def _save_layers(self) -> None:
        if self._scene is not None and self._scene.network is not None:
            self._commands.save_table(tables.layer_rows(self._scene.network), "layers")

    def _filter_changed(self, text: str) -> None:
        self._silent = True  # a layer that is filtered away stays the current one
        self._shown.setFilterFixedString(text.strip())
        if text.strip():
            self.tree.expandAll()
        else:
            self.tree.collapseAll()
        self._silent = False
        if self._scene is not None:
            self._select(self._scene.state.layer)


def _item(row: Row) -> QStandardItem:
    item = QStandardItem(row.name)
    item.setData(row, ROW)
    item.setToolTip(row.tooltip)
    item.setData(row.spoken, Qt.ItemDataRole.AccessibleTextRole)
    if row.name == INPUT and row.parent is None:
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
    return item


def _size_text(network: Network) -> str:
    """Parameters, and the unit of the fields below where it is not the image's: a table is of the network alone."""
    text = f"{words.short_count(network.total_parameters)} parameters"
    return text if network.frame.image == network.frame.inner else f"{text}, fields in network px"


def _facts(scene: Scene) -> str:
    network = scene.network
    if network is None:
        return ""
    lines = [
        network.title,
        f"Parameters: {words.count(network.total_parameters)}, trainable {words.count(network.trainable_parameters)}",
        f"Multiplications for this input: {words.count(network.macs)}",
        f"{network.task.title}, {words.count(len(network.classes))} classes",
    ]
    return "\n".join((*lines, *network.notes))
