use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;

# REC-04, U13, LIV-01, LIV-06, LIV-10: a broadcast is recorded while it is on
# the air, from its first fragment on; one object, whose playlist ends with it.

my $m = MNTRTMP->new(workers => 3);
$m->start;
$m->up;

my $s = $m->camera('studio');
my $p = $m->publish($s->{key});
my $name = wait_for(sub { $m->on_air($s) }, 'on the air');

my $r = wait_for(sub { (grep { $_->{segments} } @{ $m->recordings })[0] },
                 'its recording appears');
is($r->{broadcast_id}, $name, 'of this broadcast');
is($r->{platform}, 'rtmp', 'a recording like any other');
is($r->{streamer_id}, $s->{id}, 'of its channel');
like($r->{url}, qr{^/recordings/rtmp/studio/\d{4}/\d\d/\d\d/1/index\.m3u8$},
     'in a directory of its channel');

my $x = $m->json("/api/v1/streamers/$s->{id}");
is($x->{status}, 'recording', 'the channel says that it is recorded');
is($x->{recording_id}, $r->{id}, 'and where');
is($m->json('/api/v1/live')->{items}[0]{url}, $r->{url},
   'viewers find the recording in the list of what is on the air');

# the bytes are on the disk once

wait_for(sub { @{[ playlist_entries($m->playlist($r)) ]} >= 3 },
         'it grows while it is on the air');
my @e = playlist_entries($m->playlist($r));
like($m->playlist($r), qr/#EXT-X-PLAYLIST-TYPE:EVENT/, 'can be rewound');
unlike($m->playlist($r), qr/ENDLIST/, 'and has no end yet');
my ($dir) = $r->{url} =~ m{^/recordings/(.*)/index\.m3u8$};
my @stored = map { "$m->{storage}/$dir/$_->{uri}" } @e;
my %inode = map { (stat)[1] => 1 } $m->segments($name);
is(scalar(grep { $inode{(stat)[1]} } @stored), scalar(@stored),
   'each segment is the fragment itself');

# the end

$m->stop_publisher($p);
wait_for(sub { $m->playlist($r) =~ /#EXT-X-ENDLIST/ },
         'viewers are told within 5 s that it is over', 5);
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' },
         'the row says so');
$r = $m->recording($r->{id});
is($r->{gaps}, 0, 'nothing was lost');
@e = playlist_entries($m->playlist($r));
my $sum = 0;
$sum += $_->{dur} for @e;
my $took = $m->one("SELECT extract(epoch FROM ended_at - started_at)"
                   . " FROM broadcast WHERE name = '$name'");
cmp_ok(abs($took - $sum), '<', 1.5, 'all of it was recorded')
    or diag("$took s on the air, $sum s recorded");
is(scalar(grep { $_->{disc} } @e), 0, 'without a discontinuity');
wait_for(sub { !-e "$m->{hls}/$name" }, 'its live files are gone');
wait_for(sub { $m->json("/api/v1/streamers/$s->{id}")->{status} eq 'idle' },
         'the channel is idle');
ok(!$m->json("/api/v1/streamers/$s->{id}")->{is_streaming}, 'off the air');

# a player plays it

open my $fh, '-|', 'ffprobe', '-v', 'error', '-show_entries',
    'format=duration', '-of', 'csv=p=0', $m->url($r->{url}) or die $!;
my $duration = <$fh>;
close $fh;
cmp_ok(abs($duration - $sum), '<', 0.5, 'and it plays from its first second');

$m->no_secrets;
$m->finish;
