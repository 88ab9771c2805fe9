"""Archives: split where their events end, whatever these hold, and never beyond their bounds."""

import cbor2
from hypothesis import given
from hypothesis import strategies as st

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import APPEND_BYTES_MAX, BATCH_EVENTS_MAX
from wattswarm.operations.archive import split

SMALL = cbor2.dumps([b"", bytes(64)])

bodies = st.binary(max_size=300) | st.integers(250, 60_000).map(bytes)
wires = st.tuples(bodies, st.binary(min_size=64, max_size=64)).map(
    lambda pair: cbor2.dumps(list(pair))
)


@given(st.lists(wires, max_size=40))
def test_what_was_joined_is_split_again_into_requests_of_bounded_size(events: list[bytes]) -> None:
    requests = list(split(b"".join(events)))
    assert [event for request in requests for event in request] == events
    for request in requests:
        assert 0 < len(request) <= BATCH_EVENTS_MAX
        assert len(request) == 1 or sum(map(len, request)) <= APPEND_BYTES_MAX


@given(st.integers(0, 2_000))
def test_many_small_events_are_split_by_number(count: int) -> None:
    requests = list(split(SMALL * count))
    full, rest = divmod(count, BATCH_EVENTS_MAX)
    assert [len(request) for request in requests] == [BATCH_EVENTS_MAX] * full + [rest] * bool(rest)


@given(st.binary(max_size=400))
def test_any_bytes_are_split_or_refused(archive: bytes) -> None:
    events: list[bytes] = []
    try:
        events = [event for request in split(archive) for event in request]
    except Malformed:
        return
    assert b"".join(events) == archive
