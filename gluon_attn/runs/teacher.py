"""The network that a run learns from."""

from pathlib import Path

from ..utils.errors import UserError
from .network import try_sizes


def make_teacher(config, data, devices):
    """The trained network that a `DistillConfig` names, on the run's devices, or None where it names none.

    A run folder must have been trained on images that were normalized as those of `data`, with as many classes. A
    model's weights come from `config.teacher_params`. What does not fit is a `UserError`.
    """
    if not config.teacher:
        return None
    folder = Path(config.teacher)
    by_name = config.teacher_params or not (folder.is_dir() or len(folder.parts) > 1)
    net = _named(config, data) if by_name else _from_run(folder, data)
    net.collect_params().setattr("grad_req", "null")
    net.collect_params().reset_ctx(devices)
    net.hybridize(False)
    try_sizes(net, [data.input_shape[1:], *data.progressive_sizes], devices, f"teacher {config.teacher}")
    return net


def _named(config, data):
    from ..models.factory import get_model

    weights = config.teacher_params or True
    return get_model(config.teacher, data.classes, pretrained=weights, input_size=data.input_shape[1])


def _from_run(folder, data):
    from ..deploy.load_run import load_run

    net, card = load_run(folder)
    if card.classes != data.classes:
        raise UserError(f"teacher {folder} has {card.classes} classes, the data have {data.classes}")
    for what in ("mean", "std"):
        own, here = getattr(card, what), tuple(getattr(data, what))
        if own != here:
            raise UserError(f"teacher {folder} was trained with images normalized by {what} {own}, here it is {here}")
    return net
