"""The trailer of an archive: what stands in its place and is none."""

import cbor2
import pytest

from wattswarm.kernel.archive import archive, read
from wattswarm.kernel.errors import Malformed

NETWORK = "local:" + "ab" * 32


@pytest.mark.parametrize(
    "trailer",
    [
        {"hash": bytes(31), "events": 0},
        {"hush": bytes(32), "events": 0},
        {"hash": bytes(32), "evvnts": 0},
    ],
)
def test_an_item_of_the_form_of_a_trailer_that_says_something_else_is_refused(
    trailer: dict[str, object],
) -> None:
    whole = archive(NETWORK, [])
    right = cbor2.dumps({"hash": bytes(32), "events": 0}, canonical=True)
    header = whole[: len(whole) - len(right)]
    with pytest.raises(Malformed) as caught:
        read(header + cbor2.dumps(trailer, canonical=True))
    assert caught.value.code == "not_an_event"
    assert "a trailer is expected at byte 111" in str(caught.value)
