"""Converters of MXNet operators that MXNet's own ONNX exporter does not know, for operator set 13."""

OPSET = 13


def register():
    """Make the converters known to MXNet's exporter, for this process. Calling it again changes nothing."""
    from mxnet.onnx.mx2onnx._export_onnx import MXNetGraph

    MXNetGraph.register("pick", OPSET)(convert_pick)


def convert_pick(node, **kwargs):
    """(nodes, dtypes) for `pick`: one element of `data` along an axis, where `index` says, by GatherElements.

    The index may be of any number type, with the axis (length 1) or without it; the axis counts from either end.
    An index outside is clipped, or with mode="wrap" counted modulo the length, as MXNet does.
    """
    from mxnet.onnx.mx2onnx._op_translations._op_translations_opset12 import create_tensor
    from onnx import TensorProto
    from onnx.helper import make_node

    name, attrs = node["name"], node.get("attrs", {})
    data, index = (kwargs["outputs_lookup"][source][output] for source, output, *_ in node["inputs"])
    axis, kept = int(attrs.get("axis", -1)), attrs.get("keepdims") in ("True", "1")
    create_tensor([axis], f"{name}_axis", kwargs["initializer"])
    create_tensor([1], f"{name}_one", kwargs["initializer"])
    nodes = [
        make_node("Cast", [index.name], [f"{name}_whole"], to=TensorProto.INT64),
        make_node("Shape", [data.name], [f"{name}_shape"]),
        make_node("Gather", [f"{name}_shape", f"{name}_axis"], [f"{name}_length"], axis=0),
    ]
    if attrs.get("mode") == "wrap":
        nodes.append(make_node("Mod", [f"{name}_whole", f"{name}_length"], [f"{name}_inside"]))
    else:
        create_tensor([0], f"{name}_zero", kwargs["initializer"])
        nodes += [
            make_node("Sub", [f"{name}_length", f"{name}_one"], [f"{name}_last"]),
            make_node("Max", [f"{name}_whole", f"{name}_zero"], [f"{name}_positive"]),
            make_node("Min", [f"{name}_positive", f"{name}_last"], [f"{name}_inside"]),
        ]
    # GatherElements wants an index with as many axes as the data; the exporter does not say whether it has them
    picked = name if kept else f"{name}_picked"
    nodes += [
        make_node("ScatterElements", [f"{name}_shape", f"{name}_axis", f"{name}_one"], [f"{name}_line"]),
        make_node("Reshape", [f"{name}_inside", f"{name}_line"], [f"{name}_index"]),
        make_node("GatherElements", [data.name, f"{name}_index"], [picked], axis=axis),
    ]
    if not kept:
        nodes.append(make_node("Squeeze", [picked, f"{name}_axis"], [name]))
    return nodes, (data.dtype,)
