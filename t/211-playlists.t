use strict;
use warnings;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;

# RELIABILITY 3.1: the kinds of HLS and the ways a playlist misbehaves.  Each
# channel is recorded; what is stored is compared with what the origin makes.

my $m = MNT->new(workers => 2, mntreamer => 'poll_rate 200r/s;');

my %case = (
    keyed    => { key => 'explicit' },
    implicit => { key => 'implicit' },
    ranged   => { ranges => 1 },
    mapped   => { kind => 'fmp4', map_every => 5 },
    broken   => { disc_every => 5 },
    nodates  => { dates => 0 },
    media    => { multi => JSON::PP::false },
    lowlat   => { extra => "#EXT-X-PART-INF:PART-TARGET=0.2\n"
                  . '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1' },
    packed   => { kind => 'aac' },
    tokened  => { token => 600 },
);

$m->channel($_, live => 1, dur => 0.5, window => 8, %{ $case{$_} })
    for sort keys %case;
$m->start;
$m->up;
$m->call(POST => '/api/v1/streamers', { items => [
    map { { platform => 'chzzk', channel => $m->channel($_) } }
    sort keys %case ] });

my $of = sub {
    my ($name) = @_;
    my ($r) = grep { $_->{channel_name} && $_->{channel_name} eq $name }
        @{ $m->json('/api/v1/recordings?limit=100')->{items} };
    return $r;
};

my $variant = sub { $_[0] eq 'media' ? '720p30' : '1080p60' };

for my $name (sort keys %case) {
    my $r = wait_for(sub {
        my $r = $of->($name);
        $r && $r->{segments} >= 8 && $r
    }, "$name is recorded", 30) or next;

    my $text = $m->playlist($r);
    my @e = playlist_entries($text);
    my ($base) = $r->{url} =~ m{^(.*/)};

    my %made = map { sha256_of($m->segment($name, $variant->($name), $_)) => $_ }
        0 .. @e + 12;
    my @n = map { $made{ sha256_of($m->get($base . $_->{uri})->{content}) } } @e;
    is(scalar(grep { !defined } @n), 0, "$name: every stored byte is right");
    my @sorted = sort { $a <=> $b } grep { defined } @n;
    is("@{[ grep { defined } @n ]}", "@sorted", "$name: in order");
    is($sorted[-1] - $sorted[0] + 1, scalar @e, "$name: without a hole");

    is($r->{gaps}, 0, "$name: no gap");
    unlike($text, qr/EXT-X-KEY|BYTERANGE|EXT-X-PART/, "$name: plain entries");

    if ($name eq 'broken') {
        cmp_ok(scalar(grep { $_->{disc} } @e), '>=', 1,
               'discontinuities of the source are kept');
    }
    if ($name eq 'mapped') {
        my %maps = map { $_->{map} => 1 } @e;
        cmp_ok(scalar(keys %maps), '>=', 2, 'changed maps are kept');
        for my $u (sort keys %maps) {
            my $b = $m->get($base . $u);
            is($b->{status}, 200, "$u is served");
        }
    }
    if ($name ne 'nodates') {
        ok($e[0]{date}, "$name: dates are kept");
    }
    is(scalar(grep { !/\.aac$/ } map { $_->{uri} } @e), 0,
       'packed audio keeps its ending') if $name eq 'packed';
}

# resets: an encoder that starts again at 0, at another number, far ahead

$m->channel('media', reset => 0);
$m->channel('nodates', reset => 5000000);

for my $name ('media', 'nodates') {
    my $n = $of->($name)->{segments};
    wait_for(sub { $of->($name)->{segments} >= $n + 6 },
             "$name goes on after a reset", 20);
    my $text = $m->playlist($of->($name));
    my @d = grep { $_->{disc} } playlist_entries($text);
    is(scalar @d, 1, "$name: one discontinuity");
    is(scalar @{ [grep { ($_->{channel_name} // '') eq $name }
                  @{ $m->json('/api/v1/recordings?limit=100')->{items} }] }, 1,
       "$name: the same recording");
}

# a source that says EXT-X-GAP

my $st = $m->{http_client}->get(
    "http://127.0.0.1:$m->{origin_port}/_/state")->{content};
my $last = JSON::PP::decode_json($st)->{ranged}{last};
$m->channel('ranged', gap => [$last + 4, $last + 5]);
my $g = wait_for(sub {
    my ($g) = @{ $m->recording($of->('ranged')->{id})->{gap_list} };
    $g && $g->{segments} >= 2 && $g                 # its row grows with it
}, 'EXT-X-GAP is a gap', 15);
is($g->{reason}, 'source', 'of the source');
is($g->{segments}, 2, 'of two segments');

# a stalled playlist that comes back

$m->channel('lowlat', stall => 1);
sleep 4;
my $before = $of->('lowlat')->{segments};
$m->channel('lowlat', stall => 0, window => 30);
wait_for(sub { $of->('lowlat')->{segments} > $before + 8 },
         'a stalled stream goes on', 20);
is($of->('lowlat')->{status}, 'recording', 'in the same recording');

# a playlist that is none for a while

$m->fault(match => '/hls/packed/media/', body => '<html>busy</html>', times => 3);
$before = $of->('packed')->{segments};
wait_for(sub { $of->('packed')->{segments} > $before + 8 },
         'HTML instead of a playlist is survived', 20);
is($of->('packed')->{gaps}, 0, 'without a gap');

# a token that expires: 403 on everything until the URL is renewed

$m->fault(match => '/hls/tokened/media/', status => 403, times => 1);
$before = $of->('tokened')->{segments};
wait_for(sub { $of->('tokened')->{segments} > $before + 8 },
         'a 403 renews the address', 20);
is($of->('tokened')->{gaps}, 0, 'without a gap');
cmp_ok($m->metric('mntreamer_url_renewals_total'), '>=', 1, 'and is counted');

$m->finish;
