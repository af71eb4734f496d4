#!/bin/sh
# One node: both replicas are the same without a sync, and hold one volume.
set -eu
drbdadm wait-connect r0
drbdadm new-current-uuid --clear-bitmap r0/0
drbdadm primary r0
pvcreate --quiet /dev/drbd0
vgcreate --quiet storage /dev/drbd0
lvcreate --quiet --yes --name test --size 512M storage
vgchange --quiet --activate n storage
drbdadm secondary r0
