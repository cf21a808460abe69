use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(time sleep);

# DESIGN 4: while the database is away recordings in progress go on, what is
# there is served, the API answers 503 with Retry-After and never hangs; the rows
# are written when it is back.

my $m = MNT->new(own_pg => 1, workers => 2, mntreamer => 'lease 2s;');
$m->channel('epsilon', live => 1, dur => 0.5, window => 6);
$m->start;
$m->up;
$m->watch('epsilon');
my $r = wait_for(sub {
    my $r = $m->recordings->[0];
    $r && $r->{segments} >= 3 && $r
}, 'it records');

MNT::pg_stop($m->{own_pg}, 'immediate');
my $n = playlist_entries($m->playlist($r));

my $t0 = time;
my $x = wait_for(sub {
    my $x = $m->call(GET => '/api/v1/recordings');
    $x->{status} == 503 && $x
}, 'the API answers 503', 10);
ok($x->{headers}{'retry-after'}, 'with Retry-After');
ok($x->{json}{error}, 'as JSON');
$t0 = time;
is($m->get('/health')->{status}, 503, 'health says so');
cmp_ok(time - $t0, '<', 1.5 * $MNT::PATIENCE, 'soon');

wait_for(sub { playlist_entries($m->playlist($r)) > $n + 8 },
         'the recording goes on, longer than its lease', 20);

MNT::pg_start($m->{own_pg});
wait_for(sub { $m->get('/health')->{status} == 200 }, 'it is back', 20);
my $listed = playlist_entries($m->playlist($r));
wait_for(sub { $m->recording($r->{id})->{segments} >= $listed },
         'the rows follow', 20);
my $after = $m->recording($r->{id});
is($after->{status}, 'recording', 'the same recording');
is($after->{gaps}, 0, 'nothing was lost');
is(scalar @{ $m->recordings }, 1, 'and no second one was made');

# a database that hangs

my ($pg) = split /\n/, slurp("$m->{own_pg}/data/postmaster.pid");
my @all = map { m{/(\d+)/} ? $1 : () }
    grep { (slurp($_) // '') =~ /^\d+ \(postgres\) \S $pg / } glob '/proc/[0-9]*/stat';
kill 'STOP', $pg, @all;
$n = playlist_entries($m->playlist($r));
$t0 = time;
$x = $m->call(GET => '/api/v1/recordings');
is($x->{status}, 503, 'a hanging one gives 503');
cmp_ok(time - $t0, '<', 7 * $MNT::PATIENCE, 'in bounded time');
wait_for(sub { playlist_entries($m->playlist($r)) > $n + 4 },
         'and the recording goes on');
kill 'CONT', @all, $pg;
wait_for(sub { $m->get('/health')->{status} == 200 }, 'it is back', 30);
wait_for(sub { $m->recording($r->{id})->{segments} > $n }, 'the rows follow', 20);
is($m->recording($r->{id})->{gaps}, 0, 'nothing was lost');

$m->finish;
