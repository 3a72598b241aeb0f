"""Writes docs/licences.md from resources/SOURCES.toml: `python docs/licences.py`. A test keeps the two in step."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from segviz.core import assets  # noqa: E402 - found through the line above

PAGE = HERE / "licences.md"
HEAD = """# Licences

The code of segviz is under the MIT licence (`LICENSE`). What it ships besides has licences of its own, listed
here and in the window (Help, About segviz). The full texts are in `resources/LICENCES`; origin, hashes and what
was changed are in `resources/SOURCES.toml`, from which this page is made (`python docs/licences.py`).
"""
TITLES = {
    "model": "Networks",
    "image": "Images",
    "dataset": "Datasets",
    "labels": "Class names",
    "icons": "Icons",
}


def page() -> str:
    """The whole page as Markdown."""
    parts = [HEAD]
    for kind, sources in groupby(assets.sources(), key=lambda source: source.kind):
        parts += [
            f"## {TITLES.get(kind, kind.capitalize())}\n",
            "| file | what | from | licence |",
            "|---|---|---|---|",
        ]
        for source in sources:
            text = source.licence
            if source.licence_file:
                text = f"[{text}](../resources/LICENCES/{Path(source.licence_file).name})"
            cells = (f"`{source.file}`", source.what, source.origin, text)
            parts.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
