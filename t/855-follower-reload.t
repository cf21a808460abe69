use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTFollower;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(sleep time);

# ING-07: a reload while followers are told: each is told once.  Who became a
# follower while a broadcast was on the air hears of the next one only; who is
# none any more hears nothing.

my $f = MNTFollower->new;
my $m = MNTRTMP->new(workers => 3,
    platform => 'follower ' . $f->url('a') . '; follower ' . $f->url('gone')
              . ';');
$f->mode(a => 'slow 1.7', gone => 200);
$m->start;
$m->up;

my $s = $m->camera('studio');
my $p = $m->publish($s->{key});
my $name = wait_for(sub { $m->on_air($s) }, 'on the air');
wait_for(sub { $f->heard('a') }, 'a slow follower is being told');
wait_for(sub { $f->heard('gone') }, 'another one was');

# the next nginx.conf has another one

my $platform = $m->{platform};
$m->{platform} =~ s{follower \S+/gone;}{'follower ' . $f->url('late') . ';'}e;
isnt($m->{platform}, $platform, 'the configuration is changed');
my $last = $m->one('SELECT max(id) FROM engine');
$m->write_config;
$m->reload;
wait_for(sub { $m->one("SELECT count(*) FROM engine WHERE id > $last") == 3
               && $m->one("SELECT count(*) FROM engine WHERE id <= $last") == 0
}, 'and reloaded', 20);
wait_for(sub { $m->one("SELECT count(*) FROM follow_event"
                       . " WHERE outcome = 'told'") == 2 }, 'both were told');
is($f->events('a'), 'start', 'once');

# publishers stay with the old workers' connections: a new broadcast

$f->mode(a => 200);
$m->stop_publisher($p);
wait_for(sub { $f->events('a') =~ /end/ || !$m->on_air($s) }, 'it ends');
wait_for(sub { $f->events('a', $name) =~ /^start end/ }, 'which is told');
sleep 1;
is($f->events('late', $name), '', 'who came later hears no end');
is($f->events('gone'), 'start', 'nor who is gone');

my $t = $m->camera('other');
$p = $m->publish($t->{key});
my $next = wait_for(sub { $m->on_air($t) }, 'another broadcast');
wait_for(sub { $f->events($_, $next) eq 'start' }, "$_ is told")
    for 'a', 'late';
$m->stop_publisher($p);
wait_for(sub { $f->events($_, $next) eq 'start end' }, "$_, of its end, too")
    for 'a', 'late';
is($f->events('gone'), 'start', 'and who is gone still nothing');
$m->finish;
