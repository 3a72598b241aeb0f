"""What verbs say and ask: reports on standard output, notes and progress on standard error."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

from segviz.core import catalogue
from segviz.core.cams import CamAnswer, CamRequest
from segviz.core.contributions import ContributionAnswer, ContributionRequest
from segviz.core.effective import EffectiveField, EffectiveRequest
from segviz.core.entries import Entry
from segviz.core.errors import clean
from segviz.core.measured import MeasuredField, MeasureRequest
from segviz.core.races import RaceRequest, RaceResult, RaceUpdate
from segviz.core.refusals import lacks_memory, shortage
from segviz.core.requests import (
    Answer,
    Badge,
    DescribeRequest,
    ExamineRequest,
    FeatureMaps,
    FeatureRequest,
    Network,
    PartialLabels,
    Prediction,
    Progress,
    Request,
    SegmentRequest,
    Setup,
    Update,
)
from segviz.core.specs import Kind, parse
from segviz.core.top_patches import TopUpdate

if TYPE_CHECKING:
    from segviz.engine.run import Engine


@dataclass(frozen=True, slots=True)
class Report:
    """What a verb found: for machines, and for people."""

    data: Mapping[str, Any] | None = None
    text: str = ""
    status: int = 0


def as_json(data: Mapping[str, Any]) -> str:
    """`data` as one JSON object; numbers that JSON does not know (NaN, infinity) become null."""
    return json.dumps(_plain(data), indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


class Console:
    """Standard error of one command, and the engine that it asks (started at the first ask)."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self._engine: Engine | None = None

    def note(self, text: str) -> None:
        """A remark that nobody must read."""
        if text and not self.quiet:
            print(f"note: {clean(text)}", file=sys.stderr)

    def complain(self, text: str) -> None:
        """One line about what failed, while the rest goes on."""
        print(f"segviz: {' '.join(clean(text).split())}", file=sys.stderr)

    @overload
    def ask(self, request: DescribeRequest) -> Network: ...
    @overload
    def ask(self, request: SegmentRequest) -> Prediction: ...
    @overload
    def ask(self, request: FeatureRequest) -> FeatureMaps: ...
    @overload
    def ask(self, request: RaceRequest) -> RaceResult: ...
    @overload
    def ask(self, request: ExamineRequest) -> Badge: ...
    @overload
    def ask(self, request: EffectiveRequest) -> EffectiveField: ...
    @overload
    def ask(self, request: CamRequest) -> CamAnswer: ...
    @overload
    def ask(self, request: MeasureRequest) -> MeasuredField: ...
    @overload
    def ask(self, request: ContributionRequest) -> ContributionAnswer: ...

    def ask(self, request: Request) -> Answer:
        """Run `request` in this process, with a progress bar. Raises SegvizError as the engine does."""
        run = self._started().run(request)
        with Bar(self.quiet) as bar:
            while True:
                try:
                    update = next(run)
                except StopIteration as end:
                    answer: Answer = end.value
                    return answer
                except (MemoryError, RuntimeError) as error:
                    if not lacks_memory(error):
                        raise
                    raise shortage(error, request) from error
                bar.show(update)

    def _started(self) -> Engine:
        if self._engine is None:
            from segviz.engine.run import Engine  # torch: only once it is needed

            self._engine = Engine()
        return self._engine

    def entry(self, spec: str, trust: bool) -> Entry:
        """What is known of a network: as the catalogue has it; any other is opened to find out."""
        if parse(spec).kind is Kind.CATALOGUE:
            return catalogue.entry(spec)
        return self._started().entry(Setup(spec, trust=trust))


class Bar:
    """A progress bar on standard error: on a terminal only, made at the first update."""

    def __init__(self, quiet: bool) -> None:
        self._silent = quiet or not sys.stderr.isatty()
        self._bar: Any = None
        self._title = ""

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def show(self, update: Update, beside: str = "") -> None:
        """Move the bar, with a few words beside it; another side of a race begins a new one."""
        if self._silent:
            return
        title, progress = _progress(update)
        if title != self._title:
            self._close()
        if self._bar is None:
            from tqdm import tqdm

            self._title = title
            self._bar = tqdm(desc=title or None, unit=" " + (progress.unit or "steps"), leave=False, file=sys.stderr)
        self._bar.total = progress.total
        self._bar.n = progress.done
        self._bar.set_postfix_str(beside, refresh=False)
        self._bar.refresh()


def _progress(update: Update) -> tuple[str, Progress]:
    if isinstance(update, RaceUpdate):
        return update.side.replace("_", " "), update.partial.progress
    if isinstance(update, PartialLabels | TopUpdate):
        return "", update.progress
    return "", update
