"""The rows of the what-if table as plain values: windows that can be changed, and what follows from them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from segviz.core.folding import Folding
from segviz.core.network_picture import Part
from segviz.core.paddings import Margins, PaddingFinder, PaddingRule
from segviz.core.requests import Layer, Network
from segviz.core.what_if import LARGEST, Edit, EditRefused, WhatIf, editable, edited, padding_for_size
from segviz.gui import words
from segviz.gui.names import sentence
from segviz.gui.panels.network_rows import field_text, shape_text
from segviz.gui.widgets.what_if_table import UNKNOWN


@dataclass(frozen=True, slots=True)
class Value:
    """What a layer has in the real network, and what it would have; `now` is `was` where nothing moves."""

    was: str
    now: str

    @property
    def moved(self) -> bool:
        return self.now != self.was

    @property
    def text(self) -> str:
        return f"{self.was} → {self.now}" if self.moved else self.was


@dataclass(frozen=True, slots=True)
class WhatIfRow:
    """One layer. `window` is what it has by now, None where none can be changed; `real` what it has in the network.

    `pads` are the rows and columns that it puts around its maps by now, None where that is not known.
    """

    name: str
    type: str
    window: Edit | None
    real: Edit | None
    output: Value
    grid: Value
    stride: Value
    field: Value
    macs: Value
    pads: Margins | None = None
    refusal: str = ""

    @property
    def edited(self) -> bool:
        return self.window != self.real

    def part(self, part: Part) -> Value:
        """One part of the window; nothing where the layer has none."""
        if self.window is None or self.real is None:
            return Value("", "")
        return Value(*(size_text(getattr(window, part)) for window in (self.real, self.window)))


@dataclass(frozen=True)
class Outcome:
    """The table, and the network that it is about: `network` has the edits, or is the real one where they are refused.

    `refusal` says why, `at` is the layer that it is about, `remedy` what would help, '' where that is not known.
    """

    rows: tuple[WhatIfRow, ...]
    network: Network
    edits: Mapping[str, Edit]
    refusal: str = ""
    at: str = ""
    remedy: str = ""


def outcome(network: Network, folding: Folding, edits: Mapping[str, Edit]) -> Outcome:
    """What follows from `edits`. Where they are refused, all is still known of the layers before."""
    windows = editable(network)
    known = {name: edit for name, edit in edits.items() if windows.get(name, edit) != edit}
    found: WhatIf | None
    try:
        found, refusal, at = edited(network, known), "", ""
    except EditRefused as error:
        refusal, at = str(error), error.layer
        found = _before(network, known, at)
    new = {layer.name: layer for layer in found.layers} if found is not None else {}
    told = _told(network, folding)
    paddings = PaddingFinder(found.geometry) if found is not None else None
    rows = tuple(
        _row(layer, new.get(layer.name), windows.get(layer.name), known.get(layer.name), paddings) for layer in told
    )
    if refusal:
        shown_at = _row_of(network, told, at)
        rows = tuple(replace(row, refusal=sentence(refusal)) if row.name == shown_at else row for row in rows)
    if not refusal and found is not None and known:
        network = replace(network, layers=found.layers, geometry=found.geometry, macs=found.macs)
    return Outcome(rows, network, known, sentence(refusal) if refusal else "", at, _remedy(network, windows, known, at))


def _row_of(network: Network, told: Sequence[Layer], at: str) -> str:
    """The row that a refusal stands below: that of its layer; of a block's sum, the last row before the sum."""
    ends = dict(network.geometry.layers)
    before = [layer.name for layer in told if ends.get(layer.name, ends[at] + 1) <= ends[at]]
    return at if at in before else max(before, key=ends.__getitem__, default=told[0].name)


def _remedy(network: Network, windows: Mapping[str, Edit], edits: Mapping[str, Edit], at: str) -> str:
    """Which padding would keep the size where it has moved before `at`, which refuses it; '' where none would help."""
    for name in [name for name in windows if at and name in edits]:
        padding = padding_for_size(windows[name], edits[name])
        if padding is not None and padding != edits[name].padding:
            helped = {**edits, name: replace(edits[name], padding=padding)}
            if _refuses(network, helped) != at:
                return f"padding {size_text(padding)} at {name} would keep the size"
    return ""


