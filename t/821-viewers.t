use strict;
use warnings;
use lib 't/lib';
use MNT;
use Players;
use File::Path qw(make_path);
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time sleep);

# U5: what makes a viewer.  Playlists that are asked for again, by whatever method
# and with whatever answer; not who asks once, asks for segments only, or for what
# is over.  One address is 64 viewers at most, and harms nobody.

my $m = MNT->new(workers => 3, mntreamer => 'poll_rate 200r/s;',
    http => 'keepalive_requests 1000000; set_real_ip_from 127.0.0.1;'
            . 'real_ip_header X-Real-IP;');
$m->channel('plain', live => 1, dur => 1);
$m->channel('tracks', live => 1, dur => 1, kind => 'fmp4',
            audio => JSON::PP::true);
$m->start;
$m->up;
$m->watch($_) for 'plain', 'tracks';

my $of = sub {
    return (grep { $_->{channel_name} eq $_[0] }
            @{ $m->json('/api/v1/recordings?limit=100')->{items} })[0];
};
my ($r, $t) = map {
    my $name = $_;
    wait_for(sub { my $r = $of->($name); $r && $r->{segments} >= 3 && $r },
             "$name is recorded", 20)
} 'plain', 'tracks';
my $n = sub { $of->($_[0])->{watching} };

# many at once over one connection, each with an address and an agent

my $ask = sub {
    my ($path, @who) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $m->{port}) or die $!;
    while (my @some = splice @who, 0, 200) {
        print $s map { "HEAD $path HTTP/1.1\r\nHost: a\r\nX-Real-IP: $_->[0]\r\n"
            . "User-Agent: $_->[1]\r\n\r\n" } @some;
        my ($text, $got) = ('', 0);
        while ($got < @some) {
            sysread $s, $text, 65536, length $text or die 'closed';
            $got = () = $text =~ /\r\n\r\n/g;
        }
        die $text if $text !~ m{^HTTP/1.1 200};
    }
};

# methods and answers

my %kind = (HEAD => { methods => ['HEAD'], segments => 0 },
            'a part of it' => { range => 'bytes=0-9', segments => 0 },
            'playlists only' => { segments => 0 },
            'not modified' => { more => "If-None-Match: *\r\n", segments => 0 },
            'both methods' => { methods => ['HEAD', 'GET'] });
my ($net, @p) = (1);
for (sort keys %kind) {
    push @p, Players->new($m, 2, url => $r->{url}, net => $net++, %{ $kind{$_} });
}
my $two = Players->new($m, 3, url => $t->{url},
    tracks => ['index.m3u8', 'video.m3u8', 'audio-1.m3u8']);
wait_for(sub { $n->('plain') == 10 }, 'two of each of five kinds');
wait_for(sub { $n->('tracks') == 3 }, 'who loads several tracks is one');
sleep 3;
is($n->('plain'), 10, 'they stay');
is($n->('tracks'), 3, 'and are no more');
wait_for(sub { $m->metric('mntreamer_viewers') == 13 }, 'in all');

# the same agents at one address are one, others are others

my $url = $r->{url};
for (1 .. 3) {
    $ask->($url, map { ['10.0.0.1', 'same'] } 1 .. 5);
    $ask->($url, map { ['10.0.0.2', "agent $_"] } 1 .. 3);
    $ask->($url, map { ["2001:db8::$_", 'six'] } 1 .. 2);
}
wait_for(sub { $n->('plain') == 10 + 1 + 3 + 2 }, 'address and agent tell');

# who is none

my ($dir) = $url =~ m{^(.*/)};
my @e = playlist_entries($m->playlist($r));
$ask->($url, map { ["10.1.0.$_", 'once'] } 1 .. 100);
$ask->("$dir$e[0]{uri}", map { ["10.2.0.$_", 'no playlist'] } 1 .. 100)
    for 1 .. 2;
