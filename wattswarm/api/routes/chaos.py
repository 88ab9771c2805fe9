"""Fault injection; routed only when chaos.enabled is set."""

from typing import Final

from wattswarm.api.operation import PREFIX, Operation, Parameter
from wattswarm.surface.chaos import ArmedFault, ChaosView, Disarmed, FaultOrder, FaultPoints

CHAOS: Final = f"{PREFIX}/chaos"

OPERATIONS: Final = (
    Operation(
        method="GET",
        path=f"{CHAOS}/points",
        name="list_fault_points",
        summary="All named places where a fault can be injected.",
        call=lambda call: call.api.fault_points(),
        answer=FaultPoints,
        codes=("chaos_disabled",),
    ),
    Operation(
        method="GET",
        path=f"{CHAOS}/faults",
        name="list_faults",
        summary="What is armed.",
        call=lambda call: call.api.faults(),
        answer=ChaosView,
        codes=("chaos_disabled",),
    ),
    Operation(
        method="POST",
        path=f"{CHAOS}/faults",
        name="arm_fault",
        summary="Arm a fault; it expires.",
        call=lambda call: call.api.arm(call.body),
        body=FaultOrder,
        answer=ArmedFault,
        status=201,
        codes=("chaos_disabled", "fault_invalid"),
    ),
    Operation(
        method="DELETE",
        path=f"{CHAOS}/faults",
        name="disarm_faults",
        summary="Disarm one fault, or all.",
        call=lambda call: call.api.disarm(call.query["fault_id"]),
        query=(Parameter(name="fault_id", meaning="The fault; left out: all.", kind=int),),
        answer=Disarmed,
        codes=("chaos_disabled",),
    ),
)