def _refuses(network: Network, edits: Mapping[str, Edit]) -> str:
    """The layer that cannot be with these edits; '' where all can."""
    try:
        edited(network, edits)
    except EditRefused as error:
        return error.layer
    return ""


def _told(network: Network, folding: Folding) -> list[Layer]:
    """The layers that have a row: one for each volume, however it is folded."""
    known = {layer.name: layer for layer in network.layers}
    return [known[name] for name in folding.mains if name in known]


def _before(network: Network, edits: Mapping[str, Edit], at: str) -> WhatIf | None:
    """What follows from `edits` for the layers before `at`, which refuses them; None where there are none."""
    geometry = network.geometry
    cut = geometry.index(at)
    layers = tuple((name, index) for name, index in geometry.layers if index < cut)
    if not layers:
        return None
    last, end = max(layers, key=lambda layer: layer[1])
    names = {name for name, _ in layers}
    part = replace(
        network,
        layers=tuple(layer for layer in network.layers if layer.name in names),
        geometry=replace(geometry, nodes=geometry.nodes[: end + 1], layers=layers, last=last),
    )
    return edited(part, {name: edit for name, edit in edits.items() if name in names})


def _row(
    was: Layer, now: Layer | None, real: Edit | None, edit: Edit | None, paddings: PaddingFinder | None
) -> WhatIfRow:
    def value(text: str, new: str) -> Value:
        return Value(text, new if now is not None or not text else UNKNOWN)

    there = now if now is not None else was
    return WhatIfRow(
        was.name,
        was.type,
        edit or real,
        real,
        value(shape_text(was), shape_text(there)),
        value(grid_text(was), grid_text(there)),
        value(_stride(was), _stride(there)),
        value(field_text(was), field_text(there)),
        value(_macs(was), _macs(there)),
        paddings.around(was.name) if paddings is not None and now is not None and real is not None else None,
    )


def size_text(size: tuple[int, int] | PaddingRule) -> str:
    """A part of a window as it stands in the table: '3', '5 × 3', 'same'."""
    return size.value if isinstance(size, PaddingRule) else words.per_axis(size)


def grid_text(layer: Layer) -> str:
    """Rows and columns as short as can be: '56²', '45×60'; '' of what has none."""
    if len(layer.output_shape) != 3:
        return ""
    _, rows, columns = layer.maps
    return f"{rows}²" if rows == columns else f"{rows}×{columns}"


def _stride(layer: Layer) -> str:
    return words.per_axis(layer.stride, "/") if layer.stride is not None else ""


def _macs(layer: Layer) -> str:
    return words.short_count(layer.macs) if layer.macs else ""


def read_size(text: str, part: Part) -> tuple[int, int] | PaddingRule | None:
    """(y, x) of what a person types: '3', or width × height as '5×3', '5x3', '5 3'; 'same'; None where it is none."""
    if part is Part.PADDING and text.strip().lower() == PaddingRule.SAME:
        return PaddingRule.SAME
    numbers = re.findall(r"\d+", text)
    if not 1 <= len(numbers) <= 2 or re.search(r"[^\d\s×x*,;]", text):
        return None
    x, y = int(numbers[0]), int(numbers[-1])
    return (y, x) if part.least <= min(y, x) and max(y, x) <= LARGEST else None


def as_table(found: Outcome) -> list[list[object]]:
    """The rows for a spreadsheet: what is real and what would be, side by side."""
    head: list[object] = ["layer", "type", *(part.value for part in Part)]
    for name in ("output", "stride", "field", "multiply-adds"):
        head += [name, f"{name} then"]
    rows = [head]
    for row in found.rows:
        cells: list[object] = [row.name, row.type, *(row.part(part).now for part in Part)]
        for value in (row.output, row.stride, row.field, row.macs):
            cells += [value.was, value.now]
        rows.append([str(cell).replace(words.NARROW, " ") for cell in cells])
    return rows
