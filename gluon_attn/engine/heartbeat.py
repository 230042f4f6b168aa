"""Heartbeats between the watchdogs of a run on several hosts, so that a host whose link is cut is noticed.

A cut link gives no error: nothing comes any more. Gloo notices that after HOROVOD_GLOO_TIMEOUT_SECONDS, but then fails
all pending operations at once, which can crash MXNet. So the watchdog of process 0 and that of each other process send
each other a byte now and then, and one that has heard nothing for two thirds of that time ends its process.
"""

import contextlib
import os
import selectors
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

_BEATS = 8  # in the time after which silence is an error
_TOKEN = 6  # bytes: a float64 holds them exactly


@dataclass(frozen=True)
class Line:
    """How the watchdog of this process reaches the others.

    Attributes:
        address: of process 0, where its watchdog listens.
        port: of process 0.
        token: what a watchdog says first; others that find the port are not listened to.
        seconds: silence that is an error.
        listener: file descriptor of the socket of process 0, None in other processes.
    """

    address: str
    port: int
    token: int
    seconds: float
    listener: int | None = None

    def words(self) -> list[str]:
        """The line as command-line words; `Line.parse` reads them."""
        listener = -1 if self.listener is None else self.listener
        return [self.address, *map(str, (self.port, self.token, self.seconds, listener))]

    @classmethod
    def parse(cls, words: list[str]) -> "Line":
        """The inverse of `words`."""
        listener = int(words[4])
        return cls(words[0], int(words[1]), int(words[2]), float(words[3]), None if listener < 0 else listener)


def open_line(
    rank: int, allreduce_sum: Callable[[Iterable[float]], list[float]], environ: Mapping[str, str] = os.environ
) -> Line | None:
    """The line between the processes of a run; None where no launcher has said how they reach each other.

    Waits for all processes. The port is open until the descriptor `listener` is closed.

    Args:
        rank: number of this process.
        allreduce_sum: sums numbers over the processes.
        environ: environment variables, which Horovod's launcher sets.
    """
    launcher = environ.get("HOROVOD_GLOO_RENDEZVOUS_ADDR")
    if not launcher:
        return None
    own, listener = [0, 0, 0], None
    if not rank:
        server = socket.create_server((_address_towards(launcher), 0), backlog=128)
        address, port = server.getsockname()
        own = [int.from_bytes(socket.inet_aton(address), "big"), port, int.from_bytes(os.urandom(_TOKEN), "big")]
        listener = server.detach()
    number, port, token = map(int, allreduce_sum(own))
    seconds = float(environ.get("HOROVOD_GLOO_TIMEOUT_SECONDS") or 30) * 2 / 3
    return Line(socket.inet_ntoa(number.to_bytes(4, "big")), port, token, seconds, listener)


def _address_towards(other):
    """The address of this host on the network in which it reaches `other`; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((other, 9))
        return probe.getsockname()[0]


def listen(line: Line, lost: Callable[[str], None]) -> None:
    """Send heartbeats and listen to those of others, until one falls silent.

    A connection that is closed is forgotten: the end of a process is noticed by Horovod.

    Args:
        line: from `open_line`.
        lost: called with the address of the host that has fallen silent.
    """
    with selectors.DefaultSelector() as selector:
        if line.listener is None:
            try:
                peer = socket.create_connection((line.address, line.port), timeout=line.seconds)
            except OSError:  # a network that lets Gloo pass only; Gloo has a timeout, too
                return
            peer.sendall(line.token.to_bytes(_TOKEN, "big"))
            _watch(selector, peer, line.address)
        else:
            selector.register(socket.socket(fileno=line.listener), selectors.EVENT_READ)
        silent = None
        while silent is None and selector.get_map():
            silent = _beat(selector, line)
    if silent is not None:
        lost(silent)


@dataclass
class _Peer:
    """A connection: the address of the other end, None before it has given the token, and when it was last heard."""

    address: str | None
    heard: float


def _watch(selector, connection, address=None):
    connection.setblocking(False)
    selector.register(connection, selectors.EVENT_READ, _Peer(address, time.monotonic()))


def _beat(selector, line):
    """Send a byte to all, listen until the next is due; the address of a host that has fallen silent, or None."""
    for key in [key for key in selector.get_map().values() if key.data and key.data.address]:
        _send(key.fileobj)
    end = time.monotonic() + line.seconds / _BEATS
    while (left := end - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            if key.data is None:
                _watch(selector, key.fileobj.accept()[0])
            elif not _hear(key, line):
                selector.unregister(key.fileobj)
                key.fileobj.close()
    peers = [key.data for key in selector.get_map().values() if key.data and key.data.address]
    return next((peer.address for peer in peers if end - peer.heard > line.seconds), None)


def _send(connection):
    with contextlib.suppress(OSError):  # such as a full buffer; what is wrong is found by listening
        connection.send(bytes(1))


def _hear(key, line):
    """Note that something came; False where the connection is to be forgotten."""
    peer = key.data
    try:
        received = key.fileobj.recv(4096)
        if peer.address is None and received[:_TOKEN] == line.token.to_bytes(_TOKEN, "big"):
            peer.address = key.fileobj.getpeername()[0]
    except OSError:  # closed, of which Horovod hears, too
        return False
    peer.heard = time.monotonic()
    return bool(received) and peer.address is not None
