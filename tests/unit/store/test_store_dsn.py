"""A connection string that cannot be read is told without being shown: it may hold a password."""

import traceback

import pytest

from wattswarm.store.connection import Database, Purpose
from wattswarm.store.errors import ServerNotStarted


@pytest.mark.parametrize(
    "dsn",
    ["postgresql://u:hunter2@[bad/x", "password=hunter2 oops", "postgresql://u:hunter2@h/x?z=1"],
)
def test_a_connection_string_that_is_none_is_not_shown(dsn: str) -> None:
    with pytest.raises(ServerNotStarted) as caught:
        Database(dsn).connect(Purpose.READER)
    assert "store.pg_url" in str(caught.value)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
