# The resource group as haresources has it, started and stopped as Heartbeat's own ResourceManager
# does, without its hundred processes. Written by pyinfra-san.
#
# - A line of haresources is a node and its resources, SCRIPT or SCRIPT::ARGUMENT::ARGUMENT, started
#   from left to right and stopped in reverse; the first one is the group's key.
# - A script of ours runs in a fork of this program: nothing is executed, and its start is repeatable,
#   so it isn't asked for its status first, unless the node serves already. Any other is executed, and
#   asked.
# - What is logged has ResourceManager's words: people and programs know them.

package Group;

use strict;
use warnings;

my $HARESOURCES = '/etc/ha.d/haresources';
my @SCRIPTS     = ('/etc/ha.d/resource.d', '/etc/init.d');
my $STANDBY     = '/usr/share/heartbeat/hb_standby';
my $FENCE       = '/usr/local/sbin/san-fence';
my $LIMIT_S     = 90;    # seconds for a script; one that hangs is killed, and has failed
my $STUCK_S     = 5;     # seconds that a killed one may take: in I/O that hangs it never ends
my $STOP_TRIES  = 10;    # further ones, a second apart, while the limit lasts
my $STANDBY_S   = 30;    # seconds after a failed start until the peer is asked to take the group,
my $MOVES_S     = 300;   # and more while resources move
my ($AF_UNIX, $SOCK_DGRAM, $MSG_DONTWAIT, $LOCAL0_ERR, $LOCAL0_INFO) = (1, 2, 0x40, 131, 134);
my ($F_SETFL, $O_NONBLOCK) = (4, 04000);

our $NAME = 'ResourceManager';    # who logs
my $asks = 0;                     # whether ours are asked for their status, too, before a start

# The groups: [NODE, RESOURCE ...], the node in lower case. A line may go on after a backslash.
sub groups {
    open my $file, '<', $HARESOURCES or return ();
    my @group;
    while (defined(my $line = <$file>)) {
        $line =~ s/#.*//s;
        chomp $line;
        $line .= <$file> // '' while $line =~ s/\\\n?$// && !eof $file;
        my ($node, @resource) = split ' ', $line;
        push @group, [lc $node, @resource] if defined $node;
    }
    return @group;
}

