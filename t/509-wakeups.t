use strict;
use warnings;
use lib 't/lib';
use MNT;
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

# RELIABILITY N4: a worker whose requests all wait, for an answer or for a
# connection, sleeps: neither libcurl's timer nor a socket wakes it in a rush,
# and what is due comes at its time.

my $m = MNT->new(workers => 1, backoff => '1s', mntreamer =>
    'poll_rate 500r/s; probe_timeout 120s; connect_timeout 60s;');

my $deaf = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
                                 Proto => 'tcp') or die $!;
my @full = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', Blocking => 0,
                                       PeerPort => $deaf->sockport) } 1 .. 4;

my @id = map { $m->channel("w$_") } 1 .. 110;
$m->channel('good', live => 1, dur => 0.5, window => 8);
$m->fault(match => 'live-status', times => -1, delay => 3600);
$m->start;
$m->up;
$m->call(POST => '/api/v1/streamers', { items => [
    (map { { platform => 'chzzk', channel => $_ } } @id),
    (map { { platform => 'hls', channel => 'http://127.0.0.1:'
             . $deaf->sockport . "/$_.m3u8" } } 1 .. 30) ] });
my ($worker) = $m->workers_of;

# a worker that others interrupt is not woken; one that never sleeps is told by
# its CPU

sub woken {
    return slurp("/proc/$worker/status") =~ /^voluntary_ctxt_switches:\s+(\d+)/m
        ? $1 : die;
}

sub cpu {
    my @f = split ' ', slurp("/proc/$worker/stat");
    return ($f[13] + $f[14]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

sub rate {
    my ($seconds) = @_;
    my ($n, $c, $t) = (woken(), cpu(), time);
    sleep $seconds;
    return map { $_ / (time - $t) } woken() - $n, cpu() - $c;
}

wait_for(sub { $m->tell('/_/faults')->[0]{hit} >= 100 },
         'a hundred requests wait for an answer', 20);
wait_for(sub { (() = `ss -Htn state syn-sent dst 127.0.0.1:@{[ $deaf->sockport ]}`)
               >= 5 }, 'some for a connection');
my ($idle, $cpu) = rate(3);
cmp_ok($idle, '<=', 20, sprintf 'it is woken %.1f times a second', $idle);
cmp_ok($cpu, '<', 0.1, sprintf 'and takes %.3f of a processor', $cpu);

$m->heal;
$m->watch('good');
wait_for(sub { grep { $_->{channel_name} eq 'good' && $_->{segments} > 8 }
                   @{ $m->recordings } }, 'what is due is done meanwhile', 20);
my @t = map { $_->{t} } grep { $_->{path} =~ m{^/hls/good/media} } @{ $m->served };
my $late = (sort { $b <=> $a } map { $t[$_] - $t[$_ - 1] } 1 .. $#t)[0];
cmp_ok($late, '<', 1.5, sprintf 'its loads are %.2f s apart at most', $late);
is($m->recordings->[0]{gaps}, 0, 'without a gap');

close $_ for $deaf, @full;
$m->finish;
