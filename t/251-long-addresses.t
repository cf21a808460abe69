use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# RELIABILITY P9: a long window at a long address is recorded whole: what the
# addresses of its segments need does not add up.

my $n = 2000;
my $m = MNT->new(workers => 1, mntreamer => 'poll_rate 200r/s;');
$m->channel('cam', dur => 0.5, first => 0, size => 400, manual => 1,
            window => $n);
$m->advance('cam', $n);
my $long = 'a' x 1800;
$m->fault(match => "/hls/cam/media/$long", times => -1, status => 200,
          type => 'application/vnd.apple.mpegurl',
          body => "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:1\n"
              . "#EXT-X-MEDIA-SEQUENCE:0\n"
              . join('', map { "#EXTINF:0.5,\n../../seg/720p30-0-$_.ts\n" }
                         0 .. $n - 1));
$m->{mntreamer} .= "streamer hls http://127.0.0.1:$m->{origin_port}"
    . "/hls/cam/media/$long/x.m3u8 name=cam;";
$m->start;
$m->up;

my $r = wait_for(sub {
    my $r = $m->recordings->[0];
    $r && $r->{segments} + $m->one('SELECT coalesce(sum(segments), 0)
                                    FROM media_gap') >= $n && $r
}, "$n segments are through", 60);
is($r->{segments}, $n, 'they are stored');
is(scalar @{ $m->psql('SELECT * FROM media_gap') }, 0, 'without a gap')
    or diag explain $m->psql('SELECT reason, first_sequence, segments
                              FROM media_gap');
my @e = playlist_entries($m->playlist($r));
is(scalar @e, $n, 'and listed');

$m->finish;
