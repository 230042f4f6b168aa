"""`gluon-attn convert`: what it says, what it refuses, that nothing is written then."""

import sys

import mxnet as mx
import numpy as np
import pytest
from networks import network, write_run
from PIL import Image

from gluon_attn import get_model, load_params, save_params
from gluon_attn.cli import main
from gluon_attn.convert import reference_names, reference_state, save_reference
from gluon_attn.utils.optional import without_torch


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path, state):
    mx.nd.save(str(path), {name: mx.nd.array(value) for name, value in state.items()})


def values(net):
    return {path: param.data().asnumpy() for path, param in net._collect_params_with_prefix().items()}


@pytest.fixture
def theirs(here):
    """(network, its weights under timm's names)."""
    net = get_model("eca_resnet18", 7)
    net.initialize(mx.init.Xavier())
    state = reference_state(net, "timm")
    write(here / "in.params", {**state, "bn1.num_batches_tracked": np.ones(1)})
    return net, state


def convert(words, capsys):
    """(exit code, lines on stdout, the last on stderr)."""
    code = main(["convert", *words.split()])
    seen = capsys.readouterr()
    return code, seen.out.splitlines(), (seen.err.splitlines() or [""])[-1]


def test_it_says_what_it_read_mapped_and_left(theirs, here, capsys):
    code, lines, _ = convert("in.params out.params --source timm --model eca_resnet18", capsys)
    assert code == 0
    assert lines[0].startswith("read    in.params: MXNet parameters, 44.")
    assert lines[0].endswith(" MB, 111 tensors")
    assert lines[1] == "mapped  110 of them to 110 of eca_resnet18, 7 classes"  # classes as in the file
    assert lines[2] == "left    1 counters of batches"
    assert lines[3].startswith("wrote   out.params: 44.")
    again = get_model("eca_resnet18", 7, pretrained="out.params")
    before, after = values(theirs[0]), values(again)
    assert all((before[path] == after[path]).all() for path in before)


def test_a_network_made_of_flags(here, capsys):
    net = get_model("resnet18_v1b", 4, attention={"name": "se", "reduction": 8})
    net.initialize(mx.init.Xavier())
    write("in.params", reference_state_of(net))
    flags = "--model resnet18_v1b --attention se --attention-options reduction=8"
    code, lines, _ = convert(f"in.params out.params --source timm {flags}", capsys)
    assert (code, lines[1]) == (0, "mapped  134 of them to 134 of resnet18_v1b with se, 4 classes")


def test_a_network_that_computes_otherwise_than_theirs_is_told(here, capsys, caplog):
    net = get_model("mobilenet_v3_small", 4, input_size=32, epsilon=1e-5)
    net.initialize(mx.init.MSRAPrelu())
    net(mx.nd.zeros((1, 3, 32, 32)))
    write("in.params", reference_state(net, "timm"))
    code, lines, _ = convert("in.params out.params --source timm --model mobilenet_v3_small", capsys)
    assert code == 0
    told = "timm's network of these tensors computes with --model mobilenet_v3_small --model-options epsilon=1.0e-05"
    assert told in caplog.text
    caplog.clear()
    code, lines, _ = convert("in.params other.params --source timm", capsys)
    assert code == 0
    assert "note    timm's tf_mobilenetv3_small_100 have the same tensors and compute otherwise: not for" in lines[2]
    assert "computes with" not in caplog.text


def test_wrong_flags_lead_to_those_that_fit(here, capsys):
    net = get_model("regnety_800mf", 4)
    net.initialize(mx.init.MSRAPrelu())
    write("in.params", reference_state(net, "torchvision"))
    code, _, error = convert("in.params out.params --model regnety_400mf", capsys)
    assert code == 2
    assert error.endswith("; these fit: --model regnety_800mf")


