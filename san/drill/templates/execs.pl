#!/usr/bin/perl
# Logs each exec event of the kernel's process connector: when (seconds of the kernel's monotonic
# clock), pid, parent, command line. A process that has ended by the time it is looked at is logged
# without the latter two. perl-base is all it needs.
#
#   execs.pl LOG        returns when the kernel tells it of execs; the logging goes on without us
use strict;
use warnings;

# linux/netlink.h, linux/connector.h, linux/cn_proc.h, asm-generic/socket.h
use constant {
    AF_NETLINK => 16, SOCK_DGRAM => 2, NETLINK_CONNECTOR => 11, NLMSG_DONE => 3,
    CN_IDX_PROC => 1, CN_VAL_PROC => 1, PROC_CN_MCAST_LISTEN => 1, PROC_EVENT_EXEC => 2,
    SOL_SOCKET => 1, SO_ATTACH_FILTER => 26, SO_RCVBUFFORCE => 33,
    WHAT => 36, # where an event's kind stands: behind nlmsghdr (16 bytes) and cn_msg (20)
};

open my $log, '>', $ARGV[0] or die "$ARGV[0]: $!\n";
$log->autoflush;
open my $id, '<', '/proc/sys/kernel/random/boot_id' or die "boot id: $!\n";
my $boot = <$id>;
$boot =~ tr/-\n//d;
print $log "boot $boot\n";

socket my $kernel, AF_NETLINK, SOCK_DGRAM, NETLINK_CONNECTOR or die "no process connector: $!\n";
setsockopt $kernel, SOL_SOCKET, SO_RCVBUFFORCE, pack 'l', 4 << 20 or die "receive buffer: $!\n";
# Forks and exits are most of what the kernel tells, and each would wake us: a socket filter lets
# execs through alone. It loads big-endian, the event is in the machine's own order.
my $filter = pack('S C C L', 0x20, 0, 0, WHAT)                               # load a word
    . pack('S C C L', 0x15, 0, 1, unpack 'N', pack 'L', PROC_EVENT_EXEC)    # equal? else skip one
    . pack('S C C L', 0x06, 0, 0, 0xffffffff)                               # the whole message
    . pack('S C C L', 0x06, 0, 0, 0);                                       # none of it
setsockopt $kernel, SOL_SOCKET, SO_ATTACH_FILTER, pack 'S x6 P', 4, $filter or die "filter: $!\n";
bind $kernel, pack 'S x2 L L', AF_NETLINK, 0, CN_IDX_PROC or die "process connector: $!\n";
my $listen = pack 'L L L L S S L', CN_IDX_PROC, CN_VAL_PROC, 0, 0, 4, 0, PROC_CN_MCAST_LISTEN;
my $header = pack 'L S S L L', 16 + length $listen, NLMSG_DONE, 0, 0, 0;
send $kernel, $header . $listen, 0 or die "process connector: $!\n";

my $child = fork // die "fork: $!\n";
exit 0 if $child;
while (1) {
    my $event;
    if (!defined recv $kernel, $event, 4096, 0) {
        # the receive buffer was full: events are missing, and a count would be too small
        print $log "missed $!\n" if !$!{EINTR};
        next;
    }
    my ($nanoseconds, $pid) = unpack 'x' . (WHAT + 8) . ' Q L', $event;
    printf $log "exec %.6f %d %d %s\n", $nanoseconds / 1e9, $pid, parent($pid), command($pid);
}

sub command {
    open my $file, '<', "/proc/$_[0]/cmdline" or return '';
    local $/;
    my $words = <$file> // '';
    $words =~ tr/\0\n/  /;
    $words =~ s/ +$//;
    return substr $words, 0, 200;
}

sub parent {
    open my $file, '<', "/proc/$_[0]/stat" or return 0;
    my ($parent) = (<$file> // '') =~ /.*\) \S (\d+)/;
    return $parent // 0;
}
