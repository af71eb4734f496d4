"""`san drill`: faults for a running cluster in the lab."""
