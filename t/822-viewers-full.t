use strict;
use warnings;
use lib 't/lib';
use MNT;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(time sleep);

# U5: more viewers than there is room for are a lower bound: those who are counted
# stay so, the others are told by a metric and by one line of the log.

my $m = MNT->new(workers => 2, mntreamer => 'poll_rate 200r/s;',
    http => 'keepalive_requests 1000000; set_real_ip_from 127.0.0.1;'
            . 'real_ip_header X-Real-IP;');
$m->channel('big', live => 1, dur => 1);
$m->start;
$m->up;
$m->watch('big');
my $of = sub { $m->recordings->[0] };
my $r = wait_for(sub { my $r = $of->(); $r && $r->{segments} >= 3 && $r },
                 'it records', 20);

# each asks twice, in a pipeline; "%d" addresses from "$first" on

my $crowd = sub {
    my ($first, $n) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $m->{port}) or die $!;
    for (my $i = $first; $i < $first + $n; $i += 100) {
        print $s map {
            ("HEAD $r->{url} HTTP/1.1\r\nHost: a\r\nX-Real-IP: 10."
             . join('.', $_ >> 16, $_ >> 8 & 255, $_ & 255) . "\r\n\r\n") x 2
        } $i .. $i + 99;
        my ($text, $got) = ('', 0);
        while ($got < 200) {
            sysread $s, $text, 65536, length $text or die 'closed';
            $got = () = $text =~ /\r\n\r\n/g;
        }
    }
};

# who is there first stays: keeps asking while the others come

my $real = fork // die $!;
if (!$real) {
    while (getppid != 1) { $crowd->(0, 100); sleep 1 }
    POSIX::_exit(0);
}

wait_for(sub { $of->()->{watching} == 100 }, 'a hundred');
my $t0 = time;
my @pid = map {
    my $part = $_;
    my $pid = fork // die $!;
    if (!$pid) {
        $crowd->(1000 + 50_000 * $part, 50_000);
        POSIX::_exit(0);
    }
    $pid
} 0, 1;
waitpid $_, 0 for @pid;
diag sprintf 'a hundred thousand in %.1f s', time - $t0;

wait_for(sub { $of->()->{watching_peak} > 60_000 }, 'most of 65,536', 20)
    or diag explain $of->();
cmp_ok($of->()->{watching_peak}, '<=', 65_536, 'and no more');

# who came so fast that nobody had counted the crowd yet was not complained of

$crowd->(200_000, 20_000);
wait_for(sub { $m->metric('mntreamer_viewers_missed_total') > 30_000 },
         'the others were missed', 20)
    or diag $m->metric('mntreamer_viewers_missed_total');
wait_for(sub { $m->log =~ /more viewers or recordings/ }, 'the log says so', 20);
is(() = $m->log =~ /more viewers or recordings/g, 1, 'in one line');
wait_for(sub { $of->()->{watching} == 100 }, 'those who go on are still counted',
         30);

kill 'KILL', $real;
waitpid $real, 0;
wait_for(sub { $of->()->{watching} == 0 }, 'and gone when they go', 20);

$m->finish;
