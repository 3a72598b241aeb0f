"""`segviz models`: the catalogue."""

from __future__ import annotations

import argparse
from typing import Any

from segviz.cli.console import Console, Report
from segviz.cli.table import count, table
from segviz.core import catalogue
from segviz.core.entries import Entry

HINT = "list the networks that segviz brings"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser  # nothing but what every verb has


def run(options: argparse.Namespace, console: Console) -> Report:
    del options, console
    return Report({"models": [_described(entry) for entry in catalogue.ENTRIES]}, _text())


def _described(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "title": entry.title,
        "task": entry.task.value,
        "parameters": entry.parameters,
        "input_size": entry.input_size,
        "classes": entry.class_count,
        "stride": entry.stride,
        "receptive_field": entry.receptive_field or None,
        "weights": entry.weights_text,
        "licence": entry.licence,
        "summary": entry.summary,
        "options": list(entry.variants),
        "source": entry.source,
    }


def _text() -> str:
    head = ("name", "task", "what it knows", "weights", "input", "classes", "parameters", "stride", "field")
    rows = [
        (
            entry.name,
            entry.task.title,
            entry.summary,
            "trained" if entry.trained else entry.weights_text,
            "x".join(str(n) for n in entry.input_size),
            count(entry.class_count),
            count(entry.parameters),
            str(entry.stride),
            str(entry.receptive_field) if entry.receptive_field else "whole",
        )
        for entry in catalogue.ENTRIES
    ]
    options = [f"{entry.name}?{option}" for entry in catalogue.ENTRIES for option in entry.variants]
    return table(head, rows, left=4) + f"\n\nWith options: {', '.join(options)}"
