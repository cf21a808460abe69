use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# MON-04 through the system: a streamer that stays offline is probed along the
# ladder, which starts again behind its last step; a live check sets it to 0.
# (The numbers of the default ladder are held by t/unit/base/backoff.c.)

my $m = MNT->new(backoff => '300ms*2 600ms*2 1200ms');
my $id = $m->channel('ladder');
$m->{mntreamer} = "streamer chzzk $id;";
$m->start;

my $probes = sub {
    grep { $_->{path} =~ m{live-status} } @{ $m->served }
};

wait_for(sub { $probes->() >= 9 }, 'it was probed nine times', 20);

my @t = map { $_->{t} } $probes->();
my @wait = map { $t[$_ + 1] - $t[$_] } 0 .. 7;
my @want = (0.3, 0.3, 0.6, 0.6, 1.2, 0.3, 0.3, 0.6);

for my $i (0 .. 7) {
    my $d = $wait[$i] - $want[$i];
    ok($d > -0.06 && $d < 0.4, "pause $i is $want[$i] s")
        or diag("it was $wait[$i]");
}

is(scalar(grep { $_->{path} =~ /live-detail/ } @{ $m->served }), 0,
   'an offline channel costs one cheap request');

my $s = $m->streamers->[0];
cmp_ok($s->{misses}, '>=', 8, 'misses are counted');
is($s->{last_probe}{outcome}, 'offline', 'the last outcome is told');

$m->channel('ladder', live => 1);
wait_for(sub { $m->streamers->[0]{status} eq 'recording' }, 'it goes live', 8);
is($m->streamers->[0]{misses}, 0, 'a live check sets the count to 0');

$m->finish;
