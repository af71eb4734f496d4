"""The test's clusters, as simulated hosts."""

import os
import pickle
from pathlib import Path

_site = pickle.loads(Path(os.environ["SAN_WORLD"], "site").read_bytes())  # noqa: S301 (our own)
_others = Path(os.environ["SAN_WORLD"], "others")
_FAKE = {"fake_delay": 0, "fake_delay_jitter": 0}

nodes = [(f"@fake/{name}", {**data, **_FAKE}) for name, data in _site.nodes()]
clients = [(f"@fake/{name}", {**data, **_FAKE}) for name, data in _site.initiators()]
others = (
    [
        (f"@fake/{name}", {**data, **_FAKE})
        for name, data in pickle.loads(_others.read_bytes())  # noqa: S301 (our own)
    ]
    if _others.exists()
    else []
)
