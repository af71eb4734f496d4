"""Faults, and the client that watches for lost writes while they happen."""
