use strict;
use warnings;
use lib 't/lib';
use MNT;
use Players;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time sleep);

# U5, LIV-08: fifty players on two workers are fifty viewers within 5 s; when ten
# leave there are forty, as soon as a player would have asked again.  Reloads and
# killed workers change nothing of it.  What was watched is added up.

my $m = MNT->new(workers => 2, mntreamer => 'poll_rate 200r/s; refresh 1s;');
$m->channel($_, live => 1, dur => 1, viewers => 7) for 'alpha', 'beta';
$m->start;
$m->up;
$m->watch($_) for 'alpha', 'beta';

my $of = sub {
    return (grep { $_->{channel_name} eq $_[0] }
            @{ $m->json('/api/v1/recordings?limit=100')->{items} })[0];
};
my $r = wait_for(sub { my $r = $of->('alpha'); $r && $r->{segments} >= 3 && $r },
                 'it records', 20);
wait_for(sub { ($of->('beta') || {})->{segments} }, 'and the other one');
is($r->{watching}, 0, 'nobody watches');
is($r->{watching_peak}, 0, 'nor did anybody');
is($r->{watch_time}, 0, 'at any time');

my $watching = sub { ($of->('alpha') || {})->{watching} };

# they come

my $t0 = time;
my $p = Players->new($m, 50, url => $r->{url});
wait_for(sub { $watching->() == 50 }, 'fifty players are fifty viewers', 10);
cmp_ok(time - $t0, '<', 5 * $MNT::PATIENCE, 'within 5 s');
is($of->('beta')->{watching}, 0, 'of that recording only');
my ($l) = grep { $_->{recording_id} == $r->{id} }
    @{ $m->json('/api/v1/live')->{items} };
is($l->{watching}, 50, 'the list of those on the air says so');
is($l->{viewers}, 7, 'beside the number of the platform');
is($m->recording($r->{id})->{watching}, 50, 'and the recording itself');
wait_for(sub { $m->metric('mntreamer_viewers') == 50 }, 'and the metric');
is($m->one('SELECT count(*) FROM media_watching'), 1, 'in one row');

# reload, and a worker that is killed: at no moment others are told, also when no
# player asks meanwhile, which would make it known again

my @seen;
my $look = sub {
    my ($until) = @_;
    while (time < $until) {
        my $n = eval { $watching->() };        # its connection may break
        push @seen, $n if defined $n;
        sleep 0.2;
    }
};
my @old = $m->workers_of;
$p->signal('STOP');
$m->reload;
$look->(time + 5);
$p->signal('CONT');
$look->(time + 2);
my %now = map { $_ => 1 } $m->workers_of;
is(scalar(grep { $now{$_} } @old), 0, 'the workers of before are gone');
for (1 .. 2) {
    $p->signal('STOP');
    kill 'KILL', ($m->workers_of)[0];
    $look->(time + 4);
    $p->signal('CONT');
    $look->(time + 2);
}
cmp_ok(scalar @seen, '>', 20, 'answers meanwhile');
is(scalar(grep { $_ != 50 } @seen), 0, 'fifty in each')
    or diag "@seen";
is($m->one('SELECT count(*) FROM media_watching'), 1, 'still in one row');

# they leave

my $before = $r->{watch_time};
$t0 = time;
$p->leave(10);
wait_for(sub { $watching->() == 40 }, 'ten leave: forty', 20);
my $took = time - $t0;
cmp_ok($took, '>=', 7, 'not before a player would have asked again');
cmp_ok($took, '<', 10 + 4 * $MNT::PATIENCE, 'soon after');
is($of->('alpha')->{watching_peak}, 50, 'there were fifty');

my $all = time;
$p->stop;
wait_for(sub { $watching->() == 0 }, 'all leave: nobody', 20);
wait_for(sub { $m->metric('mntreamer_viewers') == 0 }, 'the metric, too');
$r = $of->('alpha');
is($r->{watching_peak}, 50, 'the peak stays');

# its end: what was watched is exact to what was asked for

$m->channel('alpha', live => 0, endlist => JSON::PP::true, stall => 1);
wait_for(sub { $of->('alpha')->{status} eq 'recorded' }, 'its end', 40);
$r = $of->('alpha');
is($r->{watching}, undef, 'nobody can watch what is over');
is($r->{watching_peak}, 50, 'it had a peak');
cmp_ok($r->{watch_time}, '>', 50 * 10, 'it was watched by fifty');
cmp_ok($r->{watch_time}, '<', 50 * ($all - $p->{began}), 'not longer than that');

my $time = $r->{watch_time};
my $late = Players->new($m, 5, url => $r->{url});
sleep 6;
is($m->metric('mntreamer_viewers'), 0, 'what is over has no viewers');
is($of->('alpha')->{watch_time}, $time, 'and no time');
$late->stop;
is($m->recording($r->{id})->{watching}, undef, 'nor does it say so');

$m->{allow_log} = qr/exited on signal 9/;
$m->finish;
