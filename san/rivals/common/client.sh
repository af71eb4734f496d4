#!/bin/sh
# The client, once its packages and files are there.
set -eu
systemctl restart systemd-networkd
sysctl --quiet --system
systemctl restart multipathd
