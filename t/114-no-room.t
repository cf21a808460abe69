use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# What is live and not recorded for lack of descriptors says so: in its row, in
# the log with its name, in the metrics.

my $m = MNT->new(workers => 1, main => 'worker_rlimit_nofile 48;',
                 mntreamer => 'poll_rate 200r/s;');
my @id = map { $m->channel("crowd$_", live => 1, dur => 0.5) } 1 .. 20;
$m->start;
$m->up;
$m->call(POST => '/api/v1/streamers', { items => [
    map { { platform => 'chzzk', channel => $_ } } @id ] });

my $s = wait_for(sub {
    my ($s) = grep { $_->{last_probe}
                     && ($_->{last_probe}{reason} // '') eq 'no-room' }
        @{ $m->streamers };
    $s
}, 'a row says that there is no room');
is($s->{last_probe}{outcome}, 'live', 'for what is live');
like($m->log, qr/"chzzk\/$s->{channel_id}" is on air but not recorded: no room/,
     'the log names it');
cmp_ok($m->metric('mntreamer_no_room_total') // 0, '>', 0,
       'the metrics count it');
cmp_ok(scalar @{ $m->recordings }, '<', 20, 'it is not recorded');

$m->finish;
