use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(sleep time);

# What a source lists does not decide how much is fetched, asked for or kept at
# once: ten thousand keys, and ten thousand new segments with every load.

my $inf = "#EXTINF:1,\n../seg/x.ts\n";
my $head = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n"
    . "#EXT-X-MEDIA-SEQUENCE:0\n";
my $keys = sub {
    my ($path) = @_;
    return $head . join '', map {
        "#EXT-X-KEY:METHOD=AES-128,URI=\"../$path-$_\"\n$inf" } 1 .. 9999;
};

my $m = MNT->new(workers => 1, mntreamer => 'poll_rate 300r/s;');
my %id = map { $_ => $m->channel($_, live => 1, dur => 0.5, window => 8) }
    qw(good refused hanging);
$id{rush} = $m->channel('rush', live => 1, dur => 1, manual => 1,
                        window => 9999, dates => 0);
for my $name (qw(refused hanging)) {
    $m->fault(match => "/hls/$name/media", times => -1, body => $keys->('key'),
              type => 'application/vnd.apple.mpegurl');
}
$m->fault(match => '/hls/refused/key', times => -1, status => 404);
$m->fault(match => '/hls/hanging/key', times => -1, delay => 3600);
$m->fault(match => '/hls/rush/seg', times => -1, delay => 2);
$m->start;
$m->up;

my ($worker) = $m->workers_of;
my $memory = sub {
    return (slurp("/proc/$worker/status") // '') =~ /^VmRSS:\s+(\d+) kB/m
        ? $1 / 1024 : 0;
};
my $of = sub {
    my ($r) = grep { $_->{channel_id} eq $id{ $_[0] } }
        @{ $m->json('/api/v1/recordings?limit=100')->{items} };
    return $r;
};

$m->watch('good');
wait_for(sub { ($of->('good') || {})->{segments} }, 'an honest one is recorded');

# keys

$m->watch($_) for qw(refused hanging);
wait_for(sub { 300 <= grep { $_->{path} =~ m{^/hls/refused/key} }
                   @{ $m->served } }, 'keys are asked for', 60);
my $end = time + 6;
sleep 0.5 while time < $end;

my (%key, $hung);
$_->{path} =~ m{^/hls/refused/(key-\d+)} && $key{$1}++ for @{ $m->served };
cmp_ok(scalar(keys %key), '<=', 512, 'but not for all of them');
$_->{match} eq '/hls/hanging/key' and $hung = $_->{hit}
    for @{ $m->tell('/_/faults') };
cmp_ok($hung, '<=', 9, 'nor many at once: fetch_parallel');
my @told = $m->log =~ /^.*\bkeys? .*$/mg;
cmp_ok(scalar @told, '<=', 4, 'and the log tells of it once a minute')
    or diag join "\n", @told[0 .. 5];

# a source that leaves everybody behind

$m->advance('rush', 10_000);
$m->watch('rush');
my $load = sub { $m->advance('rush', 10_000); sleep 1 };
$load->() for 1 .. 3;
my $before = $memory->();
$load->() for 1 .. 20;
my $grown = $memory->() - $before;
cmp_ok($grown, '<', 16, sprintf 'two hundred thousand more segments: %.1f MB',
       $grown) unless $ENV{MNT_SAN};

my $r = wait_for(sub {
    my $r = $of->('rush');
    $r && $r->{segments} >= 9 && $r->{gaps} && $r
}, 'it goes on with what there still is', 60);
my $more = $m->recording($r->{id});
is($more->{gap_list}[0]{reason}, 'window', 'what was passed over is a gap');
cmp_ok($more->{gap_list}[0]{segments}, '>', 5_000, 'one, and a large one');
like($m->playlist($r), qr/EXT-X-DISCONTINUITY\n/, 'and a discontinuity');

is($of->('good')->{gaps}, 0, 'the honest one lost nothing');

$m->finish;
