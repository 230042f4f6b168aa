"""The start of fine-tuning: a pretrained backbone that is frozen in the first epochs, and what is new beside it."""

from collections.abc import Collection

from mxnet.gluon import HybridBlock

from ..nn.params import classifier
from ..utils.errors import UserError
from ..utils.log import get_logger
from .callbacks import Callback
from .prepare_network import new_parameters, set_global_statistics
from .task import TrainingLoop


def pretrained_features(net: HybridBlock) -> list[str]:
    """Names of the parameters of a classifier that are pretrained and belong to its features, not to its last layer."""
    others = {*new_parameters(net), *classifier(net)}
    return [name for name in net._collect_params_with_prefix() if name not in others]


class FrozenStart(Callback):
    """Freezes parameters in the first epochs and trains them from then on.

    A batch norm whose running statistics are among them computes with these meanwhile, and does not update them.

    Args:
        names: structural names of the parameters; those that are not trained anyway stay as they are.
        epochs: number of epochs; 0: it does nothing.
    """

    def __init__(self, names: Collection[str], epochs: int) -> None:
        self._names, self._epochs = frozenset(names), epochs
        self._kept: dict[str, str] | None = None  # name -> grad_req to return to, while they are frozen
        self._norms: list[HybridBlock] = []
        self._added: frozenset[str] = frozenset()  # to what is frozen throughout

    def check(self, net: HybridBlock) -> None:
        """Check that something is left to train.

        Args:
            net: the network, with what is frozen throughout.

        Raises:
            UserError: nothing is.
        """
        others = [param for name, param in net._collect_params_with_prefix().items() if name not in self._names]
        if self._epochs and all(param.grad_req == "null" for param in others):
            raise UserError("option freeze_epochs leaves nothing to train in its epochs: leave it or option freeze out")

    def epoch_start(self, trainer: TrainingLoop) -> None:
        """Freeze, or train again, where that changes with this epoch; a resumed run may begin with any."""
        freezing = trainer.epoch < self._epochs
        if freezing == (self._kept is not None):
            return
        if freezing:
            self._freeze(trainer)
        else:
            self._thaw(trainer)
        trainer.forward = trainer.compiled(trainer.net)  # graphs know what they have gradients for

    def _freeze(self, trainer: TrainingLoop) -> None:
        params = trainer.net._collect_params_with_prefix()
        self._kept = {name: params[name].grad_req for name in self._names}
        for name in self._names:
            params[name].grad_req = "null"
        self._added = self._names - trainer.frozen
        trainer.frozen |= self._added
        self._norms = set_global_statistics(trainer.net, [params[name] for name in self._names])
        trained = sum(param.grad_req != "null" for param in params.values())
        text = "freeze_epochs: the pretrained backbone is frozen before epoch %d, %d tensors are trained meanwhile"
        get_logger().info(text, self._epochs, trained)

    def _thaw(self, trainer: TrainingLoop) -> None:
        params = trainer.net._collect_params_with_prefix()
        for name, request in (self._kept or {}).items():
            if params[name].grad_req != request:
                params[name].grad_req = request
        for norm in self._norms:
            norm._kwargs["use_global_stats"] = False
        trainer.frozen -= self._added
        self._kept = None
        if self._added:  # not all of it is frozen for good by option freeze
            get_logger().info("epoch %d: the backbone is trained from now on", trainer.epoch)
