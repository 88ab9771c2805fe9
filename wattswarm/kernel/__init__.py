"""The rules. Pure: no clock, no dice, no I/O, no logging; time and entropy come in as arguments.

Two halves: *derive* (a set of events becomes state and verdicts) and *decide* (state, a command and
the time become drafts of events, or a refusal that says why).
"""
