use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTFollower;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(sleep time);

# ING-07, U3: who tells a follower is killed in the middle of it, or all of
# nginx is: another one tells it, and what ended meanwhile is told as an end.

my $f = MNTFollower->new;
my $m = MNTRTMP->new(workers => 5, silence => '2s', update => '500ms',
    allow_log => qr/exited on signal 9/,
    platform => 'follower ' . $f->url('a') . ';');
$m->start;
$m->up;

sub teller {
    return $m->one('SELECT e.pid FROM follow_event f JOIN engine e'
                   . ' ON e.id = f.owner WHERE f.done_at IS NULL LIMIT 1');
}

# until it is another worker than those that the broadcast passes

my $s = $m->camera('studio');
my ($p, $name, $w);

for (1 .. 12) {
    $f->mode(a => 'slow 1.9');
    $p = $m->publish($s->{key});
    $name = wait_for(sub { $m->on_air($s) }, 'on the air');
    $w = wait_for(sub { teller() }, 'a worker tells it');
    last if $w && $w != ($m->worker_of($p) // 0)
            && $w != ($m->worker_of(0) // 0);
    $f->mode(a => 200);
    $m->stop_publisher($p);
    wait_for(sub { !$m->on_air($s)
        && !$m->one('SELECT count(*) FROM follow_event WHERE done_at IS NULL')
    }, '... which is not apart: tried again');
}

my @before = grep { $_->{id} eq "$name-start" } $f->heard('a');
kill 'KILL', $w;
$f->mode(a => 200);
wait_for(sub { (grep { $_->{id} eq "$name-start" } $f->heard('a')) > @before },
         'it is killed: another worker tells it', 10);
wait_for(sub { $m->one('SELECT outcome FROM follow_event f JOIN broadcast b'
    . " ON b.id = f.broadcast_id WHERE b.name = '$name'") eq 'told' },
    'until it was told');
sleep 6;
is(scalar(grep { $_->{id} eq "$name-start" } $f->heard('a')), @before + 1,
   'and not again');
is($m->on_air($s), $name, 'the broadcast goes on');
ok(!$m->json("/api/v1/streamers/$s->{id}")->{live}{degraded},
   'and is not degraded');

# killed between two tries: the third one is of somebody else

$f->mode(a => 200);
$m->stop_publisher($p);
wait_for(sub { grep { $_->{id} eq "$name-end" } $f->heard('a') }, 'its end');
$f->mode(a => 'slow 1');

# all of nginx is killed

$f->mode(a => 200);
my $t = $m->camera('other');
$p = $m->publish($t->{key});
my $third = wait_for(sub { $m->on_air($t) }, 'another broadcast');
wait_for(sub { grep { $_->{id} eq "$third-start" } $f->heard('a') }, 'is told');
$m->crash;
$m->ends($p, 'nginx is killed');
is(scalar(grep { $_->{id} eq "$third-end" } $f->heard('a')), 0,
   'nobody tells the end');
$m->start;
$m->up;
wait_for(sub { grep { $_->{id} eq "$third-end" } $f->heard('a') },
         'it is told when nginx is there again', 30);
is((grep { $_->{id} eq "$third-end" } $f->heard('a'))[0]{reason}, 'silent',
   'and why');
sleep 2;
is(scalar(grep { $_->{id} eq "$third-end" } $f->heard('a')), 1, 'once');
is(scalar(grep { $_->{id} eq "$third-start" } $f->heard('a')), 1,
   'its start was not told again');

# killed with an end that nobody took

$p = $m->publish($t->{key});
my $fourth = wait_for(sub { $m->on_air($t) }, 'one more');
wait_for(sub { grep { $_->{id} eq "$fourth-start" } $f->heard('a') }, 'is told');
$f->mode(a => 'hang');
$m->stop_publisher($p);
wait_for(sub { grep { $_->{id} eq "$fourth-end" } $f->heard('a') },
         'its follower hangs at the end');
$m->crash;
$f->mode(a => 200);
my $n = grep { $_->{id} eq "$fourth-end" } $f->heard('a');
$m->start;
$m->up;
wait_for(sub { (grep { $_->{id} eq "$fourth-end" } $f->heard('a')) > $n },
         'nginx is killed meanwhile: it is told again', 30);
wait_for(sub { !$m->one('SELECT count(*) FROM follow_event'
                        . ' WHERE done_at IS NULL') }, 'until it was told');
$m->finish;
