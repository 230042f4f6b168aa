"""Several hosts on one machine: network namespaces with an address and an `sshd` each, joined by a bridge.

Nothing of it is seen outside: the bridge has a namespace of its own, so that addresses cannot collide. It needs root,
Debian's iproute2 and openssh-server, and Horovod.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNNER = Path(sys.executable).with_name("horovodrun")
INTERFACE = "eth0"
_SSHD = """
ListenAddress {address}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
"""
# horovodrun calls ssh by its name; ssh reads the home folder of the account, whatever HOME says
_SSH = """#!/bin/sh
exec {ssh} -F none -i {folder}/key -o IdentitiesOnly=yes -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$@"
"""
_KEEP = '"$@" 2> $HOROVOD_RANK.err; code=$?; echo $code > $HOROVOD_RANK.code; exit $code'


def missing() -> str | None:
    """Why there can be no hosts here, or None."""
    if os.geteuid():
        return "network namespaces need root"
    for program, package in (("ip", "iproute2"), ("sshd", "openssh-server"), ("ssh", "openssh-client")):
        if not _program(program):
            return f"{program} is missing: install {package}"
    if importlib.util.find_spec("horovod") is None or not RUNNER.exists():
        return "Horovod is not built: make horovod"
    name = f"probe-{os.getpid()}"
    if subprocess.run([_program("ip"), "netns", "add", name], capture_output=True, check=False).returncode:
        return "no network namespaces may be made here"
    _ip("netns", "del", name)
    return None


class Hosts:
    """Running hosts.

    Attributes:
        addresses: of the hosts; the launcher runs on the first one.
    """

    def __init__(self, names: list[str], folder: Path):
        self.names, self.folder = names, folder
        self.addresses = [f"10.213.0.{number}" for number, _ in enumerate(names, 1)]

    def launch(self, cwd: Path, *words: Path | str, on: Sequence[int] = (0, 1), **variables: str) -> subprocess.Popen:
        """Start `horovodrun` on the first host; what it prints is in its stdout.

        A process leaves what it says on stderr in CWD/RANK.err, and its exit code in CWD/RANK.code, where a cut link
        cannot keep them.

        Args:
            cwd: the working directory of all processes, which the hosts share.
            words: a script and its arguments.
            on: the host of each process, such as (0, 0) for two on the first.
            variables: further environment variables.
        """
        slots = ",".join(f"{self.addresses[host]}:{on.count(host)}" for host in dict.fromkeys(on))
        run = [RUNNER, "-np", len(on), "--gloo", "--disable-cache", "-H", slots]
        if set(on) != {0}:
            run += ["--network-interfaces", INTERFACE]
        run += ["sh", "-c", _KEEP, "sh", sys.executable, *words]
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg",
            "PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}", **variables,
        }  # fmt: skip
        for old in (*cwd.glob("?.err"), *cwd.glob("?.code")):
            old.unlink()
        return subprocess.Popen(
            [*self.inside(0), *map(str, run)], env=environment, cwd=cwd, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def inside(self, host: int) -> list[str]:
        """The words before a command that is to run on a host.

        The host's name is its address: Gloo looks names up, and /etc/hosts is that of the machine.
        """
        named = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', self.addresses[host]]
        return [_program("ip"), "netns", "exec", self.names[host], *named]

    def link(self, host: int, state: str) -> None:
        """Set the link of a host "up" or "down"; nothing is told to its connections."""
        _ip("-n", self.names[host], "link", "set", INTERFACE, state)

    def processes(self, host: int) -> list[str]:
        """Command lines of the Python processes on a host."""
        found = []
        for pid in _pids(self.names[host]):
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                found.append(" ".join(words))
        return [line for line in found if line.startswith(sys.executable)]


@contextlib.contextmanager
def hosts(count: int, folder: Path) -> Iterator[Hosts]:
    """`count` hosts, gone at the end with all that runs on them.

    Args:
        count: of hosts.
        folder: an empty folder for keys.
    """
    switch, *names = (f"gluon-attn-{os.getpid()}-{number}" for number in range(count + 1))
    found = Hosts(names, folder)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"], check=True)
    shutil.copy(folder / "key", folder / "host_key")
    (folder / "ssh").write_text(_SSH.format(ssh=shutil.which("ssh"), folder=folder))
    (folder / "ssh").chmod(0o755)
    with contextlib.ExitStack() as stack:
        for name in (switch, *names):
            _ip("netns", "add", name)
            stack.callback(_remove, name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", switch, "link", "set", "bridge", "up")
        for number, (name, address) in enumerate(zip(names, found.addresses, strict=True)):
            port = f"port{number}"
            _ip("-n", name, "link", "add", INTERFACE, "type", "veth", "peer", "name", port, "netns", switch)
            _ip("-n", switch, "link", "set", port, "master", "bridge", "up")
            _ip("-n", name, "address", "add", f"{address}/24", "dev", INTERFACE)
            _ip("-n", name, "link", "set", INTERFACE, "up")
            config = folder / f"sshd-{number}"
            config.write_text(_SSHD.format(address=address, folder=folder))
            _start_sshd(found.inside(number), config)
        yield found


def _start_sshd(inside, config):
    """An `sshd` that answers; its /run is its own, so that the machine's stays as it is."""
    script = f"mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec {_program('sshd')} -D -e -f {config}"
    log = config.with_suffix(".log")
    with log.open("w") as output:
        server = subprocess.Popen([*inside, "sh", "-c", script], stdout=output, stderr=output)
    for _ in range(100):
        if "Server listening" in log.read_text():
            return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"sshd does not start: {log.read_text()}")


def _remove(name):
    for pid in _pids(name):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    _ip("netns", "del", name)


def _pids(name):
    return [int(pid) for pid in _ip("netns", "pids", name).split()]


def _ip(*words):
    done = subprocess.run([_program("ip"), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def _program(name):
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
