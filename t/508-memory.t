use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# RELIABILITY P9, G8: what one hostile answer takes of memory while it is read,
# by the high-water mark of the worker, and what is left of it afterwards.

plan skip_all => 'a sanitizer keeps what is freed' if $ENV{MNT_SAN};

my $m = MNT->new(workers => 1, mntreamer => 'poll_rate 300r/s;');

my $head = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n";
my $inf = "#EXTINF:1,\nseg.ts\n";
my $uri = 'u' x 190;

# MB that it may take: a playlist of max_playlist_size and what is read of it,
# a body that does not end as much as is gathered before it is refused

my @case = (
    ['a million lines', 6, head => $head, body => "#\n", repeat => 1_000_000],
    ['keys and maps', 4, head => $head, repeat => 20_000,
     body => "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-MAP:URI=\"m\"\n"],
    ['20 MB of playlist', 4, head => $head, body => $inf, repeat => 1_000_000],
    ['a bomb', 4, gzip => 60_000_000],
    ['a head without end', 1, headers => { map { ("X-$_" => 'y' x 6000) } 1 .. 20 }],
);

$m->channel($_, live => 1, dur => 0.5, window => 8) for 'good', 'case';
$m->start;
$m->up;

my ($worker) = $m->workers_of;
my $memory = sub {
    return (slurp("/proc/$worker/status") // '') =~ /^$_[0]:\s+(\d+) kB/m
        ? $1 / 1024 : 0;
};

# the playlist is loaded like that, and then as it should be

my $load = sub {
    my (%fault) = @_;
    $m->heal;
    $m->fault(match => '/hls/case/media', %fault);
    $m->fault(match => '/hls/case/media');
    return sub { $m->tell('/_/faults')->[1]{hit} };
};

# that it was had once is not what is measured

$m->watch('good');
$m->watch('case');
wait_for(sub { 2 == grep { $_->{segments} > 2 } @{ $m->recordings } },
         'both are recorded');
wait_for($load->(gzip => 3_000_000), 'warmed up');

for (@case) {
    my ($name, $most, %fault) = @$_;

    my $before = $memory->('VmRSS');
    spew("/proc/$worker/clear_refs", "5\n");
    wait_for($load->(%fault), "$name is loaded");
    my $took = $memory->('VmHWM') - $before;
    cmp_ok($took, '<=', $most, sprintf '... took %.1f MB', $took);
    my $left = $memory->('VmRSS') - $before;
    cmp_ok($left, '<=', $most, sprintf '... left %.1f MB', $left);
}

is(join(' ', $m->workers_of), $worker, 'no worker died');
my ($good) = grep { $_->{channel_name} eq 'good' } @{ $m->recordings };
is($good->{gaps}, 0, 'the one beside it lost nothing');

$m->finish;
