# An iSCSI initiator (RFC 7143), as much of one as a look takes: login, REPORT LUNS, READ, logout.
# Written by pyinfra-san.

package Initiator;

use strict;
use warnings;
use Socket qw(PF_INET SOCK_STREAM SOL_SOCKET SO_RCVTIMEO SO_SNDTIMEO inet_aton pack_sockaddr_in);

# A name of nobody's domain: it tells the watch's session from a client's.
our $NAME = 'iqn.2026-11.invalid.san-watch:node';

my $PORT = 3260;
my ($LOGIN_ANSWER, $SCSI_ANSWER, $DATA_IN, $LOGOUT_ANSWER, $NOP_IN) = (0x23, 0x21, 0x25, 0x26, 0x20);
my ($GOOD, $CHECK_CONDITION, $BUSY, $RESERVED, $FULL) = (0x00, 0x02, 0x08, 0x18, 0x28);
my $ATTENTIONS    = 8;       # unit attentions that a new session may have to hear
my $LARGEST_BLOCK = 8192;    # bytes: what may come in one PDU unless it is negotiated

# What is wrong with a target at a portal: nothing, or {kind, say}. Kinds: `silent` (no login),
# `differs` (it refuses us, or serves other LUNs than `luns`), `read` (a LUN gives an error), `slow`
# (it gives nothing within the seconds: what is below it may just be busy).
#
# Of `luns` (numbers) a block each is read, another one each time: the page cache would answer for
# the disk. `luns` may be empty, and then nothing is.
sub amiss {
    my (%look) = @_;
    my $self = bless {%look, end => uptime() + $look{seconds}, command => 1, status => 0};
    return undef if eval { $self->look(); 1 };
    my $why = $@;
    return $why if ref $why;
    chomp $why;
    return {kind => $self->{stage} // 'silent', say => $why};
}

sub uptime {
    open my $file, '<', '/proc/uptime' or die "/proc/uptime: $!\n";
    return (split ' ', <$file>)[0];
}

sub look {
    my ($self) = @_;
    $self->reach();
    $self->login();
    # STGT's own controller is its LUN 0.
    my @found = grep { $_ || grep { !$_ } @{ $self->{luns} } } $self->luns();
    my ($is, $wanted) = map { join ', ', sort { $a <=> $b } @$_ } \@found, $self->{luns};
    die {kind => 'differs', say => "it serves the LUNs $is, not $wanted"} if $is ne $wanted;
    $self->{stage} = 'read';
    $self->read_block($_) for @found;
    $self->logout();
}

# From the portal's own address: that is what the targets' ACLs admit, and no other host has it.
sub reach {
    my ($self) = @_;
    socket($self->{wire}, PF_INET, SOCK_STREAM, 0) or die "no socket: $!\n";
    my $address = inet_aton($self->{address});
    bind($self->{wire}, pack_sockaddr_in(0, $address)) or die "its address is not here: $!\n";
    $self->patience();
    return if connect($self->{wire}, pack_sockaddr_in($PORT, $address));
    $self->late() if $!{EINPROGRESS} || $!{EAGAIN};
    die "no connection: $!\n";
}

sub late {
    my ($self) = @_;
    my $kind = $self->{stage} ? 'slow' : 'silent';
    die {kind => $kind, say => "no answer within $self->{seconds} s"};
}

# What is left of the seconds, for the next call of the kernel.
sub patience {
    my ($self) = @_;
    my $left = $self->{end} - uptime();
    $self->late() if $left <= 0;
    my $limit = pack 'l!l!', int $left, int 1e6 * ($left - int $left);
    setsockopt $self->{wire}, SOL_SOCKET, $_, $limit for SO_SNDTIMEO, SO_RCVTIMEO;
}

# --- PDUs ---------------------------------------------------------------------------------------

sub say {
    my ($self, $opcode, $flags, $lun, $fields, $data) = @_;
    my $pdu = pack 'C C x2 N', $opcode, $flags, length $data;
    $pdu .= pack('a8', $lun) . $fields . $data . "\0" x (-length($data) % 4);
    $self->patience();
    local $SIG{PIPE} = 'IGNORE';
    (syswrite($self->{wire}, $pdu) // -1) == length $pdu or die "the connection breaks: $!\n";
}

sub bytes {
    my ($self, $count) = @_;
    my $got = '';
    while (length $got < $count) {
        $self->patience();
        my $read = sysread $self->{wire}, $got, $count - length $got, length $got;
        $self->late() if !defined $read && $!{EAGAIN};
        die "the connection breaks: $!\n"        unless defined $read;
        die "the target closes the connection\n" unless $read;
    }
    return $got;
}

sub heard {
    my ($self) = @_;
    while (1) {
        my $head = $self->bytes(48);
        my ($opcode, $more, $length) = unpack 'C x3 C X N', $head;
        $length &= 0xffffff;
        $self->bytes(4 * $more);
        my $data = substr $self->bytes($length + -$length % 4), 0, $length;
        $opcode &= 0x3f;
        next if $opcode == $NOP_IN;
        $self->{status} = unpack 'x24 N', $head;
        return ($opcode, $head, $data);
    }
}

# --- Login and logout ---------------------------------------------------------------------------

sub login {
    my ($self) = @_;
    my @who = (InitiatorName => $NAME, SessionType => 'Normal', TargetName => $self->{target});
    if (defined $self->{user}) {
        $self->negotiate(0x00, @who, AuthMethod => 'CHAP');
        my %asks = (CHAP_I => '', CHAP_C => '', $self->negotiate(0x00, CHAP_A => 5));
        my ($id, $challenge) = "$asks{CHAP_I} $asks{CHAP_C}" =~ /^(\d+) 0x((?:[0-9a-f]{2})+)$/i
          or die {kind => 'differs', say => 'it asks for no CHAP answer that we know'};
        my $answer = md5(pack('C', $id) . $self->{secret} . pack 'H*', $challenge);
        $self->negotiate(0x81, CHAP_N => $self->{user}, CHAP_R => '0x' . unpack 'H*', $answer);
        @who = ();
    }
    $self->negotiate(0x87, @who);    # from the operational stage to the full feature phase
}

sub negotiate {
    my ($self, $flags, @keys) = @_;
    my $text = '';
    while (my ($key, $value) = splice @keys, 0, 2) { $text .= "$key=$value\0" }
    my $session = pack 'C n C n n', 0x80, $$ & 0xffff, $$ >> 16 & 0xff, 0, 0;    # a random ISID, no TSIH
    my $fields = pack 'N n x2 N N x16', 1, 1, $self->{command}, $self->{status};
    $self->say(0x43, $flags, $session, $fields, $text);
    my ($opcode, $head, $data) = $self->heard();
    my ($class, $detail) = unpack 'x36 C C', $head;
    die sprintf "the login is answered with PDU %02x\n", $opcode if $opcode != $LOGIN_ANSWER;
    die {kind => 'differs', say => sprintf 'the login is refused with status %02x%02x', $class, $detail}
      if $class == 1 || $class == 2;    # redirected; the initiator's fault
    die sprintf "the login fails with status %02x%02x\n", $class, $detail if $class;
    return map { split /=/, $_, 2 } grep { /=/ } split /\0/, $data;
}

sub logout {
    my ($self) = @_;
    $self->say(0x46, 0x80, '', pack('N n x2 N N x16', 2, 0, $self->{command}, $self->{status} + 1), '');
    $self->heard();
}

# --- SCSI ---------------------------------------------------------------------------------------

# The data of a command; nothing where the LUN is busy or reserved, which is an answer, too.
sub scsi {
    my ($self, $what, $lun, $cdb, $expected) = @_;
    for (1 .. $ATTENTIONS) {
        my $fields = pack 'N N N N a16', $self->{command}, $expected, $self->{command}, $self->{status} + 1, $cdb;
        $self->say(0x01, 0xc1, pack('x C', $lun), $fields, '');
        $self->{command}++;
        my ($found, $status, $sense) = ('');
        until (defined $status) {
            my ($opcode, $head, $data) = $self->heard();
            my ($flags, $response, $said) = unpack 'x C C C', $head;
            if ($opcode == $DATA_IN) {
                $found .= $data;
                $status = $said if $flags & 1;
            }
            elsif ($opcode == $SCSI_ANSWER) {
                ($status, $sense) = ($response ? 0xff : $said, $data);
            }
            else { die sprintf "$what is answered with PDU %02x\n", $opcode }
        }
        return $found if $status == $GOOD;
        return undef  if grep { $status == $_ } $BUSY, $RESERVED, $FULL;
        my ($key, $code) = unpack 'x4 C x9 n', ($sense // '') . "\0" x 18;
        next if $status == $CHECK_CONDITION && ($key & 15) == 6;    # a unit attention
        die sprintf "$what fails with status %02x, sense %x/%04x\n", $status, $key & 15, $code;
    }
    die "$what is answered with unit attentions only\n";
}

sub luns {
    my ($self) = @_;
    my $found = $self->scsi('REPORT LUNS', 0, pack('C x5 N x2', 0xa0, 4096), 4096) // '';
    return map { unpack('n', $_) & 0x3fff } unpack '(a8)*', substr $found, 8, unpack 'N', $found . "\0" x 8;
}

sub read_block {
    my ($self, $lun) = @_;
    my $capacity = $self->scsi("READ CAPACITY of LUN $lun", $lun, pack('C x9', 0x25), 8) // return;
    my ($last, $size) = unpack 'N N', $capacity;
    my $block = int rand($last + 1);
    my $data  = $self->scsi("READ of LUN $lun, block $block",
        $lun, pack('C x N x n x', 0x28, $block, 1), $size) // return;
    die "READ of LUN $lun gives " . length($data) . " bytes of $size\n" if length $data != $size;
}

# --- MD5 (RFC 1321): Digest::MD5 is no part of perl-base ----------------------------------------

my @TURN = map { (@$_) x 4 } [7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21];
my @SINE = map { int abs(sin $_) * 2**32 } 1 .. 64;

sub md5 {
    my ($text) = @_;
    my $bits = 8 * length $text;
    $text .= "\x80" . "\0" x ((55 - length $text) % 64) . pack 'V V', $bits, 0;
    my @sum = (0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
    for my $part (unpack '(a64)*', $text) {
        my @word = unpack 'V16', $part;
        my ($p, $q, $r, $s) = @sum;
        for my $step (0 .. 63) {
            my $mix = ($q & $r | ~$q & $s, $s & $q | ~$s & $r, $q ^ $r ^ $s, $r ^ ($q | ~$s))[$step >> 4];
            my $at = ($step, 5 * $step + 1, 3 * $step + 5, 7 * $step)[$step >> 4] % 16;
            my $new = $p + ($mix & 0xffffffff) + $SINE[$step] + $word[$at] & 0xffffffff;
            my $turn = $TURN[$step];
            ($p, $s, $r, $q) = ($s, $r, $q, $q + ($new << $turn | $new >> 32 - $turn) & 0xffffffff);
        }
        @sum = map { $_ & 0xffffffff } $sum[0] + $p, $sum[1] + $q, $sum[2] + $r, $sum[3] + $s;
    }
    return pack 'V4', @sum;
}

1;
