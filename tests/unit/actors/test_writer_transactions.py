"""How the writer cuts what queued into transactions: own events first, and none too large."""

from hypothesis import given
from hypothesis import strategies as st

from wattswarm.actors.messages import Append
from wattswarm.actors.sel_writer import transactions
from wattswarm.kernel.limits import BATCH_BYTES_MAX, BATCH_EVENTS_MAX

requests = st.lists(
    st.tuples(st.booleans(), st.integers(1, 300), st.integers(1, 1_500)), max_size=40
)


@given(requests)
def test_every_request_is_written_once_own_ones_first_and_no_transaction_is_too_large(
    plans: list[tuple[bool, int, int]],
) -> None:
    batch = [Append(events=(bytes(size),) * count, is_own=is_own) for is_own, count, size in plans]
    counts = {index: len(request.events) for index, request in enumerate(batch)}
    chosen = list(transactions(batch, counts))
    flat = [index for some in chosen for index in some]
    assert sorted(flat) == sorted(counts)
    owned = [batch[index].is_own for index in flat]
    assert owned == sorted(owned, reverse=True)
    for some in chosen:
        events = [event for index in some for event in batch[index].events]
        is_within = len(events) <= BATCH_EVENTS_MAX and sum(map(len, events)) <= BATCH_BYTES_MAX
        assert is_within or len(some) == 1


@given(requests)
def test_requests_of_one_kind_keep_their_order(plans: list[tuple[bool, int, int]]) -> None:
    batch = [Append(events=(bytes(8),) * count, is_own=is_own) for is_own, count, _ in plans]
    counts = {index: len(request.events) for index, request in enumerate(batch)}
    flat = [index for some in transactions(batch, counts) for index in some]
    for is_own in (True, False):
        of_kind = [index for index in flat if batch[index].is_own is is_own]
        assert of_kind == sorted(of_kind)
