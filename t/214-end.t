use strict;
use warnings;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time sleep);

# The end (REC-01): is noticed within 30 s in whatever way it shows, closes the
# playlist, and is never seen where there is none.

my $m = MNT->new(workers => 2, mntreamer => 'poll_rate 200r/s; refresh 1s;');
my ($true, $false) = (JSON::PP::true, JSON::PP::false);

# name => what happens, does it end

my %case = (
    endlist => [{ live => 0, endlist => $true, stall => 1 }, 1],
    gone    => [{ live => 0, gone => $true }, 1],
    stall   => [{ live => 0, stall => 1 }, 1],
    hidden  => [{ exists => $false, gone => $true }, 1],
    closed  => [{ live => 0 }, 0],            # but segments still come
    strange => [{ state => 'BLOCK' }, 0],     # likewise
    flap    => [{ live => 0, stall => 1 }, 0],
);

my %id = map {
    $_ => $m->channel($_, live => 1, dur => 0.5, window => 8)
} keys %case;
$m->start;
$m->up;
$m->call(POST => '/api/v1/streamers', { items => [
    map { { platform => 'chzzk', channel => $id{$_} } } sort keys %case ] });

my $of = sub {
    my ($name) = @_;
    return grep { $_->{channel_id} eq $id{$name} }
        @{ $m->json('/api/v1/recordings?limit=100')->{items} };
};

for (sort keys %case) {
    wait_for(sub { my ($r) = $of->($_); $r && $r->{segments} >= 3 },
             "$_ is recorded");
}

my %before = map { $_ => ($of->($_))[0]{segments} } keys %case;
my $t0 = time;
$m->channel($_, %{ $case{$_}[0] }) for sort keys %case;
sleep 3;
$m->channel('flap', live => 1, stall => 0, window => 20);

my %over;
while (time < $t0 + 33 && grep { $case{$_}[1] && !$over{$_} } keys %case) {
    for (grep { !$over{$_} } keys %case) {
        my ($r) = $of->($_);
        $over{$_} = time - $t0 if $r->{status} eq 'recorded';
    }
    sleep 0.2;
}

for (sort keys %case) {
    my ($r) = $of->($_);
    is(scalar($of->($_)), 1, "$_: one recording");

    if ($case{$_}[1]) {
        ok($over{$_}, "$_: it is over") or next;
        cmp_ok($over{$_}, '<=', 30, sprintf '... after %.1f s', $over{$_});
        like($m->playlist($r), qr/^#EXT-X-ENDLIST\n\z/m, '... with ENDLIST');
        ok($r->{ended_at}, '... with its time');
        is($r->{gaps}, 0, '... nothing was lost');
        next;
    }

    ok(!$over{$_}, "$_: it is not over");
    wait_for(sub { ($of->($_))[0]{segments} > $before{$_} + 12 },
             '... but goes on', 20);
    unlike($m->playlist($r), qr/ENDLIST/, '... without ENDLIST');
    is($r->{gaps}, 0, '... nothing was lost');
}

is($m->metric('mntreamer_recordings_finished_total'), 4, 'four are counted');

$m->finish;
