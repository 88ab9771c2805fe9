"""Contracts as they are shown."""

from tests.support.scene import local_scene
from wattswarm.kernel.contract import Contract, resolve
from wattswarm.operations.contract_view import contract_view


def test_a_shown_contract_resolves_to_itself() -> None:
    stage = local_scene(inputs={"text": "some", "n": [1, 2.5]}, policy="vp.schema_thresholds.v1")
    terms = stage.state.terms
    shown = contract_view(terms)
    assert shown["inputs"] == {"text": "some", "n": [1, 2.5]}
    again = resolve(
        shown,
        network_id=stage.network.network_id,
        pin=stage.network.genesis,
        created_at=stage.task.created_at,
        creator=stage.task.author,
    )
    assert isinstance(again, Contract), again
    assert again == terms
