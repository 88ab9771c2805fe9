"""The terms of a task: complete and strict in the log, short and forgiving on paper.

`model` has the fields, `rules` what each must be (one table, for reading and for writing),
`setting` the defaults, `conversion` the forms that people write, `quorum` what the roles allow, and
`document` puts them together.
"""

from wattswarm.kernel.contract.document import resolve, sample
from wattswarm.kernel.contract.model import (
    Allocator,
    BudgetMode,
    Contract,
    Independence,
    Mode,
    Places,
    Reuse,
    Settlement,
    StageUnits,
    to_payload,
)
from wattswarm.kernel.contract.quorum import voters_max
from wattswarm.kernel.contract.rules import Problem, read

__all__ = [
    "Allocator",
    "BudgetMode",
    "Contract",
    "Independence",
    "Mode",
    "Places",
    "Problem",
    "Reuse",
    "Settlement",
    "StageUnits",
    "read",
    "resolve",
    "sample",
    "to_payload",
    "voters_max",
]
