"""A host that falls silent is noticed; one that ends, and strangers, are not taken for one."""

import os
import socket
import threading

import pytest

from gluon_attn.engine.heartbeat import Line, listen, open_line

TOKEN = 77
HELLO = TOKEN.to_bytes(6, "big")


@pytest.fixture
def line():
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    return Line("127.0.0.1", port, TOKEN, seconds=0.4, listener=server.detach())


def client(line, seconds=60.0):
    return Line(line.address, line.port, line.token, seconds)


def started(line):
    """(thread that listens, the hosts that it finds lost)."""
    lost = []
    thread = threading.Thread(target=listen, args=(line, lost.append), daemon=True)
    thread.start()
    return thread, lost


def connected(line, hello):
    peer = socket.create_connection((line.address, line.port))
    peer.sendall(hello)
    return peer


def test_a_silent_host_is_lost(line):
    with connected(line, HELLO) as peer:
        thread, lost = started(line)
        thread.join(20)
        assert lost == ["127.0.0.1"]
        assert peer.recv(1) == bytes(1)  # it was sent heartbeats


def test_process_0_that_falls_silent_is_lost(line):
    thread, lost = started(client(line, 0.4))
    with socket.socket(fileno=line.listener) as server:
        connection, _ = server.accept()
        with connection:
            thread.join(20)
            assert lost == ["127.0.0.1"]
            assert connection.recv(100).startswith(HELLO)


def test_hosts_that_speak_or_end_and_strangers_are_not_lost(line):
    _, ours = started(line)
    other, theirs = started(client(line, 0.4))
    ended, stranger, late = connected(line, HELLO), connected(line, b"GET / HTTP/1.1"), connected(line, b"")
    ended.close()
    assert stranger.recv(1) == b""
    other.join(1.2)  # three times the silence that is an error
    assert (ours, theirs, other.is_alive()) == ([], [], True)
    late.close()


def test_a_port_that_cannot_be_reached_leaves_it_to_gloo(line):
    os.close(line.listener)
    thread, lost = started(client(line))
    thread.join(20)
    assert (thread.is_alive(), lost) == (False, [])


def test_all_processes_learn_of_the_same_port():
    environ = {"HOROVOD_GLOO_RENDEZVOUS_ADDR": "127.0.0.1", "HOROVOD_GLOO_TIMEOUT_SECONDS": "60"}
    told = []
    first = open_line(0, lambda numbers: told.extend(numbers) or [float(number) for number in numbers], environ)
    second = open_line(1, lambda numbers: [float(own + number) for own, number in zip(numbers, told, strict=True)],
                       environ)  # fmt: skip
    try:
        assert first.listener is not None
        assert second == Line("127.0.0.1", first.port, first.token, 40.0)
        assert Line.parse(first.words()) == first
        assert Line.parse(second.words()) == second
        connected(second, b"").close()
    finally:
        os.close(first.listener)
    assert open_line(0, sum, {}) is None
