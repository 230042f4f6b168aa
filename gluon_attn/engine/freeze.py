"""Parts of a network that stay as they are."""

import re

from mxnet.gluon import nn

from ..nn.params import classifier
from ..utils.errors import UserError

#: the pattern for all but the classifier
FEATURES = "features"


def freeze(net, pattern):
    """Exclude parameters from training; returns their structural names.

    pattern: a regular expression that matches from the start of the name, such as `features.[0-4]`; `features` alone
    means all but the classifier, whatever its name. A norm whose running statistics match computes with them, as in
    evaluation, and leaves them alone.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UserError(f"--freeze {pattern}: no regular expression ({error})") from None
    params = net._collect_params_with_prefix()
    trained = [name for name, param in params.items() if param.grad_req != "null"]
    found = {name for name in params if expression.match(name)}
    if pattern == FEATURES and not found:
        found = set(params).difference(classifier(net))
    if not found:
        raise UserError(f"--freeze {pattern} matches no parameter; names are such as {', '.join(trained[:3])}")
    if found.issuperset(trained):
        raise UserError(f"--freeze {pattern} matches every parameter: nothing would be trained")
    for name in found:
        params[name].grad_req = "null"
    still = {id(params[name]) for name in found}

    def fix(block):
        if isinstance(block, nn.BatchNorm) and id(block.running_mean) in still:
            block._kwargs["use_global_stats"] = True

    net.apply(fix)
    return found
