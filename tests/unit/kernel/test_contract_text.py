"""A name that no event could carry is a problem of the document, like any other."""

import pytest

from tests.laws.world import START_MS
from tests.support.scene import scene
from wattswarm.kernel import contract, decide
from wattswarm.kernel.errors import Rejection


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_a_name_that_cannot_be_signed_is_refused_with_its_path(name: str) -> None:
    stage = scene()
    found = decide.create_task(
        {**contract.sample(), "name": name},
        governance=stage.governance,
        network_id=stage.network.network_id,
        key_node=stage.cast[0].node_id,
        now_ms=START_MS,
    )
    assert isinstance(found, Rejection)
    assert found.code == "contract_invalid"
    assert "$.name" in str(found.details["errors"])
