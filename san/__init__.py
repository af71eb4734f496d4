"""A redundant iSCSI store from two Debian servers: the domain, free of pyinfra."""
