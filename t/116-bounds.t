use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(sleep time);

# What a worker holds has bounds of its own: connections for its requests
# ("fetch_connections", half of worker_connections when it is not there), and no
# memory of streamers that are no more.

sub connections {
    my ($m) = @_;
    my ($pid) = $m->workers_of;
    return scalar grep { /pid=$pid,/ }
        `ss -Htnp state established dst 127.0.0.1:$m->{origin_port}`;
}

for ([80, '', 40], [80, 'fetch_connections 12;', 12]) {
    my ($all, $directive, $most) = @$_;
    my $m = MNT->new(workers => 1, mntreamer =>
                     "$directive fetch_parallel 8; poll_rate 200r/s;");
    $m->{raw_config} = $m->config =~ s/worker_connections \d+/worker_connections $all/r;
    my @id = map { $m->channel("f$_", live => 1, dur => 0.25, window => 40) } 1 .. 8;
    $m->start;
    $m->up;
    $m->watch("f$_") for 1 .. 8;
    wait_for(sub { @{ $m->recordings } >= 6 }, 'recordings', 20);
    $m->fault(match => '/hls/f\d/seg', times => -1, delay => 60);
    my $seen = 0;
    wait_for(sub {
        my $n = connections($m);
        $seen = $n if $n > $seen;
        $n >= $most
    }, "as many connections as there may be: $most", 10);
    my $end = time + 2;
    while (time < $end) {
        my $n = connections($m);
        $seen = $n if $n > $seen;
        sleep 0.1;
    }
    cmp_ok($seen, '<=', $most, "and no more: $seen");
    $m->heal;
    $m->stop('TERM');
    $m->check_log;
    $m->cleanup;
}

# five hundred streamers come and go

if ($ENV{MNT_SAN}) {
    done_testing;
    exit;
}

my $m = MNT->new(workers => 1, backoff => '1s', mntreamer => 'poll_rate 2000r/s;');
my @id = map { $m->channel("b$_") } 1 .. 500;
$m->start;
$m->up;
my ($worker) = $m->workers_of;
my $memory = sub {
    slurp("/proc/$worker/status") =~ /^VmRSS:\s+(\d+) kB/m;
    return $1 / 1024;
};

my @rss;
for my $round (1 .. ($ENV{MNT_TIMES} || 4)) {
    my $r = $m->call(POST => '/api/v1/streamers', { items => [
        map { { platform => 'chzzk', channel => $_ } } @id ] });
    is(scalar(grep { $_->{status} == 201 } @{ $r->{json}{items} }), 500,
       'five hundred are added');
    wait_for(sub { $m->one("SELECT count(*) FROM streamer_monitor
                             WHERE miss_count > 0") == 500 },
             'all were asked about', 20);
    my @s = map { $_->[0] } @{ $m->psql('SELECT id FROM streamer') };
    my $bad = grep { $m->call(DELETE => "/api/v1/streamers/$_")->{status} != 204 } @s;
    is($bad, 0, 'and are deleted');
    push @rss, $memory->();
}

# what leaks does so in each round; the allocator takes more now and then

my ($grown) = sort { $a <=> $b } map { $rss[$_] - $rss[$_ - 1] } 2 .. $#rss;
cmp_ok($grown, '<', 0.6, sprintf 'memory after rounds: %s MB',
       join ' ', map { sprintf '%.1f', $_ } @rss);

$m->finish;
