"""Opening an Optuna storage, and its errors as one line that never shows a password."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ...utils.errors import UserError
from ...utils.optional import require

#: seconds between signs of life of a running trial, and after how many without one it is taken for dead
HEARTBEAT, GRACE = 5, 20
#: seconds that a process waits for another one that writes to an SQLite file
SQLITE_WAIT = 60
_TRIES = 5  # at opening a storage
#: libpq's settings with which a cut link is an error after half a minute, and not after hours
_PATIENCE = {
    "connect_timeout": 15, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}  # fmt: skip
_LIBPQ = ("postgresql", "postgresql+psycopg2", "postgresql+psycopg")


def library() -> Any:
    """Optuna; `UserError` where it is not installed."""
    return require("optuna")


def open_storage(url: str, new: bool = True) -> Any:
    """Open a storage; where several processes make its tables at once, one succeeds and the others look again.

    Args:
        url: as SQLAlchemy and Optuna take it.
        new: whether an SQLite file may be made.

    Raises:
        UserError: it cannot be opened.
    """
    import sqlalchemy.exc

    kind = _storage_class()
    with errors(url, opening=True):
        options = _engine(url, new)
        for _ in range(_TRIES):
            try:
                return kind(url, heartbeat_interval=HEARTBEAT, grace_period=GRACE, engine_kwargs=options)
            except sqlalchemy.exc.DatabaseError as error:  # another process makes the tables at this moment
                if isinstance(error, sqlalchemy.exc.OperationalError) and "already exists" not in str(error):
                    raise
                found = error
                time.sleep(0.5)
        raise found


def _storage_class() -> type:
    """Optuna's storage, whose signs of life outlast a link that is cut for a while."""

    base: Any = library().storages.RDBStorage

    class Storage(base):
        def record_heartbeat(self, trial_id: int) -> None:
            with contextlib.suppress(*storage_errors()):
                super().record_heartbeat(trial_id)

    return Storage


def _engine(url: str, new: bool) -> dict[str, Any]:
    """SQLAlchemy's options: processes wait for each other's turn with an SQLite file, and see when a server is gone."""
    parsed = _parsed(url)
    if parsed is None:
        form = "dialect+driver://user:password@host/database, with @ : / in a name or password written %40 %3A %2F"
        raise UserError(f"cannot use the storage {shown(url)}: it takes {form}")
    if parsed.get_backend_name() == "sqlite":
        if not new and parsed.database and not Path(parsed.database).is_file():
            raise UserError(
                f"{parsed.database} is missing, which has the scores of the runs there: put it back, or name another "
                "folder, option output"
            )
        return {"connect_args": {"timeout": SQLITE_WAIT}}
    patience = _PATIENCE if parsed.drivername in _LIBPQ else {}
    options = {name: value for name, value in patience.items() if name not in parsed.query}
    return {"pool_pre_ping": True, "connect_args": options}


def storage_errors() -> tuple[type[Exception], ...]:
    """What a storage raises that cannot be used."""
    import sqlalchemy.exc

    return sqlalchemy.exc.SQLAlchemyError, library().exceptions.StorageInternalError


@contextlib.contextmanager
def errors(url: str, opening: bool = False) -> Iterator[None]:
    """Errors of the storage as one line, without the password in `url`.

    Args:
        url: of the storage.
        opening: whether it is being opened, which has more ways to fail.

    Raises:
        UserError: instead of what a storage raises.
    """
    try:
        yield
    except storage_errors() as error:
        cause = getattr(error, "orig", None) or getattr(error.__cause__, "orig", None) or error
        reason = one_line(cause)
    except ImportError:
        if not opening:
            raise
        reason = "install its driver, such as psycopg2-binary for postgresql+psycopg2"
    except ValueError as error:
        if not opening:
            raise
        reason = one_line(error)
    else:
        return
    for secret in sorted(_secrets(url), key=len, reverse=True):
        reason = reason.replace(secret, "***")
    raise UserError(f"cannot use the storage {shown(url)}: {reason}") from None


def shown(url: str) -> str:
    """A storage URL without its password."""
    parsed = _parsed(url)
    if parsed is None:
        return "that option storage names"
    return parsed.set(query={}).render_as_string(hide_password=True)


def _parsed(url: str) -> Any:
    """The URL in its parts; None where it is none, or a password may have got into other parts of it."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return None
    strange = "@" in f"{parsed.host}{parsed.database}" and parsed.get_backend_name() != "sqlite"
    return None if strange else parsed


def _secrets(url: str) -> set[str]:
    """All that may be a password in a URL, also in one that is not well formed."""
    if url.startswith("sqlite"):
        return set()
    rest = url.partition("://")[2]
    authority, at, _ = rest.rpartition("@")
    found = {authority.partition(":")[2]} if at else set()
    for pair in rest.partition("?")[2].split("&"):
        name, _, value = pair.partition("=")
        if "pass" in name:
            found.add(value)
    return {text for one in found for text in (one, unquote(one)) if text}


def one_line(error: object) -> str:
    """The message of an error as one line."""
    return " ".join(str(error).split()) or type(error).__name__
