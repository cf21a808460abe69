use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTFollower;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(sleep time);

# ING-07: while the database is away nothing new is told; what was being told is
# not told twice, tries go on where they were, and an end is told afterwards.

my $f = MNTFollower->new;
my $m = MNTRTMP->new(workers => 3, own_pg => 1, silence => '30s',
    update => '500ms', platform => 'follower ' . $f->url('slow') . ';'
        . 'follower ' . $f->url('bad') . ';');
$f->mode(slow => 'slow 1.5', bad => 'hang');
$m->start;
$m->up;

my $s = $m->camera('studio');
my $p = $m->publish($s->{key});
my $name = wait_for(sub { $m->on_air($s) }, 'on the air');
wait_for(sub { $f->heard('slow') && $f->heard('bad') }, 'being told');
MNT::pg_stop($m->{own_pg}, 'immediate');
wait_for(sub { $m->get('/health')->{status} == 503 }, 'the database goes away');
sleep 9;                               # longer than a statement waits, a lease
my $n = $f->heard('bad');
cmp_ok($n, '<=', 2, 'who fails is not tried meanwhile');
$m->stop_publisher($p, 'KILL');
sleep 2;
is(scalar(grep { $_->{event} eq 'end' } $f->heard('slow')), 0,
   'nobody is told an end');

$f->mode(slow => 200, bad => 500);
MNT::pg_start($m->{own_pg});
wait_for(sub { $m->get('/health')->{status} == 200 }, 'it is back', 30);
wait_for(sub { $f->events('slow') eq 'start end' }, 'the end is told', 30);
wait_for(sub { !$m->one('SELECT count(*) FROM follow_event'
                        . ' WHERE done_at IS NULL') }, 'all is settled', 30);
sleep 6;
is($f->events('slow'), 'start end', 'and nothing twice');
is((grep { $_->{event} eq 'end' } $f->heard('slow'))[0]{reason}, 'stopped',
   'as it was');
cmp_ok(scalar(grep { $_->{event} eq 'start' } $f->heard('bad')), '<=', 3,
       'who fails is not tried more than three times');
$m->finish;
