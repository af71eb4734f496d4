"""One node gives up what it changed in a split brain: `san recover split-brain` runs this.

Nothing is changed without `--data victim=NODE`. Its data is saved first, then its changes are
given up, and what the other side has is copied over them. Interrupted anywhere, the next run goes
on.
"""

from operations import recover

recover.safe(name="Look at both sides, and take the cluster's lock")

recover.demoted(name="The victim stops writing")
recover.saved(name="The victim's data is saved")
recover.discarded(name="The victim gives up its changes")
recover.connected(name="The other side connects")

recover.copied(name="Both nodes have the same data")
recover.compared(name="Every block is compared")
recover.equal(name="Every block is the same")
