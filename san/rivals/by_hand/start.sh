#!/bin/sh
# Either node: Heartbeat starts the target, the boot doesn't.
set -eu
systemctl disable --now tgt
systemctl enable --now drbd
systemctl restart heartbeat
