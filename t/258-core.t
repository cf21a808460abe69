use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# RELIABILITY S39: with the line of the samples, and without any, a worker that
# crashes leaves no core dump, in which cookies and the database's password would be.
# Who wants one gets it.

# as where a service manager allows them

MNT::quiet('prlimit', '--pid', $$, '--core=unlimited') or plan skip_all => 'no core dumps at all';

my $m = MNT->new(workers => 1, main => 'worker_rlimit_core 0;');
$m->channel('omega', live => 1, dur => 0.5, window => 12);
$m->start;
$m->up;
$m->watch('omega');
my $n = wait_for(sub {
    my $r = $m->recordings->[0];
    $r && $r->{segments} >= 3 && $r->{segments}
}, 'it records');

my ($pid) = $m->workers_of;
like(slurp("/proc/$pid/limits"), qr/^Max core file size +0 +0 /m,
    'the worker may write none');
my $cwd = readlink "/proc/$pid/cwd";
my %before = map { $_ => 1 } glob "$cwd/core*";
kill 'SEGV', $pid;
wait_for(sub { $m->log =~ /worker process $pid exited on signal 11/ },
    'it crashes');
unlike($m->log, qr/exited on signal 11 \(core dumped\)/, 'without a dump');
is(join(' ', grep { !$before{$_} } glob "$cwd/core*"), '', 'none is there');
wait_for(sub { ($m->recordings->[0]{segments} // 0) > $n + 3 },
    'the recording goes on', 20);

$m->{allow_log} = qr/exited on signal 11/;
ok($m->stop, 'nginx ends');

for (['', '1', 'nor without that line'], ['worker_rlimit_core 100m;', '104857600', 'unless it is wanted']) {
    ($m->{main}, my ($limit, $what)) = @$_;
    $m->start;
    $m->up;
    ($pid) = $m->workers_of;
    like(slurp("/proc/$pid/limits"), qr/^Max core file size +$limit /m, $what);
    like(slurp('/proc/' . $m->master . '/limits'), qr/^Max core file size +unlimited /m,
        '... which nginx itself was allowed') if !$_->[0];
    if ($limit eq '1') {
        my $from = length $m->log;
        kill 'SEGV', $pid;
        wait_for(sub { substr($m->log, $from) =~ /worker process $pid exited on signal 11/ },
            'it crashes');
        unlike(substr($m->log, $from), qr/core dumped/, 'without a dump');
    }
    ok($m->stop, 'nginx ends');
}
$m->finish;
