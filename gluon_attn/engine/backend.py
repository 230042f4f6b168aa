"""One process or several: what training needs of Horovod, in the only file that imports it.

Each process has its own share of the data and one device. Gradients are summed over the processes and divided by the
images of all, so a step is that of one process with the whole batch. Process 0 writes the files.
"""

import contextlib
import ipaddress
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import mxnet as mx
from mxnet import gluon
from mxnet.gluon import HybridBlock, Parameter

from ..config.optim import OptimConfig
from ..utils.errors import PeerError, UserError
from ..utils.optional import require
from .heartbeat import open_line
from .watchdog import checkpoint_named, sigterm_as_error, watched

#: variables in which launchers say how many processes they started in all; the first that is set counts
WORLD_SIZE = ("HOROVOD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
#: messages of a step on a CPU: each costs the cores time, and the first goes while the backward pass goes on
_CPU_GROUPS = 2


def connect(environ: Mapping[str, str] = os.environ) -> "Backend":
    """The backend of this process: Horovod's where a launcher started several processes, else that of one process.

    Args:
        environ: environment variables, which a launcher sets for its processes.

    Raises:
        UserError: Horovod is missing, or does not see the other processes.
    """
    size = next((environ[name] for name in WORLD_SIZE if environ.get(name)), "1")
    if not size.isdecimal() or int(size) <= 1:
        return Backend()
    found = Horovod()
    if found.size != int(size):  # a Horovod without MPI under mpirun: each process would train on its own
        raise UserError(
            f"{size} processes were started but Horovod sees {found.size}: start them with horovodrun --gloo"
        )
    return found


class Backend:
    """A run in one process, and the interface of both kinds of run.

    Attributes:
        rank: number of this process, from 0 to size - 1.
        size: number of processes.
        local_rank: number of this process on its host.
    """

    rank, size, local_rank = 0, 1, 0

    def make_trainer(
        self,
        params: Sequence[Parameter],
        optimizer: mx.optimizer.Optimizer,
        config: OptimConfig,
        name: str = "gradients",
    ) -> gluon.Trainer:
        """A Gluon trainer whose `allreduce_grads` sums gradients over devices and processes.

        Args:
            params: what it updates.
            optimizer: how.
            config: how gradients are sent.
            name: of its messages, another one for each trainer.
        """
        return gluon.Trainer(params, optimizer, update_on_kvstore=False)

    def broadcast(self, net: HybridBlock) -> None:
        """Give every process the weights and running statistics of process 0."""

    def allreduce_sum(self, numbers: Iterable[float]) -> list[float]:
        """Sum each of the numbers over the processes. Waits for all processes."""
        return list(numbers)

    def allreduce_mean(self, arrays: Sequence[mx.nd.NDArray]) -> None:
        """Replace each array by its mean over the processes, in place."""

    def allreduce(self, name: str, array: mx.nd.NDArray) -> mx.nd.NDArray:
        """Sum an array over the processes. Calls may come in any order of names and from any thread.

        Args:
            name: of the array; all processes use the same names.
            array: the summand of this process.

        Returns:
            The sum, a new array unless there is one process only.
        """
        return array

    def barrier(self) -> None:
        """Wait until every process is here."""
        self.allreduce_sum([0.0])

    def peer_failures(self) -> contextlib.AbstractContextManager:
        """A context in which the end of another process is a `PeerError`."""
        return contextlib.nullcontext()

    def watched(self, folder: Path | str) -> contextlib.AbstractContextManager:
        """A context in which what ends the run is reported with the newest checkpoint in `folder`."""
        return checkpoint_named(folder)


class Horovod(Backend):
    """A run in several processes, started by `horovodrun` or `mpirun`."""

    def __init__(self) -> None:
        _check_host_name(os.environ)
        if not mx.context.num_gpus():  # by default it polls for messages every millisecond, which takes CPU time
            os.environ.setdefault("HOROVOD_CYCLE_TIME", "10")
        self._hvd = _library()
        self._hvd.init()
        self.rank, self.size, self.local_rank = self._hvd.rank(), self._hvd.size(), self._hvd.local_rank()

    def make_trainer(
        self,
        params: Sequence[Parameter],
        optimizer: mx.optimizer.Optimizer,
        config: OptimConfig,
        name: str = "gradients",
    ) -> gluon.Trainer:
        """See `Backend.make_trainer`; gradients are sent one by one or in groups, as `config` says."""
        return _HorovodTrainer(self._hvd, params, optimizer, config, name)

    def broadcast(self, net: HybridBlock) -> None:
        """See `Backend.broadcast`."""
        params = net._collect_params_with_prefix()
        # copies: inference brings weights into oneDNN's own layout, which Horovod cannot send
        arrays = {name: param.list_data()[0].copy() for name, param in params.items()}
        self._hvd.broadcast_parameters(arrays, root_rank=0)
        for name, array in arrays.items():
            params[name].set_data(array)

    def allreduce_sum(self, numbers: Iterable[float]) -> list[float]:
        """See `Backend.allreduce_sum`; the sums are in float64."""
        array = mx.nd.array(list(numbers), dtype="float64")
        return self._hvd.allreduce(array, op=self._hvd.Sum, name="numbers").asnumpy().tolist()

    def allreduce(self, name: str, array: mx.nd.NDArray) -> mx.nd.NDArray:
        """See `Backend.allreduce`."""
        return self._hvd.allreduce(array, op=self._hvd.Sum, name=name)

    def allreduce_mean(self, arrays: Sequence[mx.nd.NDArray]) -> None:
        """See `Backend.allreduce_mean`."""
        for number, array in enumerate(arrays):
            array[:] = self._hvd.allreduce(array, op=self._hvd.Sum, name=f"mean.{number}") / self.size
        for array in arrays:  # a name must not be used again before its message is done
            array.wait_to_read()

    @contextlib.contextmanager
    def peer_failures(self) -> Iterator[None]:
        """See `Backend.peer_failures`; errors of Horovod, Gloo and NCCL count as the end of another process."""
        with sigterm_as_error():
            try:
                yield
            except mx.MXNetError as error:
                text = str(error).lower()
                if not any(word in text for word in ("horovod", "gloo", "nccl", "connection")):
                    raise
                with contextlib.suppress(mx.MXNetError):  # otherwise pending operations fail again when Python ends
                    mx.nd.waitall()
                raise PeerError("another process of this run has ended or cannot be reached") from error

    def watched(self, folder: Path | str) -> contextlib.AbstractContextManager:
        """See `Backend.watched`; the watchdog reports what this process cannot. Waits for all processes."""
        return checkpoint_named(folder, watched(folder, open_line(self.rank, self.allreduce_sum)))


def _check_host_name(environ: Mapping[str, str]) -> None:
    """Horovod's Gloo tells other hosts what this host's name stands for, whatever interface it is given.

    Where that is a loopback address, as in Debian's /etc/hosts, Gloo ends the process without an exception.
    """
    size, on_this_host = (int(environ.get(name) or 1) for name in ("HOROVOD_SIZE", "HOROVOD_LOCAL_SIZE"))
    if size == on_this_host or environ.get("HOROVOD_CONTROLLER") != "gloo":
        return
    name = socket.gethostname()
    try:
        address = socket.gethostbyname(name)
    except OSError:
        address = "no address"
    if address == "no address" or ipaddress.ip_address(address).is_loopback:
        raise UserError(
            f"other hosts cannot reach this one: its name {name} stands for {address}; give it its address in the "
            "network in /etc/hosts"
        )


def _library():
    try:
        return require("horovod.mxnet")
    except UserError as error:
        raise UserError(f"several processes need Horovod, which make horovod builds ({error})") from None


class _HorovodTrainer(gluon.Trainer):
    """Sums gradients over the processes: one by one as they come, or in groups, as the `OptimConfig` says.

    In groups on a CPU by default.
    """

    def __init__(self, hvd, params, optimizer, config, name):
        super().__init__(params, optimizer, kvstore=None, update_on_kvstore=False)
        self._hvd, self._name = hvd, name
        self._groups, self._half = config.num_groups, config.fp16_allreduce

    def _allreduce_grads(self):
        grads = [param.list_grad()[0] for param in self._params if param.grad_req != "null"]
        sent = [grad.astype("float16", copy=False) for grad in grads] if self._half else grads
        groups = self._groups
        if groups is None:
            groups = _CPU_GROUPS if grads and grads[0].context.device_type == "cpu" else 0
        for number, group in enumerate(_grouped(sent, groups)):
            self._hvd.grouped_allreduce_(group, op=self._hvd.Sum, name=f"{self._name}.{number}", priority=-number)
        for grad, half in zip(grads, sent, strict=True):
            if half is not grad:
                mx.nd.cast(half, dtype=grad.dtype, out=grad)


def _grouped(arrays, groups):
    """Lists of arrays of one dtype, in order: `groups` of about as many arrays, or each array by itself with 0."""
    groups = min(groups, len(arrays)) or len(arrays)
    for number in range(groups):
        part = arrays[number * len(arrays) // groups : (number + 1) * len(arrays) // groups]
        for dtype in sorted({str(array.dtype) for array in part}):
            yield [array for array in part if str(array.dtype) == dtype]
