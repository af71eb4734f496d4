"""Every fact's case files (tests/facts/MODULE.FACT/*.yaml), by pyinfra's own harness.

A case has the fact's arguments, a host's answer, and the state that it becomes; where it has the
command too, that is compared. The harness warns of those that haven't: one a fact is enough.
"""

from pathlib import Path

import pytest
from pyinfra_testing.facts import make_fact_tests

pytestmark = pytest.mark.filterwarnings("ignore:No command set for test")

for _directory in sorted(Path(__file__).parent.glob("*.*/")):
    globals()[f"Test{_directory.name}"] = make_fact_tests("facts", _directory.name, _directory)
