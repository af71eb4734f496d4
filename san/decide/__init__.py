"""Wanted and observed, of both nodes, to what may be done where, or a refusal that says why."""
