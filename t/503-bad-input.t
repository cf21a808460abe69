use strict;
use warnings;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

# RELIABILITY 4.1 to 4.3: what a hostile or broken origin sends costs little: no
# crash, bounded memory and requests, no harm to the channel beside it.

my $m = MNT->new(workers => 1, mntreamer => 'poll_rate 300r/s;');

my $inf = "#EXTINF:1,\nseg.ts\n";
my $head = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n";
my $inner = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\ndeeper.m3u8\n";

my %case = (
    bomb     => { gzip => 200_000_000 },
    line     => { head => "#EXTM3U\n", body => 'x' x 1000, repeat => 10_000 },
    comment  => { head => "#EXTM3U\n#", body => '#' x 1000, repeat => 10_000 },
    empty    => { empty => 1 },
    html     => { body => '<html><body>' . 'busy ' x 1000 . '</body></html>' },
    many     => { head => $head, body => $inf, repeat => 100_000 },
    master   => { body => $inner },
    number   => { body => $head =~ s/:0\n/:18446744073709551615\n/r . $inf },
    numbers  => { body => $head . "#EXTINF:99999999999999999999e99,\na.ts\n" },
    minus    => { body => $head . "#EXTINF:-5,\na.ts\n" },
    zeros    => { body => "\0" x 5000 },
    keys     => { head => $head, repeat => 20_000,
                  body => "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n$inf" },
    variants => { head => "#EXTM3U\n", repeat => 20_000,
                  body => "#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n" },
    around   => { location => "http://127.0.0.1:$m->{origin_port}"
                      . '/hls/around/media/1080p60.m3u8' },
    slow     => { pace => 20, body => $head . $inf x 100 },
    promise  => { length => '99999999999999999999', cut => 10 },
    header   => { headers => { 'X-Long' => 'y' x 60_000 } },
);

my %id;
for my $name (sort keys %case) {
    $id{$name} = $m->channel($name, live => 1, dur => 0.5);
    my $what = $name eq 'variants' ? 'master' : 'media';
    $m->fault(match => "/hls/$name/$what", times => -1, type => 'text/plain',
              %{ $case{$name} });
}
$id{good} = $m->channel('good', live => 1, dur => 0.5, window => 8);
$m->start;
$m->up;

my ($worker) = $m->workers_of;
my $memory = sub {
    my ($what) = @_;
    return (slurp("/proc/$worker/status") // '') =~ /^$what:\s+(\d+) kB/m
        ? $1 / 1024 : 0;
};
my $good = sub {
    my ($r) = grep { $_->{channel_id} eq $id{good} }
        @{ $m->json('/api/v1/recordings?limit=100')->{items} };
    return $r;
};

$m->watch('good');
wait_for(sub { ($good->() || {})->{segments} }, 'an honest channel is recorded');
my $before = $memory->('VmRSS');
my $start = $good->()->{segments};
my $t0 = time;
$m->call(POST => '/api/v1/streamers', { items => [
    map { { platform => 'chzzk', channel => $id{$_} } } sort keys %case ] });

for my $name (sort keys %case) {
    my $what = $name eq 'variants' ? 'master' : 'media';
    wait_for(sub { 2 <= grep { $_->{path} =~ m{^/hls/$name/$what} }
                       @{ $m->served } }, "$name is asked for twice", 30);
}
wait_for(sub { $good->()->{segments} >= $start + 24 }, 'twelve seconds pass', 30);
my $took = time - $t0;

my ($now) = $m->workers_of;
is($now, $worker, 'the worker is the one that was started');
if (!$ENV{MNT_SAN}) {
    my $grown = $memory->('VmHWM') - $before;
    cmp_ok($grown, '<', 30, sprintf 'its memory grew by %.1f MB at most', $grown);
}

my $r = $good->();
is($r->{gaps}, 0, 'the honest channel loses nothing');
my @e = playlist_entries($m->playlist($r));
my ($dir) = $r->{url} =~ m{^(.*/)};
my %made = map { sha256_of($m->segment('good', '1080p60', $_)) => $_ }
    0 .. @e + 20;
my @k = map { $made{ sha256_of($m->get($dir . $_->{uri})->{content}) } // 'x' } @e;
is("@k", join(' ', $k[0] .. $k[0] + $#k), 'every segment once, in order');

is(scalar(grep { $_->{path} =~ /deeper/ } @{ $m->served }), 0,
   'a multivariant playlist in another one is not followed');

my %asked;
$_->{path} =~ m{^/hls/(\w+)/} && $asked{$1}++ for @{ $m->served };
for (sort keys %case) {
    cmp_ok($asked{$_}, '<', 8 * $took + 20, "$_ is not asked in a rush")
        or diag "$asked{$_} in $took s";
}

my %bad = map { $_->{channel_id} => $_ }
    @{ $m->json('/api/v1/recordings?limit=100')->{items} };
for (sort keys %case) {
    my $x = $bad{ $id{$_} } or next;
    is($x->{segments}, 0, "$_: nothing of it is stored")
        unless $_ eq 'keys' || $_ eq 'many' || $_ eq 'slow' || $_ eq 'number'
            || $_ eq 'header';
}
my @line = split /\n/, $m->log;
cmp_ok(scalar @line, '<', 3000, 'the log is not flooded');
cmp_ok((sort { $b <=> $a } map { length } @line)[0], '<', 2100,
       'nor its lines endless');
is($m->get('/health')->{status}, 200, 'it goes on serving');

$m->finish;
