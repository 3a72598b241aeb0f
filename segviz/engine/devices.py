"""What there is to compute on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from segviz.core.choices import Device
from segviz.core.errors import SegvizError

CONTROL_GROUP = Path("/sys/fs/cgroup")  # of this process, as a container sees it
SHARE = 0.6  # of the memory that is free: so much one piece of work may take


def pick(wanted: Device) -> torch.device:
    """The device that a person asked for. Raises SegvizError when this machine has none of its kind."""
    found = torch.accelerator.current_accelerator(check_available=True)
    if wanted is Device.AUTO:
        return found if found is not None else torch.device("cpu")
    if wanted is Device.CPU:
        return torch.device("cpu")
    if found is None or found.type != wanted.value:
        there = "the CPU alone" if found is None else f"{found.type} and the CPU"
        raise SegvizError(f"this machine has no device '{wanted}'; torch sees {there}: choose auto or cpu")
    return found


def text(device: torch.device) -> str:
    """A device for people: 'CPU, 2 threads'."""
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"CPU, {threads} thread{'s' if threads > 1 else ''}"
    return device.type.upper()


def synchronise(device: torch.device) -> None:
    """Wait for all that was begun on `device`: accelerators answer before they have computed, clocks must not."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute without other threads: those sleep until they are needed, and are slow to wake."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def let_go() -> None:
    """Give back what the accelerator's allocator keeps for later."""
    torch.accelerator.memory.empty_cache()


def available_bytes() -> int | None:
    """Memory that may be used without swapping; None where the system does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:  # noqa: PTH123 - not a file of ours
            facts = dict(line.split(":", 1) for line in lines)
        return min(int(facts["MemAvailable"].split()[0]) * 1024, _container_bytes())
    except (OSError, KeyError, ValueError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):
        return None


def _container_bytes() -> int:
    """What a container (control group, version 2) leaves; without a limit, more than any machine has.

    Files that were read stay in memory until it is needed for something else: the group counts them as
    used, and gives back those that nobody looked at again (`inactive_file`) before it swaps.
    """
    try:
        limit, used = (int((CONTROL_GROUP / f"memory.{name}").read_text()) for name in ("max", "current"))
        facts = dict(line.split() for line in (CONTROL_GROUP / "memory.stat").read_text().splitlines())
        return limit - used + int(facts.get("inactive_file", 0))
    except (OSError, ValueError):  # no control group, or 'max'
        return sys.maxsize


def fits(needed: int) -> bool:
    """Whether so many bytes may be used at once; True where the system does not tell."""
    there = available_bytes()
    return there is None or needed <= SHARE * there


def check_memory(needed: int, what: str, remedy: str = "lower the scale or take a smaller image") -> None:
    """Refuse what would not fit, before it is tried. Raises SegvizError with the numbers and the remedy."""
    there = available_bytes()
    if there is not None and needed > SHARE * there:
        raise SegvizError(
            f"{what} needs about {needed / 2**30:.1f} GiB, and {there / 2**30:.1f} GiB are free: {remedy}"
        )
