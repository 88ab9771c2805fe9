"""Laws of the bytes: one encoding for each value, and typed errors for everything else."""

import contextlib
from typing import Any

import cbor2
from hypothesis import given
from hypothesis import strategies as st

from wattswarm.kernel import canonical, event, json_text
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Draft, LaneClass
from wattswarm.kernel.signature import KeyPair

KEY = KeyPair.from_seed(b"\x03" * 32)
BYTES_MAX = 1_000_000

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
leaves = st.booleans() | st.integers(0, 2**53 - 1) | texts | st.binary(max_size=40)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=25,
)
payloads = st.dictionaries(texts, values, max_size=5)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=5)
    ),
    max_leaves=25,
)


@given(values)
def test_a_value_is_read_back_from_its_encoding(value: Any) -> None:
    assert canonical.decode(canonical.encode(value), bytes_max=BYTES_MAX) == value


@given(values)
def test_the_order_in_which_a_map_was_made_does_not_matter(value: Any) -> None:
    assert canonical.encode(backwards(value)) == canonical.encode(value)


@given(values)
def test_the_encoding_is_the_deterministic_one_of_the_library(value: Any) -> None:
    assert canonical.encode(value) == cbor2.dumps(value, canonical=True)


@given(st.binary(max_size=200))
def test_any_bytes_are_the_encoding_of_their_value_or_refused(data: bytes) -> None:
    try:
        value = canonical.decode(data, bytes_max=BYTES_MAX)
    except Malformed:
        return
    assert canonical.encode(value) == data


@given(values, st.data())
def test_one_changed_byte_is_another_value_or_refused(value: Any, data: st.DataObject) -> None:
    encoded = bytearray(canonical.encode(value))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))
    try:
        other = canonical.decode(bytes(encoded), bytes_max=BYTES_MAX)
    except Malformed:
        return
    assert canonical.encode(other) == encoded


@given(st.recursive(leaves | st.floats() | st.none() | st.integers(), st.lists, max_leaves=10))
def test_check_and_encode_agree_on_what_may_be_signed(value: Any) -> None:
    try:
        canonical.check(value)
    except Malformed:
        encoded = cbor2.dumps(value, canonical=True)
        try:
            canonical.decode(encoded, bytes_max=BYTES_MAX)
        except Malformed:
            return
        raise
    assert canonical.decode(canonical.encode(value), bytes_max=BYTES_MAX) == value


@given(payloads, st.integers(0, 2**31 - 1), st.integers(0, 2**48 - 1), st.sampled_from(LaneClass))
def test_an_event_is_read_back_and_genuine(
    payload: dict[str, Any], epoch: int, created_at: int, lane_class: LaneClass
) -> None:
    draft = Draft(
        kind="ANYTHING",
        scope="global",
        lane_class=lane_class,
        task_id=None,
        epoch=epoch,
        created_at=created_at,
        payload=payload,
    )
    signed = draft.sign("net:x", KEY)
    read = event.decode(signed.to_wire())
    assert read.is_genuine()
    assert read == signed
    assert (read.payload, read.epoch, read.created_at) == (payload, epoch, created_at)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_refused(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        event.decode(data)


@given(json_values)
def test_json_has_one_text_and_is_read_back_from_it(value: Any) -> None:
    text = json_text.write(value)
    read = json_text.parse(text, bytes_max=BYTES_MAX)
    assert read == value
    assert json_text.write(read) == text


@given(st.text() | st.binary())
def test_any_text_is_json_or_refused(text: str | bytes) -> None:
    with contextlib.suppress(Malformed):
        json_text.parse(text, bytes_max=BYTES_MAX)


def backwards(value: Any) -> Any:
    """Return the value with the keys of every map in the opposite order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(item) for item in value] if isinstance(value, list) else value
