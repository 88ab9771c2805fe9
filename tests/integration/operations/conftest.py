"""A node for each test that wants one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.api_node import ApiNode, api_node
from wattswarm.store.connection import Database


@pytest.fixture
async def node(database: Database, tmp_path: Path) -> AsyncIterator[ApiNode]:
    """A node in one process, without executors."""
    async with api_node(database, tmp_path) as made:
        yield made
