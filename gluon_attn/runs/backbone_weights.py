"""The weights that a detector starts from: those of a classifier for its backbone, or of a whole detector."""

import mxnet as mx

from ..models.detection import Detector
from ..nn.params import few, fill, load_params, read_params
from ..utils.errors import UserError
from ..utils.log import get_logger

_WHOLE = "body."  # how the names of a detector's own parameters begin


def start_from(net: Detector, path: str) -> None:
    """Fill a detector's backbone from the parameter file of a classification network, or all of it from a detector's.

    The classifier of the file is left out, and so are a detector's last layers for another number of classes, which is
    said.

    Args:
        net: the detector, initialized.
        path: the parameter file.

    Raises:
        UserError: the file is of another network.
    """
    tensors = read_params(path)
    if any(name.startswith(_WHOLE) for name in tensors):
        left_out = load_params(net, path, renewed=_of_classes(net))
        if left_out:
            layers = dict.fromkeys(name.rpartition(".")[0] for name in left_out)
            text = "%s is for another number of classes: %s are initialized anew"
            get_logger().warning(text, path, ", ".join(layers))
        return
    params = net.body.backbone._collect_params_with_prefix()
    lacking = sorted(set(params) - set(tensors))
    if lacking:
        raise UserError(f"{path} is of another network than the detector's backbone: it lacks {few(lacking)}")
    left_out = sorted(set(tensors) - set(params))
    for name, param in params.items():
        value: mx.nd.NDArray = tensors[name]
        if param.shape != value.shape:
            raise UserError(f"{path}: {name} has shape {value.shape}, the detector's backbone {param.shape}")
        fill(param, value, param.list_ctx())
    if left_out:
        get_logger().info("%s: left out %s, which a detector does not have", path, few(left_out))


def _of_classes(net: Detector) -> list[str]:
    """Names of the parameters whose first length follows from the number of classes."""
    layers = ["box_head.cls_score", "box_head.bbox_pred"]
    if net.mask_head:
        layers.append("mask_head.mask_fcn_logits")
    return [f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]
