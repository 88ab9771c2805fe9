"""The duty roster: what a node should do next for a task, from derived state and the time alone.

`due` names every duty that is outstanding, each with a key: whoever carries them out starts none
twice at a time, and after any restart the same call says what is left. Duties without I/O come with
the events to sign; in networks of several nodes they are carried out only on a state that has
reached the head of the log. `carry` gives, in a network of one, all that follows at once as one
batch, and what is outstanding then.
"""

from wattswarm.kernel.duty.desk import ExecutorOffer
from wattswarm.kernel.duty.kinds import (
    FOLLOWING,
    Approve,
    Check,
    Claim,
    Confirm,
    Decide,
    Duty,
    Execute,
    Finalize,
    Key,
    RejectReuse,
    Release,
    Renew,
    Retry,
    Reveal,
    Signed,
    Verify,
    Vote,
)
from wattswarm.kernel.duty.roster import Course, Roster, carry, due

__all__ = [
    "FOLLOWING",
    "Approve",
    "Check",
    "Claim",
    "Confirm",
    "Course",
    "Decide",
    "Duty",
    "Execute",
    "ExecutorOffer",
    "Finalize",
    "Key",
    "RejectReuse",
    "Release",
    "Renew",
    "Retry",
    "Reveal",
    "Roster",
    "Signed",
    "Verify",
    "Vote",
    "carry",
    "due",
]
