"""Storages that cannot be used: one line each, which never has a password."""

import re
import sqlite3
import time

import postgres
import pytest

pytest.importorskip("optuna", reason="needs Optuna")

from gluon_attn.config.train import RunConfig
from gluon_attn.runs.options import Options
from gluon_attn.runs.study import storage
from gluon_attn.runs.study.plan import StudyPlan
from gluon_attn.runs.study.space import Factor
from gluon_attn.runs.study.storage import shown
from gluon_attn.runs.study.trials import Trials
from gluon_attn.utils.errors import UserError


def plan(*names, **changes):
    return StudyPlan(Options(RunConfig), (Factor("model.attention", names or (None, "se")),), **changes)


def refused(url, *secrets, new=True, chosen=None):
    """What is said where a storage is refused."""
    with pytest.raises(UserError) as caught:
        Trials(url, "study", chosen or plan(), new=new)
    said = str(caught.value)
    assert "\n" not in said
    assert not [secret for secret in secrets if secret in said], said
    return said


@pytest.fixture
def file(tmp_path):
    """The file of a study."""
    Trials(f"sqlite:///{tmp_path}/study.db", "study", plan())
    return tmp_path / "study.db"


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    with postgres.for_tests(tmp_path_factory) as url:
        yield url


def test_a_wrong_password(database):
    wrong = database.replace(postgres.PASSWORD, "wr0ng-secret")
    said = refused(wrong, "wr0ng-secret")
    assert "password authentication failed" in said
    assert "study:***@" in said


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:////no/such/folder/study.db", "unable to open database file"),
        ("nonsense", "that option storage names: it takes dialect"),
        ("postgresql://u:secret@127.0.0.1:1/x", "Connection refused|install its driver"),
        ("postgresql://127.0.0.1:1/x?user=u&password=secret", "Connection refused|install its driver"),
        ("postgresql://u:secret@no-such-host.invalid/x", "could not translate|install its driver"),
        ("notadatabase://u:secret@host/x", "notadatabase"),
        ("mysql+nodriver://u:secret@host/x", "nodriver"),
        ("postgresql://u:pass@secret@127.0.0.1:1/x", "it takes dialect.*%40"),
        ("postgresql://u:pass@sec:ret@127.0.0.1:1/x", "it takes dialect.*%40"),
        ("postgresql://u:pass@secret/w0rd@127.0.0.1:1/x", "it takes dialect.*%40"),
        ("postgresql://u:secret@127.0.0.1:port/x", "it takes dialect"),
        ("postgresql://u:secret%40w0rd@127.0.0.1:1/x", "Connection refused|install its driver"),
    ],
)
def test_storages_that_cannot_be_opened(url, message):
    said = refused(url, "secret", "ret@", "w0rd")
    assert re.search(message, said), said


def test_passwords_are_not_shown():
    assert shown("postgresql://me:secret@host/db") == "postgresql://me:***@host/db"
    assert shown("postgresql://host/db?password=secret") == "postgresql://host/db"
    assert shown("sqlite:////a@b/study.db") == "sqlite:////a%40b/study.db"


def test_a_missing_file_is_not_made_again(file):
    url = f"sqlite:///{file}"
    file.unlink()
    assert f"{file} is missing, which has the scores of the runs there: put it back" in refused(url, new=False)
    assert not file.exists()


@pytest.mark.parametrize("length", [0, 100, 4096, 20_000])
def test_a_truncated_file(file, length):
    file.write_bytes(file.read_bytes()[:length])
    said = refused(f"sqlite:///{file}", new=False)
    assert str(file) in said
    assert "has no study" in said or "malformed" in said or "not a database" in said or "disk I/O" in said


def test_a_file_that_is_none(file):
    file.write_bytes(bytes(range(256)) * 200)
    before = file.read_bytes()
    assert "file is not a database" in refused(f"sqlite:///{file}")
    assert file.read_bytes() == before


def test_a_file_that_another_process_holds(file, monkeypatch):
    monkeypatch.setattr(storage, "SQLITE_WAIT", 1)
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        begin = time.monotonic()
        assert "database is locked" in refused(f"sqlite:///{file}", new=False)
        assert time.monotonic() - begin < 20
        other.execute("ROLLBACK")
    other.close()
    assert len(Trials(f"sqlite:///{file}", "study", plan(), new=False).states()) == 2


def test_a_name_that_another_study_has(file):
    url = f"sqlite:///{file}"
    assert "has a study study with other values of model.attention: name another folder" in refused(
        url, chosen=plan("eca")
    )
    other = StudyPlan(Options(RunConfig, given={"optim": {"lr": 0.7}}), plan().space)
    assert "with other options (optim.lr)" in refused(url, chosen=other)
    assert len(Trials(url, "study", plan(seeds=(1, 2))).states()) == 4
    assert len(Trials(url, "study", plan()).states()) == 2
    assert "with other seeds" in refused(url, chosen=plan(seeds=(3, 4)))