def reference_state_of(net):
    own = net._collect_params_with_prefix()
    return {name: own[path].data().asnumpy() for path, name in reference_names(net, "timm").items()}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("none.pth out.params --source timm --model eca_resnet18", "error: file none.pth does not exist"),
        ("odd.params out.params", "the tensors do not tell which network the weights are of: name it with --model"),
        ("odd.params out.params --source timm", "the tensors do not tell which network the weights are of"),
        ("odd.params out.params --model eca_resnet18", "the weights are of another network; by the nearest names, "),
        ("in.params --to timm --model eca_resnet18", "name the file to write: .safetensors, .pth or .pt"),
        ("in.params out.params --attention se", "--attention is of the network that --model names: give both"),
        ("in.params out.params --source keras --model eca_resnet18", "error: unknown source 'keras'; choose from anas"),
        ("in.params out.params --source timm --model eca_resnet", "error: unknown model 'eca_resnet'"),
        (
            "in.params out.params --source timm --model resnet18_v1b",
            "the timm weights are of another network: they have",
        ),
        (
            "in.params out.params --source timm --model eca_resnet34",
            "the timm weights are of another network: they lack",
        ),
        ("in.params out.params --source timm --model eca_resnet18 --classes 9", "fc.weight has shape (7, 512) in the"),
        ("half.params out.params --source timm --model eca_resnet18", "half.params is damaged"),
        ("text out.params --source timm --model eca_resnet18", "text is no file of weights"),
        ("in.params out.params --source timm --model eca_resnet18 --check none.png", "image none.png does not exist"),
        ("in.params out.pth --to timm", "error: name the network of in.params with --model"),
        ("in.params out.pth --to timm --model eca_resnet18", "in.params is of another network"),
        (
            "in.params out.params --source timm --model eca_resnet18 --weights ema",
            "in.params has no EMA of the weights: leave out --weights",
        ),
        ("ours.params out.pth --to timm --model eca_resnet18 --weights raw", "error: --weights chooses from a"),
        ("ours.params out.bin --to timm --model eca_resnet18", "out.bin must end in one of .safetensors, .pth, .pt"),
        (
            "ours.params out.pth --to torchvision --model eca_resnet18",
            "torchvision has no network like this eca_resnet18",
        ),
        ("none out.pth --to timm --model eca_resnet18", "parameter file none does not exist"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(theirs, here, capsys, words, line):
    (here / "half.params").write_bytes((here / "in.params").read_bytes()[:-9])
    (here / "text").write_text("some text")
    write("odd.params", {"a.weight": np.ones((2, 2))})
    save_params(theirs[0], here / "ours.params")
    before = sorted(path.name for path in here.iterdir())
    code, _, error = convert(words, capsys)
    assert code == 2
    assert line in error
    assert sorted(path.name for path in here.iterdir()) == before


def test_wrappers_are_taken_off(theirs, here, capsys):
    wrapped = {f"module._orig_mod.{name}": value for name, value in theirs[1].items()}
    write("in.params", {"n_averaged": np.ones(1), **wrapped})
    code, lines, _ = convert("in.params out.params --source timm --model eca_resnet18", capsys)
    assert (code, lines[1]) == (0, "took    the tensors under module._orig_mod.")
    code, lines, _ = convert("in.params out.params --source timm", capsys)
    assert (code, lines[1]) == (0, "network --model resnet18_v1b --attention eca")
    write("in.params", {**{f"model.{name}": value for name, value in theirs[1].items()}, "loss.w": np.ones(1)})
    code, lines, _ = convert("in.params out.params --source timm --model eca_resnet18", capsys)
    assert (code, lines[1], lines[3]) == (0, "took    the tensors under model.", "left    loss.w")


def test_the_average_of_the_weights(theirs, here, capsys):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    raw = {name: torch.from_numpy(value.copy()) for name, value in theirs[1].items()}
    ema = {name: value + 1 for name, value in raw.items()}
    net = torch.nn.ParameterDict({name.replace(".", "-"): torch.nn.Parameter(value) for name, value in ema.items()})
    averaged = torch.optim.swa_utils.AveragedModel(net).state_dict()  # n_averaged and module.
    averaged = {name.replace("-", "."): value for name, value in averaged.items()}
    torch.save({"epoch": 1, "state_dict": raw, "state_dict_ema": averaged}, "in.pth")
    flags = "in.pth out.params --model eca_resnet18"
    ema_line = "took    state_dict_ema, the moving average (EMA) of the weights; --weights raw takes state_dict"
    raw_line = "took    state_dict, the weights of the last step; --weights ema takes state_dict_ema"
    for words, added, line in (
        ("--source timm", 1, ema_line),
        ("--source timm --weights ema", 1, ema_line),
        ("--source timm --weights raw", 0, raw_line),
    ):
        code, lines, _ = convert(f"{flags} {words}", capsys)
        assert (code, lines[1]) == (0, line)
        assert (lines[2] == "took    the tensors under module.") == bool(added)
        got = values(get_model("eca_resnet18", 7, pretrained="out.params"))["fc.weight"]
        assert (got == theirs[1]["fc.weight"] + added).all()


def test_an_optimizers_pickle_is_not_read(here, capsys):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    net = get_model("cifar_resnet20_v1", 3)
    net.initialize()
    trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"momentum": 0.9})
    trainer._init_kvstore()
    trainer.save_states("a.states")
    code, _, error = convert("a.states out.params --source gluoncv --model cifar_resnet20_v1", capsys)
    assert code == 2
    assert "a.states" in error
    assert not (here / "out.params").exists()


