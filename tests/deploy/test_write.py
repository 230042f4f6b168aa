import json

import mxnet as mx
import numpy as np
import pytest
from networks import network

import gluon_attn
from gluon_attn.attention.factory import attention_options
from gluon_attn.data.transforms import normalize
from gluon_attn.deploy import export, predictor
from gluon_attn.deploy.check import compare
from gluon_attn.deploy.graph import trace
from gluon_attn.utils.errors import UserError

onnx = pytest.importorskip("onnx")

#: attentions in all nine blocks; the others are in the first block of each stage
WHOLE = {"se", "cbam", "dia"}
#: every pixel meets every other here, which in more blocks than the first would take long
FIRST = {"aa", "bot", "lambda"}


def with_attention(name):
    """Options of a ResNet with an attention in its slot."""
    slot = gluon_attn.get_attention(name, 16, **({"spatial": 32} if "spatial" in attention_options(name) else {})).slot
    if name in WHOLE or slot == "stage":
        return {"attention": name}
    scheme = "100000000" if name in FIRST else "100100100"
    return {"plan": gluon_attn.Plan([{"name": name, "slot": slot, "scheme": scheme}])}


VARIANTS = [
    *(pytest.param("cifar_resnet20_v1", with_attention(name), id=name) for name in gluon_attn.list_attentions()),
    *(
        ("atac_cifar_resnet", {"blocks": 1, "act_type": act})
        for act in ("relu", "prelu", "elu", "selu", "gelu", "swish", "ChaATAC")
    ),
    ("cifar_resnet20_v2", {"attention": "se", "drop_rate": 0.3}),
    ("cifar_resnet20_a", {"attention": "seq_atac"}),
    ("dia_cifar_resnet", {"depth": 20}),
    ("cifar_resnet20_v1", {"attention": {"name": "ge_theta_plus", "extent": 4}}),
    ("cifar_resnet20_v1", {"attention": {"name": "ge_theta_minus", "extent": 2}}),
    ("cifar_resnet20_v1", {"attention": {"name": "sge", "variant": "reference"}}),
]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(network, card, paths of both formats) of a small network with attention."""
    net, card = network("atac_cifar_resnet", blocks=1)
    folder = tmp_path_factory.mktemp("exported")
    return net, card, write_both(net, card, folder)


def write_both(net, card, folder):
    return {
        "symbol": export.export_symbol(net, card, folder / "net"),
        "onnx": export.export_onnx(net, card, folder / "net.onnx"),
    }


@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=str)
def test_both_formats_agree_with_the_network(tmp_path, name, options):
    net, card = network(name, **options)
    images = export.random_images(card, 3)
    expected = predictor.of_network(net, card).predict(images)
    paths = write_both(net, card, tmp_path)
    after = predictor.of_network(net, card).predict(images)
    assert net._active
    assert np.array_equal(after, expected)
    for path in paths.values():
        found = compare(path, images, expected)  # 3 images, where the export knew a batch of one
        assert found.good or found.difference <= 5 * rounding(net, card, images, expected)


def rounding(net, card, images, expected):
    """How far float32 is from float64 in this very network: sharp softmaxes, one behind the other, are beyond 1e-5."""
    net.cast("float64")
    exact = net(mx.nd.array(normalize(images, card.mean, card.std), dtype="float64")).asnumpy()
    return np.abs(expected - exact).max() / np.abs(exact).max()


def test_preprocessing_in_the_graph_is_the_pipelines(exported, tmp_path):
    net, card, paths = exported
    images = export.random_images(card, 4)
    expected = predictor.load(paths["symbol"]).predict(images)
    for kind, path in write_both(net, card.replace(preprocess=True), tmp_path).items():
        loaded = predictor.load(path)
        assert loaded.card.preprocess, kind
        assert abs(loaded.predict(images) - expected).max() <= 1e-5 * abs(expected).max(), kind
    model = onnx.load(str(tmp_path / "net.onnx"))
    kind = model.graph.input[0].type.tensor_type
    assert kind.elem_type == onnx.TensorProto.UINT8
    assert [dim.dim_param or dim.dim_value for dim in kind.shape.dim] == ["N", 32, 32, 3]


def test_preprocessing_alone_is_exact(exported):
    net, card, _ = exported
    graph = trace(net, card.replace(preprocess=True))
    normal = graph.symbol.get_internals()["pixels_normal_output"]
    images = export.random_images(card, 2)
    constants = {name: graph.args[name] for name in ("pixel_scale", "pixel_shift")}
    found = normal.bind(mx.cpu(), {"data": mx.nd.array(images, dtype=np.uint8), **constants}).forward()[0].asnumpy()
    assert np.array_equal(found, normalize(images, card.mean, card.std))


def test_onnx_file_is_in_order(exported):
    net, card, paths = exported
    model = onnx.load(str(paths["onnx"]))
    onnx.checker.check_model(model, full_check=True)
    assert [item.name for item in model.graph.input] == ["data"]
    assert [item.name for item in model.graph.output] == ["logits"]
    weights = sum(int(np.prod(p.shape)) for p in net.collect_params().values())
    assert sum(int(np.prod(tensor.dims)) for tensor in model.graph.initializer) == weights
    for value, rest in ((model.graph.input[0], [3, 32, 32]), (model.graph.output[0], [10])):
        assert [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim] == ["N", *rest]
    assert [item.version for item in model.opset_import] == [13]
    assert all(node.name for node in model.graph.node)
    assert {item.key: json.loads(item.value) for item in model.metadata_props} == {"gluon_attn.card": card.to_dict()}
    # plain operators only: what engines fuse
    assert not {node.op_type for node in model.graph.node} & {"MatMul", "Shape", "Expand", "Softmax"}


def test_the_exporters_own_warnings_are_not_shown(tmp_path, caplog):
    net, card = network("cifar_resnet20_v1", **with_attention("bat"))
    assert '"dot"' in trace(net, card, plain=True).symbol.tojson()  # of which MXNet's exporter warns
    export.export_onnx(net, card, tmp_path / "net.onnx")
    assert [record.name for record in caplog.records if record.name == "root"] == []


@pytest.mark.filterwarnings("ignore:Cannot decide type")
def test_symbol_files_are_mxnets_own(tmp_path):
    net, card = network("cifar_resnet20_v1")
    path = export.export_symbol(net, card, tmp_path / "net")
    x = mx.nd.array(normalize(export.random_images(card, 2), card.mean, card.std))
    block = mx.gluon.SymbolBlock.imports(str(path), ["data"], str(tmp_path / "net-0000.params"))
    assert np.array_equal(block(x).asnumpy(), net(x).asnumpy())
    symbol, args, aux = mx.model.load_checkpoint(str(tmp_path / "net"), 0)
    logits = symbol.bind(mx.cpu(), {"data": x, **args}, aux_states=aux).forward()[0].asnumpy()
    assert np.allclose(logits, net(x).asnumpy(), atol=1e-5 * abs(logits).max())


def test_names_do_not_depend_on_what_was_built_before(exported, tmp_path):
    _, _, paths = exported
    again = write_both(*network("atac_cifar_resnet", blocks=1), tmp_path)
    assert again["symbol"].read_bytes() == paths["symbol"].read_bytes()
    names = [[node.name for node in onnx.load(str(p)).graph.node] for p in (paths["onnx"], again["onnx"])]
    assert names[0] == names[1]
    assert len(set(names[0])) == len(names[0])


def test_a_scale_that_batchnorm_ignores_is_ignored_everywhere(tmp_path):
    net, card = network("atac_cifar_resnet", blocks=1, act_type="relu")
    net.features[0].gamma.set_data(mx.nd.array([5, 6, 7]))
    images = export.random_images(card, 2)
    expected = predictor.of_network(net, card).predict(images)
    assert all(compare(path, images, expected).good for path in write_both(net, card, tmp_path).values())


@pytest.mark.parametrize("attention", [None, "simam", "gc"])
def test_a_network_cast_to_half_is_exported_in_single_precision(tmp_path, attention):
    net, card = network("cifar_resnet20_v1", attention=attention)
    images = export.random_images(card, 2)
    net.cast("float16")
    graph = trace(net, card)
    assert {value.dtype for value in (*graph.args.values(), *graph.aux.values())} == {np.float32}
    write_both(net, card, tmp_path)
    net.cast("float32")
    expected = predictor.of_network(net, card).predict(images)
    assert all(compare(tmp_path / name, images, expected).good for name in ("net-symbol.json", "net.onnx"))


class Odd(mx.gluon.HybridBlock):
    """Gives what `function` makes of its input's mean over the pixels."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def hybrid_forward(self, F, x):
        return self.function(F, F.mean(x, axis=(2, 3)))


def test_what_cannot_be_exported_is_one_line(tmp_path):
    _, card = network("atac_cifar_resnet", blocks=1, act_type="relu")
    card = card.replace(classes=3)
    with pytest.raises(UserError, match=r"cannot be written as ONNX.*erfinv"):
        export.export_onnx(Odd(lambda F, x: F.erfinv(x)), card, tmp_path / "net.onnx")
    with pytest.raises(UserError, match="one output"):
        export.export_symbol(Odd(lambda F, x: [x, x + 1]), card, tmp_path / "net")
    with pytest.raises(UserError, match="no weights yet"):
        export.export_symbol(gluon_attn.get_model("cifar_resnet20_v1", 3), card, tmp_path / "net")
    assert not list(tmp_path.iterdir())
