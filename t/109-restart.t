use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(time sleep);

# MON-09: kill -9 of all nginx processes during a recording; the next start
# leaves nothing stuck and goes on in the same recording within 2 s.

my $m = MNT->new;
$m->channel('beta', live => 1, dur => 0.5, window => 6);
$m->start;
$m->up;
$m->watch('beta');

my $r = wait_for(sub {
    my $r = $m->recordings->[0];
    $r && $r->{segments} >= 3 && $r
}, 'it records');

my $old = $m->playlist($r);
$m->crash;
sleep 5;                               # longer than the source's window
$m->start;
my $t0 = time;

my $n = playlist_entries($old);
my $text = wait_for(sub {
    my $t = $m->playlist($r);
    playlist_entries($t) > $n + 1 && $t
}, 'the same recording goes on', 8);
cmp_ok(time - $t0, '<', 2 * $MNT::PATIENCE + 1, 'soon after the start');

my @e = playlist_entries($text);
my @disc = grep { $_->{disc} } @e;
cmp_ok(scalar @disc, '>=', 1, 'a discontinuity marks what was missed');

my %u;
$u{ $_->{uri} }++ for @e;
is(scalar(grep { $_ > 1 } values %u), 0, 'no entry is listed twice');

wait_for(sub { $m->recording($r->{id})->{gaps} >= 1 }, 'there is a gap row');
my $g = $m->recording($r->{id})->{gap_list}[0];
like($g->{reason}, qr/^(restart|window)$/, 'with its reason');
cmp_ok($g->{segments}, '>=', 1, 'and its size');

is(scalar @{ $m->recordings }, 1, 'there is one recording');
is($m->streamers->[0]{status}, 'recording', 'the streamer is recorded');

# a worker alone: its sibling or its successor takes over

$n = playlist_entries($m->playlist($r));
for my $w ($m->workers_of) {
    kill 'KILL', $w;
}
$t0 = time;
wait_for(sub { playlist_entries($m->playlist($r)) > $n + 2 },
         'after SIGKILL of the workers it goes on', 10);

$m->channel('beta', live => 0, stall => 1);
wait_for(sub { $m->playlist($r) =~ /ENDLIST/ }, 'it ends', 32);
wait_for(sub { $m->streamers->[0]{status} eq 'idle' }, 'nothing is stuck');

my @files = file_list($m->{storage});
is(scalar(grep { /\.part$/ } @files), 0, 'no .part is left');

$m->{allow_log} = qr/exited on signal 9/;
$m->finish;
