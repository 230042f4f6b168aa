"""A file system of a few pages, which is full at a chosen page while something is written to it."""

import contextlib
import os
import subprocess

import pytest

from gluon_attn.utils.errors import WriteError

PAGE = 4096


class SmallDisk:
    """A tmpfs in `folder`.

    Attributes:
        room: a folder on it, for what is tested.
    """

    def __init__(self, folder):
        self._mount = folder
        self.room = folder / "room"
        self.room.mkdir()
        (folder / "filler").write_bytes(b"1")  # a tmpfs of no page would have no limit

    def limit(self, pages):
        """Leave so many pages free."""
        stat = os.statvfs(self._mount)
        used = stat.f_blocks - stat.f_bfree
        _mount(self._mount, f"remount,size={(used + pages) * PAGE}")
        assert os.statvfs(self._mount).f_bfree == pages

    def files(self):
        """Path in the room -> content of its files, None of its folders."""
        found = sorted(self.room.rglob("*"))
        return {str(path.relative_to(self.room)): None if path.is_dir() else path.read_bytes() for path in found}


@contextlib.contextmanager
def mounted(folder):
    """A `SmallDisk` with room for 64 MiB; the test is skipped where none can be mounted."""
    if not hasattr(os, "geteuid") or os.geteuid():
        pytest.skip("mounting a small file system needs root")
    folder.mkdir()
    problem = _mount(folder, "size=64m")
    if problem:
        pytest.skip(f"a small file system cannot be mounted here: {problem}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def check_writer(disk, write, named):
    """`write(folder)` writes its files whole, or says in one line that it cannot and leaves all as it was.

    Tried with no room, with too little, and with a page too few, over old files and where there are none. The old files
    have the names of the new ones.

    Args:
        disk: a `SmallDisk`.
        write: writes to a folder; raises what a command raises.
        named: path in the folder that the message names.
    """
    write(disk.room)
    whole = disk.files()
    pages = sum(-(-len(content) // PAGE) for content in whole.values() if content)
    assert any(content and len(content) % PAGE for content in whole.values())
    _fail(disk, write, pages, named, "unchanged", {name: content and b"old" for name, content in whole.items()})
    _fail(disk, write, pages, named, "nothing was left there", {})
    disk.limit(pages + 1)
    write(disk.room)
    assert disk.files().keys() == whole.keys()


def _fail(disk, write, pages, named, ending, old):
    disk.limit(pages + len(old) + 1)
    for path in sorted(disk.room.rglob("*"), reverse=True):
        if not old:
            path.rmdir() if path.is_dir() else path.unlink()
        elif path.is_file():
            path.write_bytes(b"old")
    assert disk.files() == old
    for room in sorted({0, 1, pages // 2, pages - 1} - {pages}):
        disk.limit(room)
        with pytest.raises(WriteError) as caught:
            write(disk.room)
        assert_one_line(str(caught.value), disk.room / named)
        assert str(caught.value).endswith(ending)
        assert disk.files() == old, f"with {room} of {pages} pages"


def assert_one_line(message, target):
    """The message says that `target` cannot be written to a full disk, and names no temporary path."""
    assert message.startswith(f"cannot write {target}: No space left on device; "), message
    assert "\n" not in message
    assert "/." not in message


def _mount(folder, options):
    """The error message, or nothing."""
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "no command mount"
    return done.stderr.strip() if done.returncode else ""
