use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTFollower;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(sleep time);

# ING-07: what a required follower does not take is closed, and nothing says
# any more that it is on the air; others go on, and those that were told of its
# start are told of its end.

my $f = MNTFollower->new;
my $m = MNTRTMP->new(workers => 3, update => '3s',
    platform => 'follower ' . $f->url('must') . ' required;'
              . 'follower ' . $f->url('good') . ';'
              . 'follower ' . $f->url('may') . ';');
$f->mode(may => 500);
$m->start;
$m->up;

my $other = $m->camera('other');
my $q = $m->publish($other->{key});
my $goes = wait_for(sub { $m->on_air($other) }, 'another channel');
wait_for(sub { $f->events('must') eq 'start' }, 'is taken');
wait_for(sub { $m->json("/api/v1/streamers/$other->{id}")->{live}{degraded} },
         'and degraded by one that is not required');

my $s = $m->camera('studio');
for my $mode (500, 'hang') {
    $f->mode(must => $mode);
    my $began = time;
    my $p = $m->publish($s->{key});
    my $name = wait_for(sub { $m->on_air($s) }, "$mode: on the air");
    my $id = $m->one("SELECT id FROM broadcast WHERE name = '$name'");
    wait_for(sub { $m->one("SELECT ended_at IS NOT NULL FROM broadcast"
                           . " WHERE id = $id") eq 't' }, 'closed');
    my $x = $m->json("/api/v1/streamers/$s->{id}");
    ok(!$x->{is_streaming}, 'off the air at once');
    is($x->{live}, undef, '... nothing else is said');
    is(join(' ', map { $_->{streamer_id} }
            @{ $m->json('/api/v1/live')->{items} }), $other->{id},
       'nor in the list');
    is($m->one("SELECT reason FROM broadcast WHERE id = $id"), 'refused',
       'as refused');
    $m->ends($p, 'its publisher is disconnected');
    cmp_ok(time - $began, '<', $mode eq 'hang' ? 16 : 9, 'within seconds');
    my @must = grep { $_->{id} eq "$name-start" } $f->heard('must');
    is(scalar(@must), 3, 'after three tries');
    my $after = $m->one('SELECT extract(epoch FROM ended_at) FROM broadcast'
                        . " WHERE id = $id") - $must[-1]{at};
    cmp_ok($after, '<', $mode eq 'hang' ? 2.8 : 0.8, '... at the last one');
    wait_for(sub { join(' ', map { $_->{event} } grep {
        $_->{id} =~ /^$name-/ } $f->heard('good')) eq 'start end' },
        'who was told the start is told the end');
    is((grep { $_->{id} eq "$name-end" } $f->heard('good'))[0]{reason},
       'refused', 'and why');
    wait_for(sub { $m->json("/api/v1/streamers/$s->{id}")->{status} eq 'idle' },
             'and nothing records it');
    wait_for(sub { !-e "$m->{hls}/$name" }, 'its live files are gone');
    is($m->on_air($s), undef, 'nor is it on the air again');
    $f->mode(must => 200);
}

is($m->metric('mntreamer_followers_total{result="closed"}'), 2, 'counted');
like($m->log, qr/\[error\].*could not be told the start.*it was closed/,
     'and a line of the log');
is($m->on_air($other), $goes, 'the other channel goes on');
ok($m->runs($q), 'from its publisher');
ok($m->json("/api/v1/streamers/$other->{id}")->{is_streaming}, 'on the air');
ok(!grep { $_->{status} eq 'recording' && $_->{streamer_id} == $s->{id} }
   @{ $m->recordings });

# the follower is there again

my $p = $m->publish($s->{key});
my $name = wait_for(sub { $m->on_air($s) }, 'the publisher comes again');
wait_for(sub { grep { $_->{id} eq "$name-start" } $f->heard('must') },
         'and is taken');
sleep 2;
is($m->on_air($s), $name, 'and goes on');

# who required it and cannot be told the end: the end is the end

my $lost = sub { $m->metric('mntreamer_followers_total{result="lost"}') };
wait_for(sub { !$m->one('SELECT count(*) FROM follow_event'
                        . ' WHERE done_at IS NULL') }, 'all else is settled');
my $before = $lost->();
$f->mode(must => 500);
$m->stop_publisher($p);
wait_for(sub { $lost->() > $before },
         'an end that cannot be told is given up');
is(scalar(grep { $_->{id} eq "$name-end" } $f->heard('must')), 3,
   'after three tries');
is($m->on_air($other), $goes, 'the other channel goes on still');
$m->stop_publisher($q);
wait_for(sub { !$m->on_air($other) }, 'over');
$m->finish;
