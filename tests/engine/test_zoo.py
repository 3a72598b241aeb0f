"""Networks of the public zoos by name: their facts, their weights, and what is said where one is not there."""

import importlib
import sys

import pytest
import safetensors.torch
import torch
from torch import nn

from segviz.core.choices import Device, Pooling, Task
from segviz.core.errors import LONGEST_MESSAGE, SegvizError, UsageError
from segviz.core.requests import DescribeRequest, Setup
from segviz.core.specs import parse
from segviz.engine import zoo, zoo_weights
from segviz.engine.flow import finished
from segviz.engine.networks import file_of
from segviz.engine.opening import opened
from segviz.engine.run import Engine
from segviz.engine.store import Store

pytestmark = pytest.mark.filterwarnings("ignore")  # the libraries' own, about how they call each other

SMALL = {
    "torchvision": ("squeezenet1_1", "shufflenet_v2_x0_5", "mnasnet0_5", "mobilenet_v3_small", "resnet18"),
    "timm": ("test_resnet", "test_vit", "test_efficientnet", "botnet26t_256"),
    "smp": ("unet/mobilenet_v2", "fpn/resnet18", "manet/mobilenet_v2"),
}
LIBRARIES = {"torchvision": "torchvision", "timm": "timm", "smp": "segmentation_models_pytorch"}
EXTRA = "of the extra 'zoo', which the tests do not need"


def needs(kind):
    return pytest.importorskip(LIBRARIES[kind], reason=EXTRA)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in SMALL.items() for name in names])
def test_a_network_opens_and_is_described(kind, name):
    needs(kind)
    engine, spec = Engine(), f"{kind}:{name}"
    network = finished(engine.describe(DescribeRequest(Setup(spec), converted=False)))
    loaded = engine.store.network(spec, Pooling.AUTO, Device.AUTO)
    assert network.total_parameters == sum(p.numel() for p in loaded.network.parameters())
    assert not loaded.network.training
    assert all(tensor.dtype is torch.float32 for tensor in loaded.network.parameters())
    entry = loaded.entry
    assert len(entry.classes) == entry.class_count
    with torch.inference_mode():
        answer = loaded.network(torch.rand(1, *entry.input_size))
    assert answer.shape[1] == (1 if entry.sigmoid else entry.class_count)
    assert entry.caution  # random weights are no knowledge


def test_random_weights_are_the_same_every_time_and_leave_the_process_alone():
    needs("torchvision")
    torch.manual_seed(7)
    state = torch.random.get_rng_state()
    one, other = (opened("torchvision:squeezenet1_1").network.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_layers_that_a_library_starts_at_zero_are_drawn():
    class Asleep(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(8, 4)
            nn.init.zeros_(self.head.weight)

    assert zoo.seeded(Asleep).head.weight.abs().min() > 0


def test_facts_are_those_of_the_library():
    needs("torchvision")
    entry = opened("torchvision:resnet18").entry
    assert (entry.title, entry.task, entry.class_count) == ("ResNet18", Task.CLASSIFICATION, 1000)
    assert entry.classes[483] == "castle"
    assert entry.preprocessing.mean == pytest.approx((123.675, 116.28, 103.53))
    assert entry.preprocessing.std == pytest.approx((58.395, 57.12, 57.375))
    assert (entry.parameters, entry.longest_side) == (11_689_512, 512)
    segmenter = opened("torchvision:lraspp_mobilenet_v3_large").entry
    assert (segmenter.task, segmenter.class_count, segmenter.longest_side) == (Task.SEGMENTATION, 21, 520)
    assert (segmenter.classes[0], segmenter.parameters) == ("__background__", 3_221_538)  # oracles, and the next
    assert opened("torchvision:deeplabv3_mobilenet_v3_large").entry.parameters == 11_025_477


def test_facts_of_timm_and_smp():
    needs("timm")
    assert opened("timm:test_vit").entry.input_size == (3, 160, 160)
    assert opened("timm:test_vit").entry.classes[483] == "castle"
    needs("smp")
    entry = opened("smp:fpn/resnet18").entry
    assert (entry.multiple, entry.sigmoid, entry.classes) == (32, True, ("background", "object"))
    assert opened("smp:fpn/resnet18?classes=3").entry.classes == ("class 0", "class 1", "class 2")


def test_titles_are_for_people():
    names = {
        "SqueezeNet1_1": "SqueezeNet1.1",
        "ResNeXt101_32X8D": "ResNeXt101 32X8D",
        "RegNet_X_1_6GF": "RegNet X 1.6GF",
    }
    assert {name: zoo._title(name) for name in names} == names


def test_another_number_of_classes():
    needs("torchvision")
    entry = opened("torchvision:squeezenet1_1?classes=7").entry
    assert entry.classes == tuple(f"class {n}" for n in range(7))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("torchvision:resnet19", "did you mean resnet18"),
        ("torchvision:fasterrcnn_resnet50_fpn", "no classifier or segmentation network"),
        ("torchvision:resnet18?color=red", "no option 'color=red'"),
        ("torchvision:resnet18?classes=0", "classes=0"),
        ("torchvision:resnet18?classes=5&weights=default", "for 1000 classes, not 5"),
        ("timm:resnet19", "did you mean"),
        ("timm:resnet18.nothing", "Invalid pretrained tag"),
        ("smp:unett/resnet18", "did you mean unet"),
        ("smp:unet/resnet19", "did you mean unet/resnet18"),
        ("smp:dpt/resnet18", "cannot be built"),
    ],
)
def test_what_is_not_there_is_named(spec, words):
    needs(spec.partition(":")[0])
    with pytest.raises(SegvizError, match=words.replace("(", r"\(")) as caught:
        opened(spec)
    assert len(str(caught.value)) <= LONGEST_MESSAGE


