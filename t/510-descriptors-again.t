use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# RELIABILITY N5: libcurl closes a descriptor and libpq, the API or the next
# transfer opens one with the same number, again and again: each event comes to
# whom it belongs, nothing waits for one that went elsewhere.

my $m = MNT->new(workers => 1, backoff => '100ms',
                 mntreamer => 'poll_rate 400r/s; probe_timeout 3s;');

# every answer ends its connection

my @id = map { $m->channel("w$_") } 1 .. 30;
$m->fault(match => '/polling/', times => -1, nolength => 1);
$m->fault(match => '/hls/good/', times => -1, nolength => 1);
$m->channel('good', live => 1, dur => 0.5, window => 8);
$m->start;
$m->up;
my ($worker) = $m->workers_of;
$m->watch('good');
wait_for(sub { my $r = $m->recordings->[0]; $r && $r->{segments} >= 1 }, 'it is recorded');
$m->call(POST => '/api/v1/streamers', { items => [
    map { { platform => 'chzzk', channel => $_ } } @id ] });

my $asked = sub { my $n = 0; $n += $_->{hit} for @{ $m->tell('/_/faults') }; $n };
my ($cuts, $answers, $slow) = (0, 0, 0);
wait_for(sub { $asked->() > 100 }, 'transfers come and go');
my $from = $asked->();
wait_for(sub {
    $cuts += $m->one("SELECT count(pg_terminate_backend(pid))
                        FROM pg_stat_activity WHERE datname = '$m->{db}'
                         AND pid <> pg_backend_pid()");
    for (1 .. 5) {
        my $r = $m->get('/api/v1/streamers?limit=3');
        $answers++ if $r->{status} == 200 || $r->{status} == 503;
    }
    $slow++;
    $cuts >= 6 && $asked->() - $from > 400
}, 'hundreds of transfers and six cuts of the database', 30);
is($answers, 5 * $slow, 'the API answered each time') or diag $answers;

wait_for(sub { $m->get('/health')->{status} == 200 }, 'it is up again');
my $n = $m->one("SELECT segments FROM media_record");
wait_for(sub { $m->one("SELECT segments FROM media_record") > $n + 2 }, 'and goes on');
is($m->recordings->[0]{gaps}, 0, 'nothing was lost');
unlike($m->log, qr/timed out|timeout/, 'nothing was waited for in vain');
is(join(' ', $m->workers_of), $worker, 'no worker died');

$m->finish;
