"""The table of codes is whole: what the kernel gives, it explains."""

import re
from pathlib import Path

from wattswarm.kernel.codes import CODES, CONTRACT, FORM, REFUSALS, VERDICTS, WORDS

KERNEL = Path(__file__).parents[3] / "wattswarm" / "kernel"
GIVEN = re.compile(
    r'(?:ignored|refuse|Ignored|_ignore)\(\s*(?:name, )?"([a-z_]+)"'
    r'|code="([a-z_]+)"|Problem\([^,()]*, "([a-z_]+)"'
)


def given() -> set[str]:
    """Return every code that stands in the kernel's source."""
    found: set[str] = set()
    for path in KERNEL.rglob("*.py"):
        for match in GIVEN.finditer(path.read_text()):
            found |= {code for code in match.groups() if code}
    return found


def test_every_code_that_the_kernel_gives_is_in_the_table() -> None:
    assert given() - CODES.keys() == set()


def test_every_code_of_verdicts_and_refusals_is_given_somewhere() -> None:
    source = "".join(path.read_text() for path in KERNEL.rglob("*.py") if path.name != "codes.py")
    unused = {code for code in {**VERDICTS, **REFUSALS} if f'"{code}"' not in source}
    assert unused == {"lock_refused", "signing_stopped"}, "given by the log writer"


def test_sentences_are_sentences() -> None:
    for code, sentence in {**FORM, **CONTRACT, **VERDICTS, **REFUSALS, **WORDS}.items():
        assert sentence.endswith("."), code
        assert sentence[0].islower(), code