@pytest.mark.parametrize("kind", LIBRARIES)
def test_a_library_that_is_missing_is_named_with_the_command(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, LIBRARIES[kind], None)
    with pytest.raises(SegvizError, match=r"pip install 'segviz-lab\[zoo\]'"):
        opened(f"{kind}:resnet18")


def test_a_torchvision_of_another_torch_is_named(monkeypatch):
    def broken(name):
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(importlib, "import_module", broken)
    with pytest.raises(SegvizError, match="must match torch"):
        zoo.package("torchvision", parse("torchvision:resnet18"))


def test_a_network_that_does_not_fit_into_memory_is_refused_before_it_is_built(monkeypatch):
    needs("torchvision")
    monkeypatch.setattr(zoo.devices, "available_bytes", lambda: 2**20)
    monkeypatch.setattr(zoo, "seeded", lambda build: pytest.fail("built all the same"))
    with pytest.raises(SegvizError, match="12 M parameters"):
        opened("torchvision:resnet18")


# -------------------------------------------------------------------------------------- weights


def test_weights_of_a_file(tmp_path):
    needs("torchvision")
    network = opened("torchvision:squeezenet1_1").network
    state = {name: tensor + 1 for name, tensor in network.state_dict().items()}
    safetensors.torch.save_file(state, tmp_path / "net.safetensors")
    found = opened(f"torchvision:squeezenet1_1?weights={tmp_path / 'net.safetensors'}")
    assert all(torch.equal(tensor, state[name]) for name, tensor in found.network.state_dict().items())
    assert found.entry.trained
    with pytest.raises(SegvizError, match="not the weights of resnet18"):
        opened(f"torchvision:resnet18?weights={tmp_path / 'net.safetensors'}")


def test_torchvision_s_own_weights_come_through_its_own_cache(tmp_path, monkeypatch):
    """Written where torch.hub keeps them, as if they had been fetched: nothing is fetched then."""
    models = needs("torchvision").models
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    facts = models.SqueezeNet1_1_Weights.DEFAULT
    (tmp_path / "checkpoints").mkdir()
    state = models.squeezenet1_1(weights=None).state_dict()
    torch.save(state, tmp_path / "checkpoints" / zoo_weights.name_of(facts))
    found = opened("torchvision:squeezenet1_1?weights=default")
    assert torch.equal(found.network.state_dict()["features.0.weight"], state["features.0.weight"])
    assert found.entry.weights == zoo_weights.name_of(facts)
    assert not found.entry.caution


def test_fetched_weights_may_not_run_code(tmp_path, monkeypatch):
    models = needs("torchvision").models
    ran = []

    class Bomb:
        def __reduce__(self):
            return ran.append, (1,)

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    torch.save({"bomb": Bomb()}, tmp_path / "checkpoints" / zoo_weights.name_of(models.AlexNet_Weights.DEFAULT))
    with pytest.raises(SegvizError):
        opened("torchvision:alexnet?weights=default")
    assert not ran


def test_off_line_the_file_and_its_place_are_named(tmp_path, monkeypatch):
    needs("torchvision")

    def offline(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(SegvizError) as caught:
        opened("torchvision:squeezenet1_1?weights=default")
    assert "squeezenet1_1-b8a52dc0.pth" in str(caught.value)
    assert str(tmp_path / "checkpoints") in caught.value.details


def test_the_store_takes_default_for_no_file_of_yours(tmp_path, monkeypatch):
    """As the window and every verb ask: off-line the message is of the library's file, and once it lies there it opens.

    `weights=default` was looked for as a file of this name.
    """
    models = needs("torchvision").models
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *args, **kwargs: (_ for _ in ()).throw(OSError()))
    asked = ("torchvision:squeezenet1_1?weights=default", Pooling.AUTO, Device.AUTO)
    name, folder = zoo_weights.name_of(models.SqueezeNet1_1_Weights.DEFAULT), tmp_path / "checkpoints"
    store = Store()
    with pytest.raises(SegvizError, match=f"could not be fetched .*{name} at .*{name}"):
        store.network(*asked)
    folder.mkdir(exist_ok=True)
    torch.save(models.squeezenet1_1(weights=None).state_dict(), folder / name)
    assert store.network(*asked).entry.weights == name


