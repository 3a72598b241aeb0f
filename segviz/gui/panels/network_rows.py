"""The rows of the network panel as plain values: what is said of each layer, and where it is folded away."""

from __future__ import annotations

import re
from dataclasses import dataclass

from segviz.core.field import Status
from segviz.core.folding import parents
from segviz.core.requests import ConvertedLayer, Layer, Network, Prediction
from segviz.gui import words
from segviz.gui.gestures import top_rows
from segviz.gui.unit_words import POOLED, THROUGH_GATES, averages


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `parent` is the row that it is folded into; `time` the share of the run's time, 0 to 1."""

    name: str
    label: str
    parent: str | None
    channels: int
    side: int  # longer side of a map, in units
    largest: int  # longer side of the network's input, in pixels
    shape: str
    stride: str
    field: str
    field_in_full: str
    parameters: str
    converted: str  # what the layer was and became, in full
    mark: str  # the same as short as can be
    tooltip: str
    time: float | None = None

    @property
    def spoken(self) -> str:
        """What a screen reader says."""
        return (
            f"{self.name}, output {self.shape}, stride {self.stride.strip('/')}, receptive field {self.field_in_full}"
        )


def mark_of(step: ConvertedLayer) -> str:
    """A conversion in two words: 'dense → 5×5 conv', 'left out', 'dense → conv'."""
    if step.after == "nothing":
        return "left out"
    kernel = re.search(r"(\d+)[x×](\d+)", step.after)
    size = f"{kernel[1]}×{kernel[2]} " if kernel else ""
    kind = "conv" if "conv" in step.after.lower() else step.after.split()[0]
    return f"{'dense ' if step.before.startswith('dense') else ''}→ {size}{kind}"


INPUT = "input"  # the row of the image itself; no layer


def rows_of(network: Network, seconds: dict[str, float] | None = None) -> tuple[Row, ...]:
    """The input, then every layer that is shown, containers before what they hold."""
    top = top_rows(network)
    held_by = parents(network)
    dissolved = _dissolved(network, top, held_by)
    converted = {step.layer: step for step in network.conversion}
    whole = sum((seconds or {}).values())
    found = [_input_row(network)]
    for layer in network.layers:
        if layer.name in dissolved:
            continue
        parent = None if layer.name in top else held_by[layer.name]
        share = _seconds(layer.name, seconds) / whole if seconds and whole > 0 else None
        found.append(_row(layer, parent, max(network.input_shape[1:]), converted.get(layer.name), share))
    return tuple(found)


def _dissolved(network: Network, top: tuple[str, ...], held_by: dict[str, str | None]) -> set[str]:
    """Containers above the top rows: they are shown by their blocks alone."""
    above: set[str] = set()
    for name in top:
        holder = held_by[name]
        while holder is not None:
            above.add(holder)
            holder = held_by[holder]
    return above


def _seconds(name: str, seconds: dict[str, float]) -> float:
    """The time of a layer: its own, or that of the leaves below it where only those were timed."""
    if name in seconds:
        return seconds[name]
    return sum(value for leaf, value in seconds.items() if leaf.startswith(name + "."))


def layer_seconds(network: Network | None, prediction: Prediction | None) -> dict[str, float]:
    """Time of each leaf of `network` in the newest prediction; empty when it is another network's."""
    if network is None or prediction is None or prediction.request.setup.model != network.request.setup.model:
        return {}
    leaves = {layer.name for layer in network.layers if layer.leaf}
    return {name: seconds for name, seconds in prediction.layer_seconds if name in leaves}


def _input_row(network: Network) -> Row:
    text = words.shape(network.input_shape)
    return Row(
        name=INPUT,
        label=INPUT,
        parent=None,
        channels=network.input_shape[0],
        side=max(network.input_shape[1:]),
        largest=max(network.input_shape[1:]),
        shape=text,
        stride="",
        field="",
        field_in_full="none",
        parameters="",
        converted="",
        mark="",
        tooltip=f"What the network is given: {text} (channels, rows, columns)",
    )


def _row(layer: Layer, parent: str | None, largest: int, step: ConvertedLayer | None, time: float | None) -> Row:
    label = layer.name.removeprefix(parent + ".") if parent else layer.name
    if label.isdigit() and step is None:  # a number alone tells a person nothing
        label = f"{label} {words.layer_type(layer.type)}"
    shape = shape_text(layer)
    stride = words.per_axis(layer.stride, "/") if layer.stride else ""
    return Row(
        name=layer.name,
        label=label,
        parent=parent,
        channels=layer.maps[0],
        side=max(layer.maps[1:]),
        largest=largest,
        shape=shape,
        stride=stride,
        field=field_text(layer),
        field_in_full=_field_in_full(layer),
        parameters=words.short_count(layer.parameters) if layer.parameters else "",
        converted=f"{step.before} → {step.after}" if step else "",
        mark=mark_of(step) if step else "",
        tooltip=_tooltip(layer, shape, step, time),
        time=time,
    )


def shape_text(layer: Layer) -> str:
    """What a layer answers with: maps as channels, rows, columns in whatever order its author has them."""
    reordered = sorted(layer.output_shape) == sorted(layer.maps)
    return words.shape(layer.maps if reordered else layer.output_shape)


def field_text(layer: Layer) -> str:
    """The side of a field as short as can be: 'all' for global averages, '+' for the whole image through gates."""
    if layer.status == Status.UNKNOWN or layer.size is None:
        return "?"
    if layer.status == Status.WHOLE and averages(layer.maps[1:]):
        return "all"
    return words.per_axis(layer.size) + ("+" if layer.status == Status.WHOLE else "")


def _field_in_full(layer: Layer) -> str:
    if layer.status == Status.UNKNOWN or layer.size is None:
        return "not known"
    if layer.status == Status.WHOLE and averages(layer.maps[1:]):
        return POOLED
    size = f"{words.size(layer.size[1], layer.size[0])} pixels of the network's input"
    return f"{size} {THROUGH_GATES}" if layer.status == Status.WHOLE else size


def _tooltip(layer: Layer, shape: str, step: ConvertedLayer | None, time: float | None) -> str:
    lines = [f"{layer.name}  ({words.layer_type(layer.type)})", f"Output: {shape} (channels, rows, columns)"]
    lines.append(f"Receptive field: {_field_in_full(layer)}")
    if layer.stride is not None:
        lines.append(f"Stride: {words.per_axis(layer.stride)} input pixels")
    if layer.start is not None:
        lines.append(f"Centre of unit 0: {words.point(*layer.start)}")
    lines.append(f"Parameters: {words.count(layer.parameters)}")
    lines.append(f"Multiplications: {words.count(layer.macs)}")
    if time is not None:
        lines.append(f"Time: {words.share(time)} of the run")
    if step is not None:
        lines.append(f"Made convolutional: {step.before} → {step.after}")
    return "\n".join((*lines, "[ and ] step through the layers"))
