"""The examples are what they say: contracts that resolve, documents that are theirs, ten lines."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.executor_side import verification
from wattswarm.executors.contract import Outcome
from wattswarm.executors.policy_check import policy_of
from wattswarm.executors.reference.document import read_document
from wattswarm.executors.reference.summary import METHODS
from wattswarm.executors.reference.task import output
from wattswarm.executors.reference.verification import judge
from wattswarm.kernel import contract, json_text
from wattswarm.kernel.contract import Contract
from wattswarm.kernel.limits import INPUTS_INLINE_BYTES_MAX
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.version import local_genesis, network_id_of

EXAMPLES = Path(__file__).parents[3] / "examples"
CONTRACTS = sorted((EXAMPLES / "contracts").glob("*.json"))
DOCUMENTS = sorted((EXAMPLES / "documents").glob("*.txt"))
NODE = KeyPair.from_seed(bytes(32)).node_id


def _resolved(path: Path) -> Contract:
    pin = local_genesis(NODE)
    found = contract.resolve(
        json.loads(path.read_text("utf-8")),
        network_id=network_id_of(pin),
        pin=pin,
        created_at=1_700_000_000_000,
        creator=NODE,
    )
    assert isinstance(found, Contract), found
    return found


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_a_contract_resolves_and_is_about_one_of_the_documents(path: Path) -> None:
    found = _resolved(path)
    document = json.loads(path.read_text("utf-8"))
    assert document["inputs"]["document"] in {item.read_text("utf-8") for item in DOCUMENTS}
    assert len(json_text.write(document["inputs"]).encode()) <= INPUTS_INLINE_BYTES_MAX
    assert (found.max_proposers, found.max_verifiers, found.independence) == (3, 3, "executor")


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_does_what_a_contract_asks(path: Path, method: str) -> None:
    document = json.loads(path.read_text("utf-8"))
    request = verification(
        output(document["task_type"], method, document["inputs"]),
        inputs=document["inputs"],
        output_schema=document["output_schema"],
        policy=policy_of(_resolved(path).policy),
        task_type=document["task_type"],
    )
    assert judge(request).outcome is Outcome.PASSED


def test_the_readme_counts_right() -> None:
    readme = (EXAMPLES / "README.md").read_text("utf-8")
    for path in DOCUMENTS:
        count = len(read_document(path.read_text("utf-8")).sentences)
        (line,) = [line for line in readme.splitlines() if f"`documents/{path.name}`" in line]
        assert line.endswith(f"| {count} |")


def test_one_document_is_long() -> None:
    counts = [len(read_document(path.read_text("utf-8")).sentences) for path in DOCUMENTS]
    assert max(counts) >= 60


def test_ten_lines_are_enough_for_an_executor() -> None:
    text = (EXAMPLES / "executor_ten_lines.py").read_text("utf-8")
    assert len([line for line in text.splitlines() if line.strip()]) <= 10


HASHES = """
import hashlib, pathlib, sys
from wattswarm.executors.fields import write
from wattswarm.executors.reference.summary import METHODS
from wattswarm.executors.reference.task import output
text = pathlib.Path(sys.argv[1]).read_text("utf-8")
made = [output("summarize", name, {"text": text}) for name in METHODS]
made.append(output("keywords", "", {"text": text}))
print(hashlib.sha256(write(made)).hexdigest())
"""


def test_outputs_do_not_hang_on_the_hash_seed() -> None:
    path = str(EXAMPLES / "documents" / "federalist_10.txt")
    hashes = {
        subprocess.run(
            [sys.executable, "-c", HASHES, path],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(hashes) == 1
