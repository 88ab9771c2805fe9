"""The arrival chain, the digest of a scope, and the smallest tries, by hand."""

import pytest

from wattswarm.kernel import canonical, chain, radix_trie
from wattswarm.kernel.hashing import CHAIN_START, Context, digest
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.radix_trie import EMPTY, LEAF_KEYS_MAX, Summary
from wattswarm.kernel.scope_digest import scope_digest, whole_digest

A, B = (EventId(bytes([number]) * 32) for number in (1, 2))


def test_a_link_hashes_the_one_before_and_the_id() -> None:
    first = digest(Context.CHAIN, CHAIN_START, A)
    assert chain.link(chain.START, A) == first
    assert chain.links(chain.START, [A, B]) == (first, digest(Context.CHAIN, first, B))
    assert chain.links(chain.START, []) == ()


def test_the_order_of_arrival_shows_in_the_chain() -> None:
    assert chain.links(chain.START, [A, B])[-1] != chain.links(chain.START, [B, A])[-1]


def test_a_leaf_hashes_its_keys_in_order() -> None:
    assert radix_trie.build([]) == EMPTY == Summary(0, digest(Context.TRIE_LEAF))
    assert radix_trie.build([A, B]) == Summary(2, digest(Context.TRIE_LEAF, A, B))


def test_one_key_more_than_a_leaf_holds_makes_an_inner_node() -> None:
    keys = [bytes([number, 0]) for number in range(LEAF_KEYS_MAX + 1)]
    pages: dict[str, radix_trie.Page] = {}
    assert radix_trie.build(keys[:-1], pages) == radix_trie.leaf(keys[:-1])
    assert pages == {}
    root = radix_trie.build(keys, pages)
    assert list(pages) == [""]
    children = [keys[start : start + 16] for start in range(0, len(keys), 16)]
    encoded = b"".join(
        bytes([nibble]) + len(child).to_bytes(8, "big") + digest(Context.TRIE_LEAF, *child)
        for nibble, child in enumerate(children)
    )
    assert radix_trie.encode_page(pages[""]) == encoded
    assert root == Summary(LEAF_KEYS_MAX + 1, digest(Context.TRIE_NODE, encoded))


def test_a_scope_digest_is_bound_to_its_scope_and_groups() -> None:
    one, two = (Digest(bytes([number]) * 32) for number in (8, 9))
    root = radix_trie.build([A + one, B + two])
    wanted = digest(Context.DIGEST, canonical.encode(["node:a", 2, root.digest]))
    assert scope_digest("node:a", [(A, one), (B, two)]) == wanted
    assert scope_digest("node:b", [(A, one), (B, two)]) != wanted
    assert scope_digest("node:a", [(A, two), (B, one)]) != wanted


def test_the_digest_of_a_node_is_one_of_all_its_scopes_in_order_of_their_names() -> None:
    one, two = (Digest(bytes([number]) * 32) for number in (8, 9))
    wanted = digest(Context.DIGEST, canonical.encode([["global", one], ["node:a", two]]))
    assert whole_digest({"node:a": two, "global": one}) == wanted
    assert whole_digest({"node:a": one, "global": two}) != wanted
    assert whole_digest({}) == digest(Context.DIGEST, canonical.encode([]))


@pytest.mark.parametrize(
    "damaged",
    [
        b"\x00" + bytes(8) + bytes(32),  # no key below a child
        b"\x10" + (1).to_bytes(8, "big") + bytes(32),  # a seventeenth child
        b"\x01" * 2,  # half a child
    ],
)
def test_bytes_of_no_page_are_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="a page"):
        radix_trie.decode_page(damaged)


def test_children_of_a_page_stand_in_order_and_once() -> None:
    first, second = (bytes([nibble]) + (1).to_bytes(8, "big") + bytes(32) for nibble in (3, 4))
    assert list(radix_trie.decode_page(first + second)) == ["3", "4"]
    for damaged in (second + first, first + first):
        with pytest.raises(ValueError, match="after"):
            radix_trie.decode_page(damaged)
