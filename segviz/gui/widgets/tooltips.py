"""Tooltips that show foreign text as it is: Qt would read the name of a file, `<b>x</b>.png`, as markup."""

from __future__ import annotations

from html import escape

from PySide6.QtGui import Qt


def plain(text: str) -> str:
    """`text` for `setToolTip`, letter by letter."""
    if not Qt.mightBeRichText(text):
        return text
    return f'<p style="white-space: pre-wrap">{escape(text, quote=False)}</p>'
