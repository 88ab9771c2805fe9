"""The documents for operators say what the code does."""

import re

import pytest

from tests.support.documents import DOCS, TABLES, current
from wattswarm.cli.failure import REMEDY_BY_CODE
from wattswarm.config.load import SETTINGS

DOCUMENTS = sorted(DOCS.glob("*.md"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_the_tables_are_made_from_the_code(path) -> None:
    text = path.read_text()
    assert text == current(text), "run python -m tests.support.documents"


def test_every_table_stands_in_some_document() -> None:
    text = "".join(path.read_text() for path in DOCUMENTS)
    assert set(re.findall(r"<!-- table: (\w+) -->", text)) == set(TABLES)


def test_settings_that_remedies_and_documents_name_exist() -> None:
    text = "".join(path.read_text() for path in DOCUMENTS) + " ".join(REMEDY_BY_CODE.values())
    sections = "|".join(sorted({path.partition(".")[0] for path in SETTINGS} - {"node", "log"}))
    named = set(re.findall(rf"\b(?:{sections})\.[a-z_]+(?:\.[a-z_]+)?\b(?=[`= ])", text))
    points = {name for name in named if name.endswith((".before", ".after"))}
    assert named - points <= SETTINGS.keys()
