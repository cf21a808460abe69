use strict;
use warnings;
use lib 't/lib';
use MNT;
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(time);

require "$MNT::TOP/t/lib/promcheck.pl";

# Metrics: what the issue lists is there, is right after a recording, is proper
# Prometheus text, and goes out as statsd datagrams when "statsd" is set.

my $udp = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'udp')
    or die $!;
my $m = MNT->new(workers => 2, mntreamer =>
    'statsd 127.0.0.1:' . $udp->sockport . '; poll_rate 100r/s;');
$m->channel('kappa', live => 1, dur => 0.5);
$m->channel('off');
$m->fault(match => '/hls/kappa/seg/\w+-0-5\.', status => 404, times => -1);
$m->start;
$m->up;
$m->watch($_) for 'kappa', 'off';
my $r = wait_for(sub {
    my ($r) = @{ $m->recordings };
    $r && $r->{segments} >= 10 && $r->{gaps} == 1 && $r
}, 'a recording with a gap', 30);

my $res = $m->get('/metrics');
is($res->{headers}{'content-type'}, 'text/plain; version=0.0.4; charset=utf-8',
   'the type of Prometheus');
my $text = $res->{content};
is(join("\n", promcheck($text)), '', 'proper text');

# checks by outcome, detection delay, live now, recordings now, bytes, segments,
# gaps by cause, commit latency, queue depths, database state, curl transfers,
# loop lateness

my %least = (
    'mntreamer_probes_total{outcome="live"}'      => 1,
    'mntreamer_probes_total{outcome="offline"}'   => 1,
    'mntreamer_detection_delay_seconds_count'     => 1,
    'mntreamer_live'                              => 1,
    'mntreamer_recording'                         => 1,
    'mntreamer_recordings_started_total'          => 1,
    'mntreamer_went_live_total'                   => 1,
    'mntreamer_segments_total'                    => 10,
    'mntreamer_stored_bytes_total'                => 190_000,
    'mntreamer_gaps_total{cause="network"}'       => 1,
    'mntreamer_lost_segments_total{cause="network"}' => 1,
    'mntreamer_lost_seconds_total{cause="network"}'  => 0.5,
    'mntreamer_segment_retries_total'             => 1,
    'mntreamer_commit_latency_seconds_count'      => 10,
    'mntreamer_commits_pending'                   => 0,
    'mntreamer_buffered_bytes'                    => 0,
    'mntreamer_db_up'                             => 2,
    'mntreamer_db_queued'                         => 0,
    'mntreamer_db_statements_total'               => 10,
    'mntreamer_transfers_total{result="ok"}'      => 15,
    'mntreamer_transfers_running'                 => 0,
    'mntreamer_probes_running'                    => 0,
    'mntreamer_loop_lateness_seconds_count'       => 1,
    'mntreamer_probe_lateness_seconds_count'      => 2,
    'mntreamer_playlist_loads_total{result="news"}' => 5,
    'mntreamer_disk_free_bytes'                   => 1,
    'mntreamer_workers'                           => 2,
    'mntreamer_requests_total{location="api"}'    => 3,
    'mntreamer_requests_total{location="metrics"}' => 1,
);
for (sort keys %least) {
    wait_for(sub { ($m->metric($_) // -1) >= $least{$_} }, $_, 5)
        or diag 'it is ' . ($m->metric($_) // 'not there');
}
is($m->metric('mntreamer_recording'), 1, 'one is recorded now');
is($m->metric('mntreamer_live'), 1, 'one is live now');

# numbers agree with the rows

my $now = $m->recording($r->{id});
cmp_ok(abs($m->metric('mntreamer_segments_total') - $now->{segments}), '<=', 4,
       'the segments are those of the row');
cmp_ok($m->metric('mntreamer_detection_delay_seconds_sum'), '<', 30,
       'detection took seconds');

# what the documents name exists

my $doc = slurp("$MNT::TOP/docs/operations.md");
for my $name (sort keys %{ { map { $_ => 1 } $doc =~ /`(mntreamer_\w+)/g } }) {
    like($text, qr/^# TYPE \Q$name\E /m, "docs/operations.md: $name");
}

# no reading changes it, and POST is none

is($m->call(POST => '/metrics', '{}')->{status}, 405, 'POST is refused');
is(join("\n", promcheck($m->get('/metrics')->{content})), '', 'still proper');

# statsd: lines of one datagram are whole, names are ours, sums agree

my ($end, %sum, %gauge, @bad) = (time + 14 * $MNT::PATIENCE);
my $select = IO::Select->new($udp);
while (time < $end && !($sum{'mntreamer.segments'}
                        && defined $gauge{'mntreamer.recording'}))
{
    next unless $select->can_read(1);
    $udp->recv(my $data, 65536);
    push @bad, 'a datagram of ' . length $data if length $data > 1432;
    for (split /\n/, $data) {
        if (/^(mntreamer\.[\w.-]+):(-?\d+)\|c$/)   { $sum{$1} += $2 }
        elsif (/^(mntreamer\.[\w.-]+):(\d+)\|g$/)  { $gauge{$1} = $2 }
        else                                       { push @bad, $_ }
    }
}
is("@bad", '', 'statsd: every line is one');
cmp_ok($sum{'mntreamer.segments'} // 0, '>=', 5, 'statsd: segments');
cmp_ok($sum{'mntreamer.probes.live'} // 0, '>=', 1, 'statsd: probes by outcome');
cmp_ok($sum{'mntreamer.gaps.network'} // 0, '>=', 1, 'statsd: gaps by cause');
cmp_ok($sum{'mntreamer.commit.count'} // 0, '>=', 5, 'statsd: a histogram');
is($gauge{'mntreamer.recording'}, 1, 'statsd: a gauge');

# the end

$m->channel('kappa', live => 0, stall => 1, endlist => 1);
wait_for(sub { ($m->metric('mntreamer_recordings_finished_total') // 0) == 1 },
         'the end is counted', 32);
wait_for(sub { $m->metric('mntreamer_recording') == 0 }, 'none is recorded now');
wait_for(sub { $m->metric('mntreamer_live') == 0 }, 'none is live');

$m->finish;
