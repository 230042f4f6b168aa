"""Converters of MXNet operators that MXNet's own ONNX exporter does not know or writes badly, for operator set 13."""

import sys
import types
from typing import Any

from ..utils.optional import require

OPSET = 13
ROI_ALIGN = "_contrib_ROIAlign"


def register() -> None:
    """Make MXNet's exporter ready, with these converters, for this process. Calling it again changes nothing."""
    _restore_mapping()
    from mxnet.onnx.mx2onnx._export_onnx import MXNetGraph

    MXNetGraph.register("pick", OPSET)(convert_pick)
    MXNetGraph.register("_contrib_arange_like", OPSET)(convert_arange_like)
    MXNetGraph.register(ROI_ALIGN, OPSET)(convert_roi_align)


def _restore_mapping() -> None:
    """Put back the module onnx.mapping, removed in onnx 1.17: MXNet's exporter reads the numbers of types from it."""
    import numpy as np

    onnx: Any = require("onnx")
    if hasattr(onnx, "mapping"):
        return
    mapping = types.ModuleType("onnx.mapping")
    names = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32",
             "float64", "complex64", "complex128", "object")  # fmt: skip
    numbers = {np.dtype(name): onnx.helper.np_dtype_to_tensor_dtype(np.dtype(name)) for name in names}
    mapping.NP_TYPE_TO_TENSOR_TYPE = numbers  # type: ignore[attr-defined]
    mapping.TENSOR_TYPE_TO_NP_TYPE = {number: kind for kind, number in numbers.items()}  # type: ignore[attr-defined]
    onnx.mapping = sys.modules[mapping.__name__] = mapping


def convert_arange_like(node: dict[str, Any], **kwargs: Any) -> tuple[list[Any], tuple[Any, ...]]:
    """Convert `_contrib_arange_like` along an axis: integers from 0, then a cast.

    MXNet's own converter computes the length in floats; in an int8 network OpenVINO takes that for a quantized value,
    and the length comes out wrong.

    Args:
        node: The node in MXNet's JSON form.
        **kwargs: What MXNet's exporter passes to its converters.

    Returns:
        (ONNX nodes, dtypes of the outputs).
    """
    import numpy as np
    from mxnet.onnx.mx2onnx._op_translations._op_translations_opset12 import create_const_scalar_node
    from onnx.helper import make_node, np_dtype_to_tensor_dtype

    name, attrs = node["name"], node.get("attrs", {})
    numbers = [float(attrs.get(key, usual)) for key, usual in (("start", 0), ("step", 1), ("repeat", 1))]
    if numbers != [0, 1, 1] or attrs.get("axis", "None") == "None":
        raise NotImplementedError("arange_like other than along an axis, from 0 by 1")
    data = kwargs["outputs_lookup"][node["inputs"][0][0]][node["inputs"][0][1]]
    for what, number in (("axis", int(attrs["axis"])), ("zero", 0), ("one", 1)):
        create_const_scalar_node(f"{name}_{what}", np.int64(number), kwargs)
    nodes = [
        make_node("Shape", [data.name], [f"{name}_shape"]),
        make_node("Gather", [f"{name}_shape", f"{name}_axis"], [f"{name}_length"], axis=0),
        make_node("Range", [f"{name}_zero", f"{name}_length", f"{name}_one"], [f"{name}_whole"]),
        make_node("Cast", [f"{name}_whole"], [name], to=np_dtype_to_tensor_dtype(np.dtype(data.dtype))),
    ]
    return nodes, (data.dtype,)


def convert_pick(node: dict[str, Any], **kwargs: Any) -> tuple[list[Any], tuple[Any, ...]]:
    """Convert `pick`, which takes the element of `data` at `index` along an axis, to GatherElements.

    The index may have any dtype, with the axis (length 1) or without it; the axis may be negative. An index out of
    range is clipped, or with mode="wrap" taken modulo the length, as in MXNet.

    Args:
        node: The node in MXNet's JSON form.
        **kwargs: What MXNet's exporter passes to its converters.

    Returns:
        (ONNX nodes, dtypes of the outputs).
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


def convert_roi_align(node: dict[str, Any], **kwargs: Any) -> tuple[list[Any], tuple[Any, ...]]:
    """Convert `_contrib_ROIAlign` to RoiAlign of operator set 16; all rois belong to an image.

    MXNet's own converter knows neither aligned rois nor sampling that adapts to the roi.

    Args:
        node: The node in MXNet's JSON form.
        **kwargs: What MXNet's exporter passes to its converters.

    Returns:
        (ONNX nodes, dtypes of the outputs).
    """
    from mxnet.onnx.mx2onnx._op_translations._op_translations_opset12 import create_tensor
    from onnx import TensorProto
    from onnx.helper import make_node

    name, attrs = node["name"], node.get("attrs", {})
    data, rois = (kwargs["outputs_lookup"][source][output] for source, output, *_ in node["inputs"])
    if attrs.get("position_sensitive", "False") in ("True", "1"):
        raise NotImplementedError("ROIAlign with position_sensitive")
    height, width = (int(part) for part in attrs["pooled_size"].strip("()[]").split(","))
    aligned = attrs.get("aligned", "False") in ("True", "1")
    create_tensor([1, 4], f"{name}_parts", kwargs["initializer"])
    create_tensor([1], f"{name}_one", kwargs["initializer"])
    nodes = [
        make_node("Split", [rois.name, f"{name}_parts"], [f"{name}_number", f"{name}_corners"], axis=1),
        make_node("Squeeze", [f"{name}_number", f"{name}_one"], [f"{name}_line"]),
        make_node("Cast", [f"{name}_line"], [f"{name}_images"], to=TensorProto.INT64),
        make_node(
            "RoiAlign", [data.name, f"{name}_corners", f"{name}_images"], [name], mode="avg", output_height=height,
            output_width=width, sampling_ratio=max(int(attrs.get("sample_ratio", -1)), 0),
            spatial_scale=float(attrs["spatial_scale"]),
            coordinate_transformation_mode="half_pixel" if aligned else "output_half_pixel",
        ),
    ]  # fmt: skip
    return nodes, (data.dtype,)