# The keys of the groups whose node matches, as ResourceManager takes it: a name, or `.*`.
sub keys_of {
    my ($node) = @_;
    return map { $_->[1] // () } grep { $_->[0] =~ /^(?:$node)$/i } groups();
}

sub named {
    my ($key) = @_;
    my ($group) = grep { my @words = @$_; grep { $_ eq $key } @words[1 .. $#words] } groups();
    return $group;
}

# The program and the arguments of a resource; a bare address stands for IPaddr.
sub program {
    my ($resource) = @_;
    my ($script, @arguments) = split /::/, $resource =~ /^\d+(?:\.\d+){3}/ ? "IPaddr::$resource" : $resource;
    for my $directory (@SCRIPTS) {
        my $path = "$directory/$script";
        return ($path, map { split ' ' } @arguments) if -f $path && -x _;
    }
    record($LOCAL0_ERR, "ERROR: Cannot locate resource script $script");
    return;
}

sub ours {
    open my $script, '<', $_[0] or return 0;
    my $head = join '', map { scalar(<$script>) // '' } 1 .. 3;
    return $head =~ m{\A#!/usr/bin/perl\n} && $head =~ /Written by pyinfra-san/;
}

# The process of a script's call; what it prints goes to a handle, or where ours goes.
sub begin {
    my ($output, $path, @words) = @_;
    defined(my $pid = fork) or return;
    return $pid if $pid;
    if ($output) { open STDOUT, '>&', $output }
    if (!ours($path)) { exec $path, @words or exit 127 }
    @ARGV = @words;
    do $path;
    print STDERR "$path: no exit of its own: ", $@ || $!, "\n";
    exit 1;
}

# The exit status of that process; undefined where it had to be killed.
sub ended {
    my ($pid) = @_;
    my $killed = 0;
    local $SIG{ALRM} = sub {
        die "it hangs\n" if $killed++;
        kill 'KILL', $pid, descendants($pid);
        alarm $STUCK_S;
    };
    alarm $LIMIT_S;
    my $code = eval { waitpid($pid, 0) > 0 ? $? >> 8 || $? & 127 : 1 } // 1;
    alarm 0;
    record($LOCAL0_ERR, "ERROR: killed after $LIMIT_S s without an end") if $killed;
    return $killed ? undef : $code;
}

# What a process has started, and that: no process group of their own, since Heartbeat kills by its.
sub descendants {
    my %parent;
    for (glob '/proc/[0-9]*/stat') {
        open my $stat, '<', $_ or next;
        my ($pid, $parent) = (<$stat> // '') =~ /^(\d+) \(.*\) \S (\d+)/s or next;
        $parent{$pid} = $parent;
    }
    my @found = @_;
    for my $of (@found) { push @found, grep { $parent{$_} == $of } keys %parent }
    return @found[scalar @_ .. $#found];
}

# Whether a resource is held, by its script's word; undefined where it gives none.
sub running {
    my ($resource) = @_;
    my ($path, @arguments) = program($resource) or return 0;
    # No pipe that perl opens: its close, at the latest at our exit, waits for what hangs.
    pipe my $said, my $says or return;
    my $pid = begin($says, $path, @arguments, 'status') // return;
    close $says;
    ended($pid) // return;
    my $word = '';
    fcntl $said, $F_SETFL, $O_NONBLOCK;    # what it has left behind may hold the other end
    sysread $said, $word, 65536;
    return $word !~ /not\s+running/i && $word =~ /running|OK/i;
}

# Whether this node serves already, or half: a group is then taken once more, and nothing that runs is
# to be started again. Not by Sight, for whose loading a takeover would wait.
sub primary {
    open my $drbd, '<', '/proc/drbd' or return 0;
    return scalar grep { m{ ro:Primary/} } <$drbd>;
}

# Calls the resources' scripts, all at once; the first resource that fails, if one does.
sub run {
    my ($action, @resource) = @_;
    my @begun;
    for my $resource (@resource) {
        my ($path, @arguments) = program($resource) or return $resource;
        next if $action eq 'start' && ($asks || !ours($path)) && running($resource);
        record($LOCAL0_INFO, join ' ', "info: Running $path", @arguments, $action);
        push @begun, [$resource, $path, begin(undef, $path, @arguments, $action)];
    }
    my @failed;
    for (@begun) {
        my ($resource, $path, $pid) = @$_;
        my $code = defined $pid ? ended($pid) // 1 : 1 or next;
        record($LOCAL0_ERR, "ERROR: Return code $code from $path");
        push @failed, $resource;
    }
    return $failed[0];
}

# What starts at once: neighbours with one script of ours, like the portals. They don't build on each
# other.
sub steps {
    my @step;
    my $before = '';
    for my $resource (@_) {
        my ($path) = program($resource);
        if (@step && $path && $path eq $before && ours($path)) { push @{ $step[-1] }, $resource }
        else                                                   { push @step, [$resource] }
        $before = $path // '';
    }
    return @step;
}

# Whether the whole group has started.
sub take {
    my ($key) = @_;
    my ($node, @resource) = @{ named($key) // [] };
    if (!$node) { complain("haresources has no group $key"); return 0 }
    $asks = primary();
    record($LOCAL0_INFO, "info: Acquiring resource group: $node @resource");
    for my $step (steps(@resource)) {
        my $failed = run('start', @$step) // next;
        record($LOCAL0_ERR, "CRIT: Giving up resources due to failure of $failed");
        give($key);
        defer_to_peer($node);
        return 0;
    }
    return 1;
}

# The peer may be able to start what this node can't: it is asked to, a while later, unless the watch has
# taken the group once more meanwhile.
sub defer_to_peer {
    my ($node) = @_;
    return if fork // 1;
    setpgrp;
    if (open my $name, '>', '/proc/self/comm') { syswrite $name, 'san-standby' }    # nothing moves
    open STDIN,  '<', '/dev/null';
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', '/dev/null';
    select undef, undef, undef, $STANDBY_S;
    require Sight;
    for (1 .. $MOVES_S / 2) {
        last if !Sight::movers();
        select undef, undef, undef, 2;
    }
    exit 0 if primary();
    exec $STANDBY, $node eq lc host() ? 'local' : 'foreign';
    exit 1;
}

# Whether the whole group has stopped.
sub give {
    my ($key) = @_;
    my ($node, @resource) = @{ named($key) // return 1 };
    record($LOCAL0_INFO, "info: Releasing resource group: $node @resource");
    for my $resource (reverse @resource) {
        my $began   = uptime();
        my $stopped = !run('stop', $resource);
        for (1 .. $STOP_TRIES) {
            last if $stopped || uptime() - $began > $LIMIT_S;
            select undef, undef, undef, 1;
            record($LOCAL0_INFO, "info: Retrying failed stop operation [$resource]");
            $stopped = !run('stop', $resource);
        }
        next if $stopped || !(running($resource) // 1);
        # What can't be stopped may go on writing beside the peer.
        record($LOCAL0_ERR, 'CRIT: Resource STOP failure. Reboot required!');
        exec $FENCE, 'reset', "$resource can't be stopped" or return 0;
    }
    return 1;
}

# Seconds since the boot: no clock sets them.
sub uptime {
    open my $uptime, '<', '/proc/uptime' or return 0;
    return (split ' ', <$uptime>)[0];
}

sub host {
    open my $name, '<', '/proc/sys/kernel/hostname' or return '';
    chomp(my $host = <$name> // '');
    return $host;
}

# Heartbeat's debug log, where it keeps one; else nobody reads what scripts say.
sub mute {
    open STDIN, '<', '/dev/null';
    my $log = $ENV{HA_DEBUGLOG} || '/dev/null';
    open STDOUT, '>>', $log or open STDOUT, '>', '/dev/null';
    open STDERR, '>&', \*STDOUT;
}

sub record {
    my ($priority, $sentence) = @_;
    socket(my $log, $AF_UNIX, $SOCK_DGRAM, 0) or return;
    connect($log, pack 'S Z108', $AF_UNIX, '/dev/log') or return;
    send $log, "<$priority>$NAME\[$$]: $sentence", $MSG_DONTWAIT;    # a log that hangs is no reason
}

sub complain { record($LOCAL0_ERR, "ERROR: $_[0]") }

sub note { record($LOCAL0_INFO, "info: $_[0]") }

1;