def test_without_pytorch_the_extra_is_named(here, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    (here / "a.pth").write_bytes(b"PK\x03\x04" + b"0" * 30)
    code, _, error = convert("a.pth out.params --source timm --model eca_resnet18", capsys)
    assert code == 2
    assert "torch is needed for this: pip install 'gluon-attn[torch]'" in error


def test_there_and_back_through_a_run_folder(here, capsys):
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    net, card = network("eca_resnet18", 3)
    write_run(here / "run", net, card)
    code, lines, _ = convert("run out.safetensors --to timm", capsys)
    assert code == 0
    assert lines[0] == "read    run: eca_resnet18, 3 classes"
    made = "timm.create_model('resnet18', num_classes=3, block_args={'attn_layer': 'eca'})"
    assert lines[1] == f"mapped  110 tensors to {made}"
    assert convert("out.safetensors back.params --source timm --model eca_resnet18", capsys)[0] == 0
    assert (here / "back.params").read_bytes() == (here / "run/best.params").read_bytes()
    save_params(net, "ours.params")  # classes from the file
    assert convert("ours.params again.safetensors --to timm --model eca_resnet18", capsys)[0] == 0
    assert (here / "again.safetensors").read_bytes() == (here / "out.safetensors").read_bytes()


def test_both_sides_see_the_same_weights(here, capsys):
    """Those that were chosen, without wrappers."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    timm = pytest.importorskip("timm", reason="timm is not installed")
    Image.fromarray(np.random.randint(0, 255, (40, 50, 3), "uint8")).save("a.png")
    raw, ema = (timm.create_model("resnet18", num_classes=6).state_dict() for _ in range(2))
    ema = {f"module.{name}": value for name, value in ema.items()}
    torch.save({"state_dict": raw, "state_dict_ema": ema}, "in.pth")
    for words in ("", " --weights raw"):
        flags = f"--source timm --model resnet18_v1b --check a.png{words}"
        code, lines, _ = convert(f"in.pth out.params {flags}", capsys)
        assert code == 0
        assert float(lines[-1].split()[2]) < 1e-5


def test_both_sides_see_an_image(here, capsys):
    with without_torch():
        from gluoncv import model_zoo

    Image.fromarray(np.random.randint(0, 255, (40, 50, 3), "uint8")).save("a.png")
    net = model_zoo.get_model("cifar_resnet20_v1", classes=6)
    net.initialize(mx.init.Xavier())
    net(mx.nd.zeros((1, 3, 32, 32)))
    net.save_parameters("in.params")
    flags = "--source gluoncv --model cifar_resnet20_v1 --check a.png"
    code, lines, _ = convert(f"in.params out.params {flags}", capsys)
    assert code == 0
    assert lines[4].split("  ")[0] == "ours"
    assert lines[4].removeprefix("ours    ") == lines[5].removeprefix("theirs  ").rpartition(", by ")[0]
    assert float(lines[6].split()[2]) < 1e-6
    load_params(get_model("cifar_resnet20_v1", 6), "out.params")


def test_what_cannot_be_compared_is_said(theirs, here, capsys, monkeypatch):
    Image.fromarray(np.zeros((40, 50, 3), "uint8")).save("a.png")
    flags = "--model eca_resnet18 --check a.png"
    monkeypatch.setitem(sys.modules, "timm", None)
    code, lines, _ = convert(f"in.params out.params --source timm {flags}", capsys)
    assert (code, lines[5]) == (0, "theirs  not compared: timm is not installed")
    code, lines, _ = convert(f"in.params out.params --source ecanet {flags}", capsys)
    assert code == 2  # timm's names are not its


def test_saved_files_are_whole_or_not_there(theirs, here, monkeypatch):
    monkeypatch.setattr("gluon_attn.convert.to_reference.write_weights", lambda path, state: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_reference(theirs[0], here / "out.safetensors", "timm")
    assert sorted(path.name for path in here.iterdir()) == ["in.params"]