my ($tdir) = $t->{url} =~ m{^(.*/)};
$ask->($t->{url}, map { ["10.3.0.$_", 'index only'] } 1 .. 100) for 1 .. 2;
sleep 4;
cmp_ok($n->('plain'), '<=', 16, 'nobody who asks once, or for segments only');
is($n->('tracks'), 3, 'or for the list of tracks only');

# segments keep who has watched

$_->stop for @p, $two;
$ask->($url, ['10.4.0.1', 'full']) for 1 .. 2;
for (1 .. 8) {
    sleep 2;
    $ask->("$dir$e[0]{uri}", ['10.4.0.1', 'full']);
}
is($n->('plain'), 1, 'only who asks for segments is left');
is($n->('tracks'), 0, 'and nobody there');

# a hundred thousand agents of one address

my $p = Players->new($m, 5, url => $url, net => 9);
my @agents = map { "agent $_" } 1 .. 50_000;
wait_for(sub { $n->('plain') >= 5 }, 'five real ones');
$ask->($url, map { ['10.9.0.1', $_], ['10.9.0.1', $_] } @agents);
my @six = map { sprintf '2001:db8:1:2:%x::1', $_ } 1 .. 10_000;
$ask->($url, map { [$_, 'six'], [$_, 'six'] } @six);
wait_for(sub { $n->('plain') == 5 + 2 * 64 },
         'those of an address, and of a network, are 64')
    or diag $n->('plain');
cmp_ok($m->metric('mntreamer_viewers_missed_total'), '>', 60_000,
       'the others were missed, which is told');
unlike($m->log, qr/more viewers/, 'but not in the log, who was it');
$ask->($url, map { ['10.9.0.1', $_] } @agents);
sleep 2;
$p->stop;
wait_for(sub { $n->('plain') == 0 }, 'nobody is left', 25);

# what lies there and is none of ours, and what is over

my $root = "$m->{storage}/other";
make_path("$root/\xff", "$root/over");
my $text = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nx.ts\n";
spew("$root/\xff/index.m3u8", $text);
spew("$root/index.m3u8", $text);
spew("$m->{storage}/index.m3u8", $text);
spew("$root/over/index.m3u8", "$text#EXT-X-ENDLIST\n");
spew("$root/old.m3u8", $text);
utime time - 16 * 60, time - 16 * 60, "$root/old.m3u8";
$ask->("/recordings/$_", map { ['10.5.0.1', $_] } 1 .. 4) for
    ('other/over/index.m3u8', 'other/%FF/index.m3u8', 'index.m3u8',
     'other/old.m3u8') x 2;
$ask->($url, ['10.5.0.1', 'real']) for 1 .. 2;
wait_for(sub { $n->('plain') == 1 }, 'a real one is told');
is($m->metric('mntreamer_viewers'), 1, 'and nobody else is counted');
$ask->('/recordings/other/index.m3u8', ['10.5.0.1', 'real']) for 1 .. 2;
wait_for(sub { $m->metric('mntreamer_viewers') == 2 },
         'what goes on is, though it has no row');
is($m->one('SELECT count(DISTINCT recording_id) FROM media_watching'), 2,
   'which the database is told of in vain');
unlike($m->log, qr/\[error\]/, 'without an error');

# own broadcasts: nobody else knows how many watch

$m->psql("UPDATE platform SET pushed = true WHERE name = 'chzzk'");
$ask->($url, ['10.6.0.1', $_]) for 1, 1, 2, 2, 3, 3;
wait_for(sub {
    my ($l) = grep { $_->{recording_id} == $r->{id} }
        @{ $m->json('/api/v1/live')->{items} };
    $l->{viewers} == 3 && $l->{watching} == 3
}, 'viewers of an own broadcast are who watches', 30);
my ($s) = grep { ($_->{recording_id} // 0) == $r->{id} } @{ $m->streamers };
is($s->{live}{viewers}, 3, 'in the streamer, too');
is($m->json('/api/v1/live')->{items}[0]{recording_id}, $r->{id},
   'most viewers come first');

$m->finish;
