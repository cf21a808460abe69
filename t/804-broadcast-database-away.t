use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(sleep);

# ING-02, ING-06: while the database is away nobody is admitted, who was goes on,
# and what ended meanwhile has ended when it is back; a silence that is the
# database's own ends nothing.

my $m = MNTRTMP->new(workers => 2, own_pg => 1, silence => '2s',
    update => '500ms');
$m->start;
$m->up;

my ($a, $b) = map { $m->camera($_) } 'a', 'b';
my ($p, $q) = map { $m->publish($_->{key}) } $a, $b;
my $name = wait_for(sub { $m->on_air($a) }, 'on the air');
my $other = wait_for(sub { $m->on_air($b) }, 'two of them');
wait_for(sub { $m->segments($name) && $m->segments($other) }, 'with segments');

my $c = $m->camera('c');
MNT::pg_stop($m->{own_pg}, 'immediate');
wait_for(sub { $m->get('/health')->{status} == 503 }, 'the database is away');

$m->ends($m->publish($c->{key}), 'a third one is refused');
my $hooks = sub { $m->metric("mntreamer_rtmp_hooks_total{result=\"$_[0]\"}") };
wait_for(sub { $hooks->('away') >= 30 },
         'the others are heard of for longer than the silence, and counted');
my $n = $m->segments($name);
wait_for(sub { $m->segments($name) > $n }, 'and go on');
is(scalar(() = glob "$m->{hls}/*"), 2, 'nothing of the third');
like($m->log, qr/\[error\].*RTMP of 127\.0\.0\.1 refused: the database is away/,
     'the log says why');

my $stopped = time;
$m->stop_publisher($q, 'KILL');

MNT::pg_start($m->{own_pg});
wait_for(sub { $m->get('/health')->{status} == 200 }, 'it is back', 30);
wait_for(sub { !$m->on_air($b) }, 'what ended is over');
is($m->one("SELECT reason FROM broadcast WHERE name = '$other'"), 'stopped',
   'by its own end');
cmp_ok($m->one("SELECT abs(extract(epoch FROM ended_at) - $stopped) FROM"
    . " broadcast WHERE name = '$other'"), '<', 3, 'at that time');
is($m->on_air($a), $name, 'what goes on was not ended');
ok($m->runs($p), 'nor closed');

my $x;
wait_for(sub {
    $x = $m->publish($c->{key}) if !$x || !$m->runs($x);
    sleep 0.3;
    return $m->on_air($c);
}, 'the third one is admitted now');
$m->stop_publisher($_) for $p, $x;
wait_for(sub { !$m->on_air($a) && !$m->on_air($c) }, 'all end');

$m->no_secrets;
$m->finish;
