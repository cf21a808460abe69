use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;

# ING-07: the worker that has the other end of the relay is killed.  nginx-rtmp
# relays nothing more and tells nobody: without us the publisher would go on for
# ever and nobody see it.  It is closed, and comes back as encoders do.

my $m = MNTRTMP->new(workers => 3, silence => '2s', update => '500ms',
    allow_log => qr/exited on signal 9/);
$m->start;
$m->up;

my $s = $m->camera('a');
my ($p, $w, $relay);

# until it is another worker than that of the publisher

for (1 .. 12) {
    $p = $m->publish($s->{key});
    wait_for(sub { $m->segments($m->on_air($s) // 'none') }, 'on the air');
    ($w, $relay) = ($m->worker_of($p), $m->worker_of(0));
    last if $w != $relay;
    $m->stop_publisher($p);
    wait_for(sub { !$m->on_air($s) }, 'tried again');
}
isnt($w, $relay, 'the relay leads to another worker');

my $name = $m->on_air($s);
kill 'KILL', $relay;
$m->ends($p, 'the publisher is closed');
wait_for(sub { !$m->on_air($s) }, 'and its broadcast over');

$p = $m->publish($s->{key});
wait_for(sub { $m->segments($m->on_air($s) // 'none') }, 'it comes back');
isnt($m->on_air($s), $name, 'as another one');

# one whose relay is well goes on for longer than the silence

my $n = $m->segments($m->on_air($s));
wait_for(sub { $m->segments($m->on_air($s)) >= $n + 3 }, 'and goes on');
ok($m->runs($p), 'without being closed');
$m->stop_publisher($p);
wait_for(sub { !$m->on_air($s) }, 'until it stops');
$m->finish;
