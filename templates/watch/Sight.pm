# What the kernel tells of DRBD, volumes, links and processes, without starting one.
# Written by pyinfra-san.

package Sight;

use strict;
use warnings;
use Socket qw(PF_INET SOCK_DGRAM SOCK_RAW);

my ($AF_NETLINK, $GET_ADDRESS, $REQUEST_DUMP) = (16, 22, 0x301);    # RTM_GETADDR
my ($ADDRESS, $DONE, $IFA_LOCAL) = (20, 3, 2);                      # RTM_NEWADDR, NLMSG_DONE
my ($GET_FLAGS, $GET_INDEX) = (0x8913, 0x8933);                     # SIOCGIFFLAGS, SIOCGIFINDEX
my ($UP, $RUNNING) = (0x1, 0x40);                                   # IFF_UP, IFF_RUNNING

# The scripts that Heartbeat runs while resources move; one may be a shell that waits for its turn.
our @MOVERS = qw(harc ResourceManager mach_down req_resource hb_standby hb_takeover);

sub line {
    my ($path) = @_;
    open my $file, '<', $path or return '';
    chomp(my $line = <$file> // '');
    return $line;
}

sub uptime { return (split ' ', line('/proc/uptime'))[0] }

# DRBD 8.4's devices by minor: {state, role, peer_role, disk, peer_disk, suspended, out_of_sync}.
sub drbd {
    my (%device, $minor);
    open my $file, '<', '/proc/drbd' or return {};
    while (<$file>) {
        $device{$minor}{out_of_sync} = $1 if defined $minor && /\boos:(\d+)/;    # KiB
        /^\s*(\d+): cs:(\S+) ro:([^\/\s]+)\/(\S+) ds:([^\/\s]+)\/(\S+) +(?:[ABC] )?([rs])/ or next;    # StandAlone has no protocol
        $minor = $1;
        @{ $device{$1} }{qw(state role peer_role disk peer_disk suspended)} = ($2, $3, $4, $5, $6, $7 eq 's');
    }
    return \%device;
}

# The active volumes as {'GROUP/VOLUME' => 1}; device mapper doubles hyphens and joins by one. What isn't
# LVM's (dm-crypt) may have such a name, too, and another uuid.
sub volumes {
    opendir my $blocks, '/sys/block' or return {};
    my %active;
    for my $dm (map { "/sys/block/$_/dm" } grep { /^dm-/ } readdir $blocks) {
        line("$dm/uuid") =~ /^LVM-/ or next;
        my ($group, $volume) = line("$dm/name") =~ /^((?:[^-]|--)+)-((?:[^-]|--)+)$/ or next;
        s/--/-/g for $group, $volume;
        $active{"$group/$volume"} = 1;
    }
    return \%active;
}

# IPv4 addresses as {'192.168.1.1/24/eth2' => 1}, for the interfaces that are named.
sub addresses {
    my %name = map { index_of($_) => $_ } @_;
    socket(my $kernel, $AF_NETLINK, SOCK_RAW, 0) or die "no netlink socket: $!\n";
    send $kernel, pack('L S S L L C x3 L', 24, $GET_ADDRESS, $REQUEST_DUMP, 1, 0, PF_INET, 0), 0,
      pack('S S L L', $AF_NETLINK, 0, 0, 0)
      or die "netlink takes no request: $!\n";
    my %found;
    while (1) {
        defined recv $kernel, my $data, 65536, 0 or die "netlink does not answer: $!\n";
        while (length $data >= 16) {
            my ($length, $kind) = unpack 'L S', $data;
            my $message = substr $data, 0, ($length + 3) & ~3, '';
            return \%found if $kind == $DONE;
            die "netlink answers with an error\n" if $kind != $ADDRESS;
            my ($prefix, $index) = unpack 'x16 x C x x L', $message;
            my $name = $name{$index} // next;
            my $parts = substr $message, 24;
            while (length $parts >= 4) {
                my ($size, $type) = unpack 'S S', $parts;
                my @byte = unpack 'x4 C4', $parts;
                $found{ join('.', @byte) . "/$prefix/$name" } = 1 if $type == $IFA_LOCAL;
                substr $parts, 0, ($size + 3) & ~3, '';
            }
        }
    }
}

sub interface {
    my ($ioctl, $name) = @_;
    socket(my $any, PF_INET, SOCK_DGRAM, 0) or die "no socket: $!\n";
    my $request = pack 'a16 x24', $name;
    return ioctl($any, $ioctl, $request) ? substr $request, 16 : undef;
}

sub index_of { return unpack 'l', interface($GET_INDEX, $_[0]) // pack 'l', -1 }

# What keeps frames from an interface; nothing where it is well. `down` can be mended from here.
sub link_amiss {
    my ($name) = @_;
    my $flags = interface($GET_FLAGS, $name) // return 'absent';
    $flags = unpack 'S', $flags;
    return !($flags & $UP) ? 'down' : !($flags & $RUNNING) ? 'without carrier' : undef;
}

sub heartbeat_runs {
    my $pid = line('/run/heartbeat.pid') =~ s/\s+//gr;
    return $pid =~ /^\d+$/ && line("/proc/$pid/comm") eq 'heartbeat';
}

# The names of Heartbeat's scripts at work.
sub movers {
    opendir my $processes, '/proc' or return ();
    my %name = map { line("/proc/$_/comm") => 1 } grep { /^\d+$/ } readdir $processes;
    return grep { $name{$_} } @MOVERS;
}

# Whether somebody holds the lock of a file: asked of the kernel, so that nobody meets ours.
sub locked {
    my ($path) = @_;
    my @about = stat $path or return 0;
    my $inode = sprintf '%02x:%02x:%d', $about[0] >> 8 & 0xfff, $about[0] & 0xff | $about[0] >> 12 & 0xfff00, $about[1];
    open my $locks, '<', '/proc/locks' or return 0;
    return scalar grep { / \Q$inode\E / } <$locks>;
}

# Whether a pyinfra run holds the cluster's lock: its file has the process that does, and its start. A
# command of it may outlive it, and holds the file itself.
sub run_at_work {
    my ($path) = @_;
    open my $lock, '<', $path or return 0;
    return 1 if !flock $lock, 6;    # LOCK_EX | LOCK_NB
    my ($pid, $start) = split ' ', line($path);
    return 0 if !$start;
    my ($rest) = line("/proc/$pid/stat") =~ /^.*\) (.*)/ or return 0;
    return (split ' ', $rest)[19] eq $start;
}

1;
