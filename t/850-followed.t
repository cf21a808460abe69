use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTFollower;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(sleep time);

# ING-07: followers are told once, by all workers together, when a broadcast
# starts and when it ends, however it ends.  They may be on this machine without
# fetch_allow; their addresses are secrets.

my $f = MNTFollower->new;
my $token = 'Secret' . '0123456789abcdef';
my $m = MNTRTMP->new(workers => 3, silence => '2s', update => '500ms',
    mntreamer => 'resume_window 20s;', allow_log => qr/exited on signal 9/,
    platform => 'follower ' . $f->url("a/$token?key=$token") . ' required;'
              . 'follower ' . $f->url('b') . ';');
$m->{block} = <<"END";
mntreamer {
    database "host=$m->{pg} user=postgres dbname=$m->{db}";
    storage $m->{storage};
    resume_window 20s;
    platform rtmp { $m->{platform} }
}
END
$m->start;
$m->up;

my $s = $m->camera('studio');
my $p = $m->publish($s->{key});
my $name = wait_for(sub { $m->on_air($s) }, 'on the air');
wait_for(sub { $f->events($_) }, "$_ is told") for 'a', 'b';
my ($x) = $f->heard('a');
is($x->{event}, 'start', 'that it has started');
is($x->{broadcast}, $name, 'by its public name');
is($x->{streamer_id}, $s->{id}, 'of which streamer');
is($x->{channel}, 'studio', 'and channel');
ok(!$x->{resumed}, 'that it does not go on with another one');
like($x->{started_at}, qr/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, 'since when');
ok(exists $x->{$_} && !defined $x->{$_}, "no $_ yet") for 'ended_at', 'reason';
ok(exists $x->{$_}, "$_ is there") for 'title', 'playlist';
is($x->{id}, "$name-start", 'under a number of its own');
is($x->{key}, $x->{id}, 'which is its idempotency key, too');
is($x->{type}, 'application/json', 'as JSON');
is($x->{path}, "/a/$token?key=$token", 'at the address as it was given');

my $r = wait_for(sub { (grep { $_->{segments} > 1 } @{ $m->recordings })[0] },
                 'it is recorded');
ok(!$m->json("/api/v1/streamers/$s->{id}")->{live}{degraded}, 'not degraded');
is($m->json('/api/v1/live')->{items}[0]{degraded}, JSON::PP::false,
   'viewers are told the same');

# its end, once

$m->stop_publisher($p);
wait_for(sub { $f->events($_) =~ /end/ }, "$_ is told the end", 3)
    for 'a', 'b';
($x) = grep { $_->{event} eq 'end' } $f->heard('b');
is($x->{reason}, 'stopped', 'why');
like($x->{ended_at}, qr/Z$/, 'and when');
is($x->{playlist}, $r->{url}, 'with its recording');
is($x->{id}, "$name-end", 'under another number');

# it comes back within the window

wait_for(sub { !$m->on_air($s) }, 'off the air');
$p = $m->publish($s->{key});
my $second = wait_for(sub { $m->on_air($s) }, 'it comes back');
wait_for(sub { $f->events('b') eq 'start end start' }, 'which is told');
($x) = (grep { $_->{event} eq 'start' } $f->heard('b'))[1];
is($x->{broadcast}, $name, 'as the same broadcast');
ok($x->{resumed}, 'that goes on');
is($x->{id}, "$second-start", 'under a number of its own');
is($x->{playlist}, $r->{url}, 'in the same recording');

# SIGKILL, and silence

$m->stop_publisher($p, 'KILL');
wait_for(sub { $f->events($_) eq 'start end start end' },
         "$_ is told that its encoder was killed") for 'a', 'b';

my $t = $m->camera('other');
$p = $m->publish($t->{key});
my $third = wait_for(sub { $m->on_air($t) }, 'another channel');
wait_for(sub { $f->events('a', $third) eq 'start' }, 'is told');
my $w = $m->worker_of($p);
kill 'KILL', $w;
$m->ends($p, 'the worker that has it is killed');
wait_for(sub { $f->events($_, $third) eq 'start end' },
         "$_ is told when nothing was heard of it", 30) for 'a', 'b';
is(($f->heard('a', $third))[1]{reason}, 'silent', 'and why');

# a broadcast that reached nobody is told to nobody

$m->ends($m->publish('f' x 48), 'somebody without a key');
sleep 1;
is($f->events('a'), 'start end start end start end', 'each once, in order');
is($f->events('b'), $f->events('a'), 'to both');
is($m->one('SELECT count(*) FROM follow_event WHERE done_at IS NULL'), 0,
   'nothing is left to be told');
is($m->metric('mntreamer_followers_total{result="told"}'), 12, 'and counted')
    if !$m->metric('mntreamer_followers_total{result="again"}');

# the address is in no log, row, answer, or metric; nginx.conf has it

push @{ $m->{secrets} }, $token;
rename "$m->{dir}/nginx.conf", "$f->{dir}/nginx.conf";
$m->no_secrets;
$m->finish;
