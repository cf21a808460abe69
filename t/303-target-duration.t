use strict;
use warnings;
use lib 't/lib';
use MNT;
use File::Path qw(make_path);
use Test::More;

# LIB-04: GET /api/v1/target-duration/PATH gives the number of a playlist of the
# storage; a broken one is 400 with the reason.  (That decode and encode keep every
# segment is held by t/unit/hls.)

my $m = MNT->new(workers => 1);
my $dir = "$m->{storage}/x/1";
make_path($dir, "$m->{dir}/outside");

my $entry = "#EXTINF:2.002,\n000001.ts\n";
my $head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:";
my %file = (
    plain   => ["${head}7\n$entry", 7],
    ended   => ["${head}2\n$entry#EXT-X-DISCONTINUITY\n$entry#EXT-X-ENDLIST\n", 2],
    crlf    => ["${head}3\n$entry" =~ s/\n/\r\n/gr, 3],
    long    => ["${head}4\n" . $entry x 5000 . "#EXT-X-ENDLIST\n", 4],
    none    => ["${head}6\n", 6],
    empty   => ['', 400],
    html    => ['<html><body>#EXTM3U</body></html>', 400],
    nohead  => [$entry, 400],
    nonum   => ["${head}abc\n$entry", 400],
    minus   => ["${head}-1\n$entry", 400],
    missing => ["#EXTM3U\n$entry", 400],
    nan     => ["${head}2\n#EXTINF:nan,\na.ts\n", 400],
    multi   => ["#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvideo.m3u8\n", 400],
    binary  => [join('', map { chr } 0 .. 255), 400],
);
spew("$dir/$_.m3u8", $file{$_}[0]) for keys %file;
spew("$m->{dir}/outside/plain.m3u8", $file{plain}[0]);
spew("$dir/plain.ts", $file{plain}[0]);
symlink "$m->{dir}/outside", "$dir/link";
system('chmod', '-R', 'a+rX', $m->{dir});
$m->start;
$m->up;

my $api = '/api/v1/target-duration';
for (sort keys %file) {
    my $r = $m->call(GET => "$api/x/1/$_.m3u8");
    if ($file{$_}[1] == 400) {
        is($r->{status}, 400, "$_ is refused");
        is($r->{json}{error}, 'bad_playlist', '... as a bad playlist');
        ok(length $r->{json}{description}, '... with the reason');
        next;
    }
    is($r->{status}, 200, "$_ is read");
    is($r->{json}{target_duration}, $file{$_}[1], '... rightly');
}

is($m->call(GET => "$api/$_")->{status}, 404, "no playlist: $_")
    for 'x/1/other.m3u8', 'x/2/plain.m3u8', 'x/1/plain.ts', 'x/1/link/plain.m3u8';
for ('../outside/plain.m3u8', 'x/..%2f..%2foutside/plain.m3u8',
     '%2e%2e/outside/plain.m3u8', 'x/1/plain.m3u8%00', '')
{
    my $r = $m->call(GET => "$api/$_");
    ok($r->{status} == 400 || $r->{status} == 404, "no way out: $_")
        or diag $r->{content};
}

$m->finish;
