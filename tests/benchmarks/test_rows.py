"""The rows themselves: that they run, and that what they compare is what they say. No time is judged."""

from __future__ import annotations

import re

import pytest
import torch

from benchmarks import classics, lenet, memory, peers
from benchmarks.measure import Plan, Side, SkippedError, Times
from benchmarks.rows import ROWS, circumstances
from benchmarks.subjects import GEMM, Sliding, best_batch, network, noise, of_gemm
from segviz.engine.windows import Windows

QUICK = Plan(quick=True)


def test_rows_have_numbers_and_names_of_their_own():
    words = [word for row in ROWS for word in (row.number, row.name)]
    assert len(set(words)) == len(words)
    assert all(re.fullmatch(r"[a-z0-9-]+", row.name) for row in ROWS)


def test_a_real_row_in_a_quick_run():
    found = lenet.every_pixel(QUICK)
    assert [measure.name for measure in found.measures] == [
        "best batch / dense", "one by one / dense", "dense, of GEMM", "largest difference of probabilities",
    ]  # fmt: skip
    assert all(len(measure.samples) == 2 for measure in found.measures[:3])
    assert all(sample > 0 for measure in found.measures for sample in measure.samples)
    assert found.measures[3].median < 5e-6
    assert found.seconds.keys() == {lenet.DENSE, lenet.BATCHED, lenet.SINGLE, GEMM}


def test_circumstances_name_the_machine_and_the_versions():
    data = circumstances()
    assert data["machine"]["threads"] == torch.get_num_threads()
    assert {"segviz", "python", "torch", "numpy"} <= data["versions"].keys()


def test_a_network_that_is_not_in_the_catalogue_leaves_its_row_out():
    with pytest.raises(SkippedError, match="lenet6"):
        network("lenet6")


def test_a_peer_that_is_not_here_is_named():
    with pytest.raises(SkippedError, match="nobody is not installed here"):
        peers.needed("nobody.inferers")


def test_noise_is_the_same_in_every_run():
    assert torch.equal(noise(1, (5, 7)), noise(1, (5, 7)))
    assert noise(3, (5, 7)).is_contiguous(memory_format=torch.channels_last)


def test_a_share_of_the_windows_is_what_a_run_computes():
    seen = []

    class Counting(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(len(x))
            return x.flatten(1)

    windows = Windows(noise(1, (13, 10)), (4, 4), 1)  # 10 x 7
    sliding = Sliding(Counting(), windows, 5, 2)
    assert sliding.share == 10 / 70
    sliding()
    assert seen == [5, 5]
    assert Sliding(Counting(), windows, 1000).batch == 70


def test_the_best_batch_is_the_one_with_the_most_windows_a_second():
    now = [0.0]

    class Paced(torch.nn.Module):  # a second for a batch, and one more for every 8 windows above 16
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            now[0] += 1 + max(0, len(x) - 16) / 8
            return x.flatten(1)

    windows = Windows(noise(1, (13, 10)), (4, 4), 1)
    assert best_batch(Paced(), windows, (4, 16, 64, 256), lambda: now[0]) == 16


def test_percent_of_gemm():
    times = Times({GEMM: (2.0,), "walk": (4.0,)})
    assert of_gemm(times, "walk", 2048**3) == (50,)
    assert of_gemm(times, "walk", 4 * 2048**3) == (200,)


def test_the_plain_convolutional_form_answers_as_the_classifier():
    class Small(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.ReLU())
            self.avgpool = torch.nn.AdaptiveAvgPool2d(4)
            self.classifier = torch.nn.Sequential(torch.nn.Linear(48, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.classifier(self.avgpool(self.features(x)).flatten(1))

    torch.manual_seed(0)
    classifier, image = Small(), torch.rand(1, 1, 8, 9)
    with torch.inference_mode():
        maps = classics.fully_convolutional(classifier)(image)
        window = classifier(image[:, :, 2:8, 3:9])
    assert maps.shape == (1, 2, 3, 4)
    assert (maps[0, :, 2, 3] - window[0]).abs().max() < 1e-6


@pytest.mark.skipif(not memory.STATUS.exists(), reason="memory is read as Linux tells it")
def test_memory_is_that_of_a_walk_in_a_process_of_its_own():
    """LeNet-5's first maps alone take 6 x 1020 x 1020 x 4 bytes; in strips a part of that."""
    entire, streamed = (memory.extra_of("lenet5", (1024, 1024), kind) for kind in (True, False))
    assert entire > 6 * 1020 * 1020 * 4
    assert streamed < entire


def test_a_side_is_a_value():
    assert Side("a", print) == Side("a", print, 1.0, 1)
