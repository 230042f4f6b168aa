"""A PostgreSQL server of its own for a test: its data in a temporary folder, on loopback."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

PASSWORD = "not-for-show"


def programs():
    """The folder of PostgreSQL's newest programs, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextlib.contextmanager
def server(folder, address="127.0.0.1", inside=()):
    """Runs a server with its data in `folder`; yields the URL of an empty database, with a password.

    Args:
        folder: where its data go.
        address: where it listens.
        inside: words before a command that is to run on another host, as of `hosts.Hosts.inside`.
    """
    bin_, data, port = programs(), Path(folder) / "data", 5432 if inside else _free_port(address)
    data.mkdir(parents=True)
    secret = Path(folder) / "secret"
    secret.write_text(PASSWORD)
    for path in (folder, data, secret):
        shutil.chown(path, *_account())
    _run(bin_ / "initdb", "-D", data, "-U", "study", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync")
    with (data / "pg_hba.conf").open("a") as file:
        file.write("host all all 0.0.0.0/0 scram-sha-256\n")
    options = f"-h {address} -p {port} -k {data} -c fsync=off"
    _run(bin_ / "pg_ctl", "-D", data, "-o", options, "-l", Path(folder) / "log", "-w", "start", inside=inside)
    try:
        yield f"postgresql+psycopg2://study:{PASSWORD}@{address}:{port}/postgres"
    finally:
        _run(bin_ / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop", inside=inside)


@contextlib.contextmanager
def fresh(url):
    """The URL of an empty database on the server of `url`, dropped at the end."""
    _execute(url, "CREATE DATABASE fresh")
    try:
        yield url.rpartition("/")[0] + "/fresh"
    finally:
        _execute(url, "DROP DATABASE fresh WITH (FORCE)")


def cut_connections(url):
    """End all connections to a database."""
    _execute(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                  "AND datname = current_database()")  # fmt: skip


def _execute(url, statement):
    import psycopg2

    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


@contextlib.contextmanager
def for_tests(tmp_path_factory):
    """A server for the tests of a module, which are skipped where there can be none."""
    if programs() is None:
        pytest.skip("needs PostgreSQL: install Debian's postgresql")
    pytest.importorskip("psycopg2", reason="needs psycopg2")
    folder = tmp_path_factory.mktemp("postgres")
    for parent in folder.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o111)  # the server's account must get there
    with server(folder) as url:
        yield url


def _account():
    """The account that runs the server, which refuses to run as root."""
    return ("postgres", "postgres") if os.getuid() == 0 else (pwd.getpwuid(os.getuid()).pw_name, os.getgid())


def _run(*words, inside=()):
    demoted = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    command = [*inside, *demoted, *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=60)


def _free_port(address):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]