@pytest.mark.parametrize(
    ("spec", "file"),
    [
        ("torchvision:resnet18?weights=default", None),
        ("timm:resnet18?weights=default", None),
        ("smp:unet/resnet18?weights=default", None),
        ("timm:resnet18?weights=default.pth", "default.pth"),
        ("vgg16?weights=default", "default"),  # segviz's own have no other weights to fetch
        ("net.pth", "net.pth"),
        ("torchvision:resnet18", None),
    ],
)
def test_which_file_a_spec_has_its_weights_from(spec, file):
    assert file_of(parse(spec)) == file


def test_weights_of_timm_that_a_person_put_there_by_hand(tmp_path, monkeypatch):
    timm = needs("timm")
    monkeypatch.setattr(zoo_weights.folders, "cache", lambda: tmp_path)
    monkeypatch.setattr(zoo_weights.socket, "getaddrinfo", lambda *args: (_ for _ in ()).throw(OSError("offline")))
    monkeypatch.setattr(zoo_weights.urllib.request, "getproxies", dict)
    with pytest.raises(SegvizError, match="could not be fetched") as caught:
        opened("timm:test_resnet?weights=default")
    path = zoo_weights.placed("timm-test_resnet.r160_in1k")
    assert str(path) in caught.value.details
    state = timm.create_model("test_resnet").state_dict()
    path.parent.mkdir()
    safetensors.torch.save_file(state, path)
    found = opened("timm:test_resnet?weights=default")
    assert all(torch.equal(tensor, state[name]) for name, tensor in found.network.state_dict().items())


def test_weights_of_an_encoder_leave_the_decoder_random(tmp_path, monkeypatch):
    needs("smp")
    monkeypatch.setattr(zoo_weights.folders, "cache", lambda: tmp_path)
    encoder = opened("smp:fpn/resnet18").network.encoder
    state = {name: tensor + 1 for name, tensor in encoder.state_dict().items()}
    (tmp_path / "weights").mkdir()
    safetensors.torch.save_file(state, zoo_weights.placed("smp-resnet18"))
    found = opened("smp:fpn/resnet18?weights=default")
    assert torch.equal(found.network.encoder.state_dict()["conv1.weight"], state["conv1.weight"])
    assert found.entry.caution
    assert "decoder" in found.notes[0]


def test_options_that_are_wrong_words_are_wrong_usage():
    needs("torchvision")
    with pytest.raises(UsageError):
        opened("torchvision:resnet18?classes=many")


def test_a_transformer_is_opened_though_it_cannot_be_converted():
    needs("timm")
    loaded = Store().network("timm:test_vit", Pooling.AUTO, Device.CPU)
    assert not loaded.convertible
    assert "cannot become a convolution" in loaded.refusal


def test_a_network_for_one_size_is_built_for_the_size_that_it_is_described_with(monkeypatch):
    """torchvision builds `vit_h_14` for 224 without its weights, and these are for 518."""
    needs("torchvision")
    asked = {}

    def make(name, weights, **options):
        asked.update(options)
        return nn.Sequential(nn.Flatten(), nn.Linear(3, 1000))

    monkeypatch.setattr("torchvision.models.get_model", make)
    monkeypatch.setattr("segviz.engine.zoo._check_memory", lambda *needed: None)
    assert opened("torchvision:vit_h_14").entry.input_size == (3, 518, 518)
    assert asked["image_size"] == 518
    assert opened("torchvision:vit_b_32").entry.input_size[1] == asked["image_size"] == 224


@pytest.mark.parametrize(("encoder", "mean"), [("resnet18", 123.675), ("xception", 127.5), ("dpn68", 124.0)])
def test_a_file_of_an_encoder_is_given_the_pixels_that_its_weights_want(encoder, mean, tmp_path, monkeypatch):
    needs("smp")
    monkeypatch.setattr(zoo_weights, "placed", lambda name: tmp_path / name)
    monkeypatch.setattr(zoo_weights, "read_tensors", lambda path: {})
    monkeypatch.setattr(zoo_weights, "load_into", lambda *given: None)
    (tmp_path / f"smp-{encoder}").touch()
    network = nn.Module()
    network.encoder = nn.Identity()
    encoders = importlib.import_module("segmentation_models_pytorch").encoders
    found = zoo_weights.of_smp(parse(f"smp:unet/{encoder}"), encoder, encoders, lambda **more: network)
    assert found[1].mean[0] == pytest.approx(mean)
