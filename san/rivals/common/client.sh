#!/bin/sh
# The client, once its packages and files are there: Debian's iscsid.conf with three values changed.
set -eu
for setting in node.session.timeo.replacement_timeout=5 \
    'node.conn\[0\].timeo.noop_out_interval=2' 'node.conn\[0\].timeo.noop_out_timeout=2'; do
    sed -i "s/^\(${setting%=*}\) = .*/\1 = ${setting#*=}/" /etc/iscsi/iscsid.conf
done
systemctl restart systemd-networkd
sysctl --quiet --system
systemctl restart multipathd
