use strict;
use warnings;
use lib 't/lib';
use MNT;
use Compress::Zlib qw(crc32);
use Test::More;

# A channel that is never off the air. Opening a recording again costs memory and
# time for each of its segments, so that it must not become too long to be opened:
# with 200,000 segments it ends and another one goes on, and what the source has
# then is in one of them. A worker takes one of this length over in seconds.

my $most = 200_000;
my $m = MNT->new(workers => 1);
my $channel = $m->channel('rho', live => 1, dur => 0.5, window => 12);
$m->start;
$m->up;
$m->watch('rho');
wait_for(sub { ($m->recordings->[0] || { segments => 0 })->{segments} >= 6 }, 'it is recorded');
$m->stop;

my ($id, $path) = @{ $m->psql('SELECT id, path FROM media_record')->[0] };
my $dir = "$m->{storage}/$path";
my @real = grep { /^S / } split /\n/, slurp("$dir/.index.journal");
my @entry = playlist_entries(slurp("$dir/index.m3u8"));
is(scalar @real, scalar @entry, 'journal and playlist agree');

# as if it had been recorded for days, with other numbers at the source before;
# the names that are given last stay free

my $before = $most - 2 - @real;
my $ts = "\x47\x1f\xff\x10" . "\xff" x 184;
spew("$dir/base-$_", $ts x 2) for 0 .. 3;
my $line = sub {
    my ($text) = @_;
    return sprintf "%s *%08x\n", $text, crc32($text);
};
my ($journal, $list) = ('', "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:1\n"
    . "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n");
my ($container, $wall) = (split ' ', $real[0])[4, 14];
for my $n (1 .. $before) {
    my $name = sprintf '%06d.ts', $n;
    rename "$dir/$name", "$dir/real-$n" if $n <= @real;
    link "$dir/base-" . $n % 4, "$dir/$name" or die "link: $!";
    $journal .= $line->("S $n $n 00000001 $container 0 $n " . sprintf('%016x', $n)
                        . " - 500000 0 0 0 376 $wall");
    $list .= "#EXTINF:0.500000,\n$name\n";
}
for my $i (1 .. @real) {
    my @f = split ' ', $real[$i - 1];
    pop @f;
    my $n = $before + $i;
    rename "$dir/real-$i", sprintf '%s/%06d.ts', $dir, $n or die "rename: $!";
    $f[1] = $n;
    $f[5] = 1;
    $f[11] = 1 if $i == 1;
    $journal .= $line->("@f");
    $list .= ($i == 1 ? "#EXT-X-DISCONTINUITY\n" : '')
        . sprintf "#EXTINF:0.500000,\n%06d.ts\n", $n;
}
unlink glob "$dir/base-*";
spew("$dir/.index.journal", $journal);
spew("$dir/index.m3u8", $list);
system('chown', '-R', '--reference', $m->{storage}, $dir);

my $began = time;
$m->start;
my ($old, $new) = wait_for(sub {
    my ($new, $old) = sort { $b->{id} <=> $a->{id} } @{ $m->recordings };
    $old && $new->{segments} >= 20 && [$old, $new]
}, 'another recording goes on', 60)->@*;
diag sprintf '%d s', time - $began;
is($old->{id}, $id, 'the long one');
is($old->{status}, 'recorded', 'is over');
cmp_ok($old->{segments}, '>=', $most, 'with all its segments');
cmp_ok($old->{segments}, '<', $most + 20, 'and is no longer');
like(slurp("$dir/index.m3u8"), qr/#EXT-X-ENDLIST\n\z/, 'it has an end');
is($m->one('SELECT count(*) FROM media_gap'), 0, 'nothing is lost');
is($m->one('SELECT count(DISTINCT broadcast_id) FROM media_record'), 1,
   'of the same broadcast');

# each segment of the source from the first stored one on is in one of them

my $other = "$m->{storage}/" . $m->one("SELECT path FROM media_record WHERE id = $new->{id}");
my %made = map { sha256_of($m->segment('rho', '1080p60', $_)) => $_ } 0 .. 400;
my @uri = playlist_entries(slurp("$dir/index.m3u8"));
my %have = map { $_ => 1 } map { $made{$_} // 'x' } map { sha256_of(slurp($_)) }
    (map { "$dir/$_->{uri}" } @uri[$before .. $#uri]),
    (map { "$other/$_->{uri}" } playlist_entries(slurp("$other/index.m3u8")));
ok(!$have{x}, 'all are of the source');
delete $have{x};
my @n = sort { $a <=> $b } keys %have;
is("@n", join(' ', $n[0] .. $n[0] + $#n), 'each one is there');

my ($worker) = $m->workers_of($m->master);
my ($peak) = slurp("/proc/$worker/status") =~ /^VmHWM:\s+(\d+) kB/m;
diag "peak $peak kB";
cmp_ok($peak, '<', 300_000, 'opening it took no more memory than is there');

$m->finish;
