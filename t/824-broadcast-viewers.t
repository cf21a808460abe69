use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Players;
use Test::More;

# LIV-08, U5: of an own broadcast nobody but us knows how many watch: "viewers" are
# who watches its recording, in the list of what is on the air and in the streamer.


my $m = MNTRTMP->new(workers => 2);
$m->start;
$m->up;

my $s = $m->camera('studio');
my $p = $m->publish($s->{key});
wait_for(sub { $m->on_air($s) }, 'on the air');
my $r = wait_for(sub { (grep { $_->{segments} >= 2 } @{ $m->recordings })[0] },
                 'and recorded', 20);

my $live = sub { $m->json('/api/v1/live')->{items}[0] || {} };
is($live->()->{viewers}, 0, 'without a viewer');
my $v = Players->new($m, 12, url => $r->{url});
wait_for(sub { ($live->()->{viewers} // 0) == 12 }, 'twelve watch it', 10);
is($live->()->{watching}, 12, 'who are ours');
is($m->json("/api/v1/streamers/$s->{id}")->{live}{viewers}, 12,
   'so says the streamer');

# the end is the end for them

$m->stop_publisher($p);
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' }, 'it ends');
wait_for(sub { $m->metric('mntreamer_viewers') == 0 },
         'who asks for what is over watches nothing live', 20);
$r = $m->recording($r->{id});
is($r->{watching}, undef, 'nobody does');
is($r->{watching_peak}, 12, 'there were twelve');
cmp_ok($r->{watch_time}, '>', 0, 'for some time');
$v->stop;

$m->finish;
