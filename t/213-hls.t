use strict;
use warnings;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time sleep);

# Platform "hls": any playlist's address, a media playlist or a multivariant one,
# from nginx.conf and from the API.  404 is off the air; ENDLIST ends; what comes
# back within resume_window is the same recording, what comes later another one.

my $m = MNT->new(workers => 2,
                 mntreamer => 'poll_rate 200r/s; resume_window 6s;');
my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my $base = "http://127.0.0.1:$m->{origin_port}/hls";

$m->channel('media', dur => 0.5, gone => $true);
$m->channel('multi', dur => 0.5, gone => $true, kind => 'fmp4');
$m->channel('vod', dur => 0.5, endlist => $true);
$m->{mntreamer} .= "streamer hls $base/media/media/720p30.m3u8 name=cam;"
    . "streamer hls $base/vod/media/720p30.m3u8 name=film;";
$m->start;
$m->up;
my $x = $m->call(POST => '/api/v1/streamers',
    { platform => 'hls', channel => "$base/multi/master.m3u8", name => 'multi' });
is($x->{status}, 201, 'added by its address');
is($x->{json}{platform}, 'hls', 'as a stream');

my $s = sub {
    my ($end) = @_;
    return (grep { $_->{channel_id} =~ m{/hls/$end/} } @{ $m->streamers })[0];
};
my $of = sub {
    my ($end) = @_;
    return grep { $_->{channel_id} =~ m{/hls/$end/} }
        @{ $m->json('/api/v1/recordings?limit=100')->{items} };
};

for ('media', 'multi', 'vod') {
    my $p = wait_for(sub { ($s->($_) || {})->{last_probe} }, "$_ is probed");
    is($p->{outcome}, 'offline', "$_ is off the air");
}
is(scalar @{ $m->recordings }, 0, 'nothing is recorded, an ended one neither');
is($m->streamers->[0]{source}, 'config', 'that of nginx.conf is known');

$m->channel($_, gone => $false) for 'media', 'multi';
for my $c (['media', '720p30'], ['multi', '1080p60']) {
    my ($name, $variant) = @$c;
    my $r = wait_for(sub {
        my ($r) = $of->($name);
        $r && $r->{segments} >= 4 && $r
    }, "$name is recorded") or next;
    my @e = playlist_entries($m->playlist($r));
    my ($dir) = $r->{url} =~ m{^(.*/)};
    my %made = map { sha256_of($m->segment($name, $variant, $_)) => 1 } 0 .. 40;
    is(scalar(grep { !$made{ sha256_of($m->get($dir . $_->{uri})->{content}) } }
              @e), 0, 'byte for byte');
}
is(($of->('media'))[0]{channel_name}, 'cam', 'by its name');

# away and back within the window: the same; at its end: ENDLIST within 30 s

my ($r) = $of->('media');
my $n = $r->{segments};
$m->channel('media', gone => $true);
sleep 2;
$m->channel('media', gone => $false);
wait_for(sub { ($of->('media'))[0]{segments} > $n + 6 }, 'away for 2 s', 20);
is(scalar($of->('media')), 1, 'is the same recording');

my $t0 = time;
$m->channel('media', endlist => $true, stall => 1);
$m->channel('multi', gone => $true);
wait_for(sub { ($of->('media'))[0]{status} eq 'recorded' },
         'ENDLIST is the end', 32);
cmp_ok(time - $t0, '<', 30, 'soon');
like($m->playlist($r), qr/^#EXT-X-ENDLIST$/m, 'which is in the playlist');

$m->channel('media', endlist => $false, stall => 0);
wait_for(sub {
    my @r = $of->('media');
    @r == 1 && $r[0]{status} eq 'recording'
}, 'back within resume_window: the same recording');
unlike($m->playlist($r), qr/ENDLIST/, 'whose end is taken back');

wait_for(sub { ($of->('multi'))[0]{status} eq 'recorded' }, '404 is an end', 32);
cmp_ok(time - $t0, '<', 40, 'within 30 s');
my $ended = time;
sleep 0.2 while time < $ended + 7;
$m->channel('multi', gone => $false);
wait_for(sub { my @r = $of->('multi'); @r == 2 && $r[0]{segments} >= 2 },
         'back after resume_window: another recording', 10);

$m->finish;
