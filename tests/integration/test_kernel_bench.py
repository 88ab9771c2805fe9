"""The parts of the kernel's bench that need a database, in the small."""

import pytest

from bench import lifecycles
from bench.authoring import EVENTS_PER_TASK
from bench.database import own_database
from bench.lifecycles import prefill, tidy
from bench.projection_size import projection_bytes
from bench.replay import replayed
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.version import local_genesis, network_id_of
from wattswarm.store.connection import Purpose
from wattswarm.store.log_reader import LogReader

KEY = KeyPair.from_seed(bytes(range(32)))


def test_a_log_filled_in_pieces_is_derived_anew_and_its_room_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lifecycles, "CHUNK", EVENTS_PER_TASK)
    with own_database() as database:
        prefill(database, KEY, length=2 * EVENTS_PER_TASK)
        tidy(database)
        with database.connect(Purpose.READER) as connection:
            log = LogReader(connection)
            count, governance = log.head().seq, len(log.governance_events())
        assert count == governance + 2 * EVENTS_PER_TASK

        rebuilt = replayed(database, network_id_of(local_genesis(KEY.node_id)), count)
        assert rebuilt.value > 0

        room = projection_bytes(database, count)
        assert room.metric == "projection_bytes_per_event"
        assert room.baseline is not None
        assert 200 < room.baseline < 2_000
        assert room.value > room.baseline / 10
