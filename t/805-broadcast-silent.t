use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(sleep);

# ING-06: a publisher whose worker was killed says no good-bye.  Its broadcast is
# over when nothing was heard of it for its time, at the latest when its
# publisher comes back; one that is heard of goes on.

my $m = MNTRTMP->new(workers => 3, silence => '2s', update => '500ms',
    allow_log => qr/exited on signal 9/);
$m->start;
$m->up;

my ($a, $b) = map { $m->camera($_) } 'a', 'b';

my $p = $m->publish($a->{key});
my $name = wait_for(sub { $m->on_air($a) }, 'on the air');
wait_for(sub { $m->segments($name) }, 'with segments');

my $w = $m->worker_of($p);
ok($w, 'a worker has it');
kill 'KILL', $w;
$m->ends($p, 'its connection is gone');
is($m->on_air($a), $name, 'nothing said so');

# its publisher comes back, as encoders do: again and again

my $again;
$p = 0;
wait_for(sub {
    if (!$p || !$m->runs($p)) { $p = $m->publish($a->{key}); sleep 0.3 }
    $again = $m->on_air($a);
    return $again && $again ne $name;
}, 'it is on the air again');
is($m->one("SELECT reason FROM broadcast WHERE name = '$name'"), 'silent',
   'the one before was silent');
is($m->one("SELECT ended_at = seen_at FROM broadcast WHERE name = '$name'"),
   't', 'and ended when it was heard of last');
wait_for(sub { $m->segments($again) }, 'with segments of its own');

# one that does not come back is found all the same

my $q = $m->publish($b->{key});
my $other = wait_for(sub { $m->on_air($b) }, 'another one');
$m->psql("UPDATE broadcast SET clientid = 0 WHERE name = '$other'");
$m->ends($q, 'who is not known is closed');   # and its end cannot be matched
is($m->on_air($b), $other, 'nothing said so');
wait_for(sub { !$m->on_air($b) }, 'what is silent is swept', 20);
like($m->log, qr/broadcast \d+ was not heard of any more/, 'and told');
is($m->on_air($a), $again, 'what is heard of goes on');

$m->stop_publisher($p);
wait_for(sub { !$m->on_air($a) }, 'and ends');
$m->finish;
