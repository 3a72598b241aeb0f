"""What there is to compute on, and what is refused before it is tried."""

import sys

import pytest
import torch

from segviz.core.choices import Device
from segviz.core.errors import SegvizError
from segviz.engine import devices


@pytest.fixture
def no_accelerator(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: None)


@pytest.mark.parametrize("wanted", [Device.AUTO, Device.CPU])
def test_without_an_accelerator_the_processor_computes(no_accelerator, wanted):
    assert devices.pick(wanted) == torch.device("cpu")


@pytest.mark.parametrize("wanted", [Device.CUDA, Device.MPS])
def test_a_device_that_is_not_there_is_refused_by_name(no_accelerator, wanted):
    with pytest.raises(SegvizError, match=f"no device '{wanted}'; torch sees the CPU alone: choose auto or cpu"):
        devices.pick(wanted)


def test_the_accelerator_that_is_there_is_taken_unless_another_is_wanted(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: torch.device("cuda"))
    assert devices.pick(Device.AUTO) == devices.pick(Device.CUDA) == torch.device("cuda")
    assert devices.pick(Device.CPU) == torch.device("cpu")
    with pytest.raises(SegvizError, match="torch sees cuda and the CPU"):
        devices.pick(Device.MPS)


def test_clocks_wait_for_accelerators_alone(monkeypatch):
    waited = []
    monkeypatch.setattr(torch.accelerator, "synchronize", waited.append)
    devices.synchronise(torch.device("cpu"))
    devices.synchronise(torch.device("cuda"))
    assert waited == [torch.device("cuda")]


def test_what_would_not_fit_is_refused_with_the_numbers_and_the_remedy(monkeypatch):
    monkeypatch.setattr(devices, "available_bytes", lambda: 4 * 2**30)
    devices.check_memory(2 * 2**30, "LeNet-5")
    with pytest.raises(SegvizError, match=r"LeNet-5 needs about 3\.0 GiB, and 4\.0 GiB are free: lower the scale"):
        devices.check_memory(3 * 2**30, "LeNet-5")
    with pytest.raises(SegvizError, match="are free: take AlexNet"):
        devices.check_memory(3 * 2**30, "VGG19", "take AlexNet")


def test_where_the_system_does_not_tell_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(devices, "available_bytes", lambda: None)
    devices.check_memory(2**60, "LeNet-5")


def test_this_machine_has_some_memory():
    there = devices.available_bytes()
    assert there is not None
    assert 2**24 < there < 2**50


@pytest.fixture
def group(tmp_path, monkeypatch):
    """The files of a control group, written as they are given."""
    monkeypatch.setattr(devices, "CONTROL_GROUP", tmp_path)

    def write(**files):
        for name, text in files.items():
            (tmp_path / f"memory.{name}").write_text(text)

    return write


def test_files_that_were_read_do_not_take_a_containers_memory(group):
    group(max="1000000\n", current="900000\n", stat="anon 300000\nfile 600000\ninactive_file 500000\n")
    assert devices._container_bytes() == 600_000
    group(stat="anon 900000\n")
    assert devices._container_bytes() == 100_000


def test_a_group_without_a_limit_limits_nothing(group):
    assert devices._container_bytes() == sys.maxsize
    group(max="max\n", current="900000\n", stat="inactive_file 500000\n")
    assert devices._container_bytes() == sys.maxsize
