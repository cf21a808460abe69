use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(sleep time);

# A migration that has to wait for a table does not make all others wait behind
# it: it gives up soon and is tried again.

my $m = MNT->new(workers => 2);
$m->psql('CREATE TABLE schema_migration (number integer PRIMARY KEY,
          name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())');
for my $file (sort glob "$MNT::TOP/conf/sql/*.sql") {
    my ($n) = $file =~ m{/0*(\d+)-[^/]*$} or next;
    next if $n >= 9;                   # makes an index of streamer_monitor
    $m->psql(slurp($file) . "INSERT INTO schema_migration VALUES ($n, 'old')");
}

my $holder = fork // die $!;
if (!$holder) {
    eval { $m->psql('BEGIN; LOCK streamer_monitor IN ROW EXCLUSIVE MODE;
                     SELECT pg_sleep(15); COMMIT') };
    POSIX::_exit(0);
}
wait_for(sub { $m->one("SELECT count(*) FROM pg_locks WHERE relation =
                        'streamer_monitor'::regclass") }, 'somebody has it');
$m->start;

my $waits = "SELECT count(*) FROM pg_locks WHERE NOT granted
             AND relation = 'streamer_monitor'::regclass";
wait_for(sub { $m->one($waits) }, 'the migration waits for it');
my $t0 = time;
$m->psql('UPDATE streamer_monitor SET check_at = check_at');
cmp_ok(time - $t0, '<', 5, 'others do not wait for long');

waitpid $holder, 0;
$m->up;
is($m->one("SELECT to_regclass('streamer_monitor_held') IS NOT NULL"), 't',
   'it is done when the table is free');

$m->finish;
