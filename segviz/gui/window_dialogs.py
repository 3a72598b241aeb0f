"""The dialogs of a window, one method each. Each is loaded when it is first asked for, after the first paint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from segviz.core.learning import TrainRequest
from segviz.gui.board import USUAL

if TYPE_CHECKING:
    from segviz.gui.scene import Message
    from segviz.gui.window import MainWindow
    from segviz.worker.messages import Refused


class WindowDialogs(QObject):
    """Opens dialogs above a window; none of them runs a loop of its own."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def palette(self) -> None:
        from segviz.gui.command_palette import CommandPalette

        CommandPalette(self._window).open()

    def export(self) -> None:
        from segviz.gui.dialogs import ExportDialog

        if self._window.desk.scene.picture is not None:
            ExportDialog(self._window).open()

    def whiteboard(self) -> None:
        from segviz.gui.board_dialog import SizeDialog

        hint = "White ink on black paper, as LeNet-5 knows digits. Every view follows while you draw."
        SizeDialog(self._window, "New whiteboard", hint, "Draw", USUAL, self._window.board.begin).open()

    def board_size(self) -> None:
        from segviz.gui.board_dialog import SizeDialog

        board = self._window.board
        if board.ink is not None:
            hint = "What is drawn stays in its corner; what does not fit is cut off, and comes back by undo."
            SizeDialog(self._window, "Size of the whiteboard", hint, "Change", board.ink.size, board.resize).open()

    def shortcuts(self) -> None:
        from segviz.gui.dialogs import ShortcutSheet

        ShortcutSheet(self._window).open()

    def about(self) -> None:
        from segviz.gui.dialogs import AboutDialog

        AboutDialog(self._window).open()

    def log(self) -> None:
        from segviz.gui.dialogs import LogDialog

        LogDialog(self._window).open()

    def details(self, message: Message) -> None:
        from segviz.gui.dialogs import DetailsDialog

        DetailsDialog(message, self._window).open()

    def spec(self) -> None:
        from segviz.gui.network_dialogs import SpecDialog

        window = self._window
        SpecDialog(window, window.desk.session.state.model, window.files.show_network).open()

    def trust(self, refused: Refused) -> None:
        """Whether a program may run."""
        from segviz.gui.network_dialogs import TrustDialog

        assert not isinstance(refused.request, TrainRequest)  # which opens no files of networks
        spec, files = refused.request.setup.model, self._window.files
        TrustDialog(self._window, spec, refused.message, lambda: files.trust(spec, refused.trust)).open()
