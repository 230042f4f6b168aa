"""The network of a run, and the card that describes it."""

from ..config.card import Card
from ..utils.errors import UserError
from ..utils.log import get_logger
from ..utils.seed import seed_all


def make_network(config, data, devices, build=None):
    """The network of a run on its devices, initialized from the seed (He et al. 2015) or from a parameter file.

    The classifier of a file for another number of classes is left out, with a warning. build: makes the network of a
    `ModelConfig` (default: `models.build.build`).
    """
    import mxnet as mx

    from ..models import build as usual
    from ..models.pretrained import pretrained_path
    from ..nn.params import classifier, load_params

    model = config.model.replace(pretrained=None, use_pretrained=False)
    net = (build or usual.build)(model, data.classes, data.input_shape[1])
    start = config.model.pretrained
    if config.model.use_pretrained:
        start = pretrained_path(net.recipe, any_classes=True)
    seed_all(config.train.seed)
    net.initialize(mx.init.MSRAPrelu(), ctx=devices)
    if start:
        left_out = load_params(net, start, renewed=classifier(net, data.classes))
        if left_out:
            message = "%s is for another number of classes: %s start anew, for %d"
            get_logger().warning(message, start, " and ".join(left_out), data.classes)
    try_sizes(net, data.progressive_sizes, devices, f"model {config.model.model}")
    if config.train.summary:
        net.summary(mx.nd.zeros((1, *data.input_shape), ctx=devices[0]))
    return net


def try_sizes(net, sizes, devices, name):
    """A `UserError` that begins with `name` where the network, not hybridized, takes no images of one of the sizes.

    sizes: (height, width) of each.
    """
    import mxnet as mx

    for size in sizes:
        try:
            net(mx.nd.zeros((1, 3, *size), ctx=devices[0])).wait_to_read()
        except UserError as error:
            raise UserError(f"{name} takes no images of {'x'.join(map(str, size))}: {error}") from None


def named_network(name, params, dataset, options):
    """(hybridized network, `Source`) of a model with a parameter file; the data say how many classes it has.

    params: the file, or True for the published one. dataset, options: see `evaluation_set.open_named_set`.
    """
    from ..models.factory import get_model, model_info
    from .evaluation_data import open_named_set

    source = open_named_set(dataset, options, model_info(name).input_size)
    net = get_model(name, source.classes, pretrained=params, input_size=source.input_shape[1])
    net.hybridize(static_alloc=True)
    return net, source


def make_card(net, data):
    """The `Card` of a network that is trained on `data`."""
    return Card(
        **net.recipe,
        dataset=data.name,
        class_names=tuple(data.class_names),
        input_shape=data.input_shape,
        mean=tuple(data.mean),
        std=tuple(data.std),
    )
