"""Any batches, any retries, any restarts: the log and the projections in PostgreSQL do as those in
memory.
"""

from contextlib import closing

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.group_rows import governance, task
from tests.support.log_events import event, group
from tests.support.postgres import Cluster
from wattswarm.kernel.event import Event, LaneClass
from wattswarm.kernel.ids import Seq
from wattswarm.kernel.lock import Lock
from wattswarm.store.connection import Purpose
from wattswarm.store.event_log import LogWriter
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_record import Group
from wattswarm.store.log_verify import verify_log
from wattswarm.store.memory_log import MemoryLog, MemoryLogReader, MemoryLogWriter
from wattswarm.store.memory_projections import MemoryProjectionReader, MemoryProjections, MemorySet
from wattswarm.store.projection_reader import ProjectionReader
from wattswarm.store.projections import Projections
from wattswarm.store.tables import GroupRows

START = Seq(0)
SCOPES = ("global", "node:a")
slow = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

numbers = st.integers(0, 400)


@st.composite
def events(draw: st.DrawFn) -> Event:
    number = draw(numbers)
    return event(
        number,
        scope=SCOPES[number % 2],
        lane_class=list(LaneClass)[number % 3],
        created_at=1_700_000_000_000 + number // 50,
    )


locks = st.builds(
    Lock,
    st.just("finality"),
    st.integers(0, 3).map(lambda number: bytes([number])),
    st.integers(0, 1).map(lambda number: bytes([number])),
)
groups = st.builds(
    lambda made, taken: group(*made, locks=taken),
    st.lists(events(), min_size=1, max_size=6),
    st.one_of(st.just(()), st.lists(locks, max_size=2)),
)
batches = st.lists(st.lists(groups, max_size=40), max_size=6)


@slow
@given(batches, st.data())
def test_the_log_in_postgres_answers_as_the_one_in_memory(
    cluster: Cluster, made: list[list[Group]], data: st.DataObject
) -> None:
    memory = MemoryLog()
    with cluster.database() as database:
        model = MemoryLogWriter(memory)
        # A draw may end the example: the session is closed whatever happens.
        with closing(LogWriter(database)) as writer:
            model.open()
            writer.open()
            for batch in made:
                if data.draw(st.booleans(), label="restart"):
                    model.open()
                    writer.open()
                assert writer.append(batch).outcomes == model.append(batch).outcomes
        with database.connect(Purpose.READER) as connection:
            found, wanted = LogReader(connection), MemoryLogReader(memory)
            assert found.read(START, limit=4_000) == wanted.read(START, limit=4_000)
            assert found.lanes() == wanted.lanes()
            assert found.head().chain == wanted.head().chain
            assert verify_log(connection).is_sound


replacements = st.one_of(
    st.builds(
        lambda number, seed, scope: task(number, seed=seed, scope=scope),
        st.integers(0, 5),
        st.integers(0, 3),
        st.sampled_from(("node:a", "global", None)),
    ),
    st.builds(lambda seed: governance(seed=seed), st.integers(0, 3)),
)
steps = st.lists(
    st.lists(replacements, max_size=8, unique_by=lambda made: made.group_id), max_size=6
)


@slow
@given(steps, st.data())
def test_projections_in_postgres_answer_as_those_in_memory(
    cluster: Cluster, made: list[list[GroupRows]], data: st.DataObject
) -> None:
    memory = MemorySet()
    with cluster.database() as database, database.connect(Purpose.READER) as connection:
        model, writer = MemoryProjections(memory), Projections(database)
        for number, step in enumerate(made):
            if data.draw(st.booleans(), label="restart"):
                writer.close()
            at, seq = Seq(number), Seq(number + 1)
            model.advance("tasks", 0, expected=at, seq=seq, groups=step)
            writer.advance("tasks", 0, expected=at, seq=seq, groups=step)
        writer.close()
        found, wanted = ProjectionReader(connection), MemoryProjectionReader(memory)
        assert found.derived() == wanted.derived()
        assert found.tasks(5_000, limit=99) == wanted.tasks(5_000, limit=99)
        assert found.task_counts(5_000) == wanted.task_counts(5_000)
        for name in memory.groups:
            shown = memory.groups[name]
            rows = found.task(name) if "tasks" in shown.rows else found.governance()
            assert {table: sorted(map(repr, of)) for table, of in rows.items()} == {
                table: sorted(map(repr, of)) for table, of in shown.rows.items()
            }
