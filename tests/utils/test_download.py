"""Files from a server on this machine: whole, checked, resumed, fetched once."""

import hashlib
import threading

import pytest
from web import Server

from gluon_attn.utils import download as web
from gluon_attn.utils.download import download, is_url
from gluon_attn.utils.errors import UserError

CONTENT = bytes(range(256)) * 2000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    with Server({"net.params": CONTENT}) as made:
        yield made


def test_addresses():
    assert is_url("https://a/b")
    assert is_url("http://a")
    assert not any(map(is_url, ("a/b", "ftp://a", "file:///a", "/a")))


def test_a_file_comes_whole_and_once(server, tmp_path):
    target = tmp_path / "new" / "net.params"
    assert download(f"{server.url}/net.params", target, DIGEST) == target
    assert target.read_bytes() == CONTENT
    download(f"{server.url}/net.params", target, DIGEST)
    assert len(server.requests) == 1
    target.write_bytes(b"damaged")
    download(f"{server.url}/net.params", target, DIGEST)
    assert target.read_bytes() == CONTENT
    assert sorted(path.name for path in target.parent.iterdir()) == [".net.params.lock", "net.params"]


def test_without_a_hash_it_is_fetched_again(server, tmp_path):
    for text in (CONTENT, b"other"):
        server.files["net.params"] = text
        assert download(f"{server.url}/net.params", tmp_path / "net.params").read_bytes() == text


def test_a_download_resumes_after_a_break(server, tmp_path):
    server.breaks = [100_000, 200_000]  # bytes after which the next answers end
    download(f"{server.url}/net.params", tmp_path / "net.params", DIGEST)
    assert (tmp_path / "net.params").read_bytes() == CONTENT
    assert server.requests == [None, "bytes=100000-", "bytes=300000-"]


def test_a_later_call_resumes_too(server, tmp_path):
    server.breaks = [1000] * 3
    with pytest.raises(UserError, match=r"^cannot download http.*; try again to resume$"):
        download(f"{server.url}/net.params", tmp_path / "net.params", DIGEST)
    assert not (tmp_path / "net.params").exists()
    download(f"{server.url}/net.params", tmp_path / "net.params", DIGEST)
    assert (tmp_path / "net.params").read_bytes() == CONTENT
    assert server.requests[-1] == "bytes=3000-"


@pytest.mark.parametrize("ranges", [True, False])
def test_what_another_file_left_is_thrown_away(server, tmp_path, ranges):
    server.ranges = ranges
    (tmp_path / ".net.params.part").write_bytes(b"x" * 5000)
    download(f"{server.url}/net.params", tmp_path / "net.params", DIGEST)
    assert (tmp_path / "net.params").read_bytes() == CONTENT


def test_what_was_left_may_be_all_of_it(server, tmp_path):
    (tmp_path / ".net.params.part").write_bytes(CONTENT)
    download(f"{server.url}/net.params", tmp_path / "net.params", DIGEST)
    assert (tmp_path / "net.params").read_bytes() == CONTENT


def test_another_file_is_not_kept(server, tmp_path):
    (tmp_path / "net.params").write_bytes(b"before")
    with pytest.raises(UserError, match="is not the file that was published"):
        download(f"{server.url}/net.params", tmp_path / "net.params", "0" * 64)
    assert (tmp_path / "net.params").read_bytes() == b"before"
    assert not (tmp_path / ".net.params.part").exists()


def test_processes_wait_for_each_other(server, tmp_path):
    wanted = (f"{server.url}/net.params", tmp_path / "net.params", DIGEST)
    threads = [threading.Thread(target=download, args=wanted) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "net.params").read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_what_cannot_be_had(server, tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"cannot download .*/none: the server says 404"):
        download(f"{server.url}/none", tmp_path / "none", DIGEST)
    monkeypatch.setattr(web, "_TRIES", 1)
    with pytest.raises(UserError, match="cannot download"):
        download("http://127.0.0.1:9/none", tmp_path / "none", DIGEST)
    assert not (tmp_path / "none").exists()


def test_a_full_disk_is_one_line_and_the_download_resumes(server, small_disk):
    target = small_disk.room / "net.params"
    small_disk.limit(3)
    with pytest.raises(UserError) as caught:
        download(f"{server.url}/net.params", target, DIGEST)
    assert str(caught.value) == f"cannot write {target}: No space left on device; make room and try again"
    assert not target.exists()
    small_disk.limit(1000)
    assert download(f"{server.url}/net.params", target, DIGEST).read_bytes() == CONTENT
    assert server.requests[-1] == f"bytes={3 * 4096}-"
