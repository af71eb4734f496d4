#!/bin/sh
# The client, once its packages and files are there.
set -eu
networkctl reload
sysctl --quiet --system
systemctl restart multipathd
