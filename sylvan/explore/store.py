"""Results by what they are of: each is kept once, from the moment it is known.

One table in SQLite, or in any database that a SQLAlchemy URL names. A key is the hash of everything
that decides a result, so nothing in the table is ever changed; who comes second with a key finds
that it is there. Whoever writes may be killed at any moment: a row is whole or not there.
"""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import Column, Float, MetaData, String, Table, Text, create_engine, insert, select
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from sylvan.model.errors import UserError, shortened

from .networks import digest

FILE = "results.sqlite"
PATIENCE_S = 60
"""How long a writer waits for another one of the same SQLite file."""
AT_ONCE = 500
"""Keys of one query."""
RESULTS = Table(
    "sylvan_results",
    MetaData(),
    Column("key", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("what", Text, nullable=False),
    Column("outcome", Text),
    Column("failure", Text),
    Column("seconds", Float, nullable=False),
    Column("finished", String(32), nullable=False),
)


@dataclass(frozen=True)
class Result:
    """What came of something: an outcome as JSON data, or else the sentence why there is none.

    `fresh`: it was not known before, and took so many seconds just now.
    """

    key: str
    kind: str
    what: Any
    outcome: Any
    failure: str | None
    seconds: float
    fresh: bool = False


class Store:
    """The table.

    Parameters:
        url: of the database, as SQLAlchemy takes it.

    Raises UserError, without the password, if the database cannot be reached or written.
    """

    def __init__(self, url: str) -> None:
        try:
            self.url = make_url(url)
            # A connection each time: processes that were forked must not share one.
            local = self.url.get_backend_name() == "sqlite"
            if local and self.url.database in (None, "", ":memory:"):
                raise UserError(f"the storage {url} names no file, so nothing would be kept")
            patience = {"timeout": PATIENCE_S} if local else {}
            self.engine: Engine = create_engine(self.url, poolclass=NullPool, connect_args=patience)
        except ArgumentError:
            raise UserError(
                f"the storage is named by an URL such as sqlite:///results.sqlite or "
                f"postgresql+psycopg://user@host/name, got {shortened(repr(url))}"
            ) from None
        except ModuleNotFoundError as error:
            raise UserError(f"the storage {self} needs {error.name}: install it") from None
        with self._refusals_told():
            self._create()

    @contextlib.contextmanager
    def _refusals_told(self) -> Iterator[None]:
        """What a database refuses is a user's mistake; that a key is there already is not."""
        try:
            yield
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise UserError(f"the storage {self} cannot be used: {_said(error)}") from None

    def _create(self) -> None:
        try:
            RESULTS.create(self.engine, checkfirst=True)
        except DBAPIError:
            # Somebody else made it between the look and the creation, or it is a real refusal.
            with self.engine.connect() as connection:
                connection.execute(select(RESULTS.c.key).limit(1))

    def __str__(self) -> str:
        return self.url.render_as_string(hide_password=True)

    def get(self, key: str) -> Result | None:
        """The result of that key, if there is one."""
        return self.among([key]).get(key)

    def among(self, keys: Iterable[str]) -> dict[str, Result]:
        """Those results of the keys that there are."""
        wanted, found = list(dict.fromkeys(keys)), {}
        with self._refusals_told(), self.engine.connect() as connection:
            for start in range(0, len(wanted), AT_ONCE):
                part = wanted[start : start + AT_ONCE]
                for row in connection.execute(select(RESULTS).where(RESULTS.c.key.in_(part))):
                    found[row.key] = Result(
                        row.key,
                        row.kind,
                        json.loads(row.what),
                        None if row.outcome is None else json.loads(row.outcome),
                        row.failure,
                        row.seconds,
                    )
        return found

    def add(self, result: Result) -> None:
        """Keep a result, unless there is one under its key."""
        row = {
            "key": result.key,
            "kind": result.kind,
            "what": json.dumps(result.what, sort_keys=True, allow_nan=False),
            "outcome": None
            if result.outcome is None
            else json.dumps(result.outcome, allow_nan=False),
            "failure": result.failure,
            "seconds": result.seconds,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with (
            contextlib.suppress(IntegrityError),
            self._refusals_told(),
            self.engine.begin() as connection,
        ):
            connection.execute(insert(RESULTS).values(**row))

    def settle(
        self,
        kind: str,
        what: Any,
        make: Callable[[str], Any],
        there: Callable[[Any], bool] = lambda outcome: True,
        alone: Callable[[str], AbstractContextManager[None]] = lambda key: nullcontext(),
    ) -> Result:
        """The result that is kept of `what`, or that `make`, told its key, now makes of it.

        A UserError of `make` is the result as well: it would come again. What is kept but not
        `there`, such as files in the folder of another search, is made again. `alone` keeps others
        from making the same at the same time.
        """
        key = key_of(kind, what)

        def look() -> Result | None:
            known = self.get(key)
            whole = known is not None and (known.failure is not None or there(known.outcome))
            return known if whole else None

        if (known := look()) is not None:
            return known
        with alone(key):
            if (known := look()) is not None:
                return known
            start = perf_counter()
            outcome = failure = None
            try:
                outcome = make(key)
            except UserError as error:
                failure = str(error)
            seconds = perf_counter() - start
            self.add(Result(key, kind, what, outcome, failure, seconds))
        # Somebody elsewhere may have been first: what is kept counts for all.
        kept = self.get(key)
        assert kept is not None
        return replace(kept, fresh=True, seconds=seconds)


def key_of(kind: str, what: Any) -> str:
    """The key of a kind of result of something."""
    return digest([kind, what])


def local_url(folder: Path) -> str:
    """The storage in a folder of its own."""
    return f"sqlite:///{(folder / FILE).resolve()}"


def _said(error: Exception) -> str:
    """The first line of what a database says, without the statement it was told."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return shortened((str(cause).splitlines() or [type(cause).__name__])[0])
