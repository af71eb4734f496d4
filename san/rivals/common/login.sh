#!/bin/sh
# The client: a session through each portal. Fails where one doesn't answer yet.
set -eu
for portal in 192.168.1.1 192.168.2.1; do
    iscsiadm --mode discovery --type sendtargets --portal $portal
done
iscsiadm --mode node --login
