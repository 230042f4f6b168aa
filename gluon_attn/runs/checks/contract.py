"""What the package relies on beyond the numbers: options, states, a place in a network."""

import mxnet as mx

from ...attention.base import ATTENTIONS
from ...attention.factory import attention_options, get_attention
from ...models.factory import get_model
from ...models.plan import Plan
from ...utils.errors import UserError
from .case import Case, CheckFailed, NotChecked, plain_data, same
from .gradients import largest_gradient

_BACKBONE, _SIZE = "cifar_resnet20_v1", 32
_ROUNDING = 1e-3  # twenty layers, each with statistics of two images


def options_are_used(case: Case) -> None:
    """An impossible value of an option is refused, with a `UserError`, by whoever uses it.

    Raises:
        NotChecked: there are no options.
        CheckFailed: a value is taken, or is another error.
    """
    known = attention_options(case.name)
    if not known:
        raise NotChecked("it has no options")
    for option in known:
        try:
            get_attention(case.name, case.channels, **{option: object()})
        except UserError:
            continue
        except Exception as error:  # what its code stumbles over
            raise CheckFailed(f"an impossible {option} is a {type(error).__name__}, not a UserError") from None
        raise CheckFailed(f"option {option} takes anything: check its value, and use it")


def states(case: Case) -> float:
    """A state goes in and comes out: `block(x, *state)` gives (y, *state), `block(x)` begins with `begin_state`.

    Returns:
        The largest difference of y.

    Raises:
        NotChecked: it carries none.
        CheckFailed: a state is missing or changes its shape, or y is another.
    """
    block, x = case.make(), case.image(3)
    if not block.states:
        raise NotChecked("it carries no state")
    wanted, largest = block(x), 0.0
    for hybrid in (False, True):
        block.hybridize(hybrid)
        state = tuple(block.begin_state(mx.nd, x))
        y, *new = block(x, *state)
        if not len(state) == len(new) == block.states:
            raise CheckFailed(f"{len(state)} states begin, {len(new)} come out, it declares {block.states}")
        if [s.shape for s in state] != [s.shape for s in new]:
            raise CheckFailed("a state comes out in another shape than it went in")
        largest = max(largest, same(y, wanted, "y with a state", case.rtol, case.atol))
        again, *_ = block(x, *new)
        same(again, again, "y in the next block")  # finite
    return largest


def constant_start(case: Case) -> float:
    """With the zeros of its `constant_start` it multiplies every input by that number, and still learns.

    Returns:
        The largest difference from that.

    Raises:
        NotChecked: it has no such start.
        CheckFailed: it computes something else, or no parameter has a gradient.
    """
    block = case.make()
    start = block.constant_start()
    if start is None:
        raise NotChecked("it has none")
    x = case.image(3)
    start.apply()
    same(block(x), start.factor * x, f"{start.factor:g} x", case.rtol, case.atol)
    with mx.autograd.record():
        y = block(x)
        loss = (y * mx.nd.random.normal(shape=y.shape)).sum()
    difference = same(y, start.factor * x, f"{start.factor:g} x in training", case.rtol, case.atol)
    params = [param for param in block.collect_params().values() if param.grad_req != "null"]
    if params:
        loss.backward()
        if not any(param.grad().abs().sum().asscalar() for param in params):
            raise CheckFailed("no parameter has a gradient at the start without effect: it would never learn")
    return difference


def in_a_network(case: Case) -> float:
    """A network takes it in its slot, trains with it, and is described by plain data.

    Returns:
        The largest difference between the hybridized network and the imperative one.

    Raises:
        CheckFailed: it does not.
    """
    kind = ATTENTIONS.get(case.name)
    net = get_model(_BACKBONE, 10, attention={"name": case.name, **case.options})
    if not plain_data(net.recipe) or Plan.from_dict(net.recipe["plan"]).to_dict() != net.recipe["plan"]:
        raise CheckFailed("its options are no plain data: numbers, text, lists")
    net.initialize(mx.init.MSRAPrelu())
    x = mx.nd.random.normal(shape=(2, 3, _SIZE, _SIZE))
    net(x)  # a layer without a number of inputs has its weights only now
    if not largest_gradient(net, x):
        raise CheckFailed(f"no gradient comes through the {kind.slot} slot of {_BACKBONE}")
    outputs = []
    for hybrid in (False, True):
        net.hybridize(hybrid)
        mx.random.seed(1)  # of dropouts
        with mx.autograd.record():  # norms use the batch, as running statistics of an untrained network fit nothing
            outputs.append(net(x).asnumpy())
    wanted, got = outputs
    return same(got, wanted, f"{_BACKBONE} hybridized", 0, _ROUNDING * float(abs(wanted).max()))
