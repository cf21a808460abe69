use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# Many workers that meet an empty database make its tables once, without an
# error, and the log tells each migration once.  A migration that fails is tried
# again until it can be done.

my @sql = map { m{/0*(\d+)-[^/]*$} } glob "$MNT::TOP/conf/sql/*.sql";

for my $i (1 .. 20) {
    my $m = MNT->new(workers => 6);
    $m->start;
    $m->up;
    wait_for(sub { 6 == (() = $m->log =~ /engine \d+ is up/g) },
             "$i: all six are up");

    my %n;
    my $log = $m->log;                 # one string: /g keeps its place
    $n{$1}++ while $log =~ /migration (\d+) /g;
    is(join(' ', map { "$_:" . ($n{$_} // 0) } @sql),
       join(' ', map { "$_:1" } @sql), "$i: each migration is told once");
    unlike($m->log, qr/\[(?:error|crit)\]|42P07|already exists|cannot be used/,
           "$i: without an error");

    $m->stop;
    $m->check_log;
    $m->cleanup;
}

my $m = MNT->new(workers => 2);
$m->psql('CREATE TABLE status (x int)');
$m->start;
wait_for(sub { $m->log =~ /failed at "migrate"/ }, 'a table is in the way');
is($m->one("SELECT to_regclass('schema_migration') IS NULL"), 't',
   'nothing is half done');
$m->psql('DROP TABLE status');
$m->up;
is($m->one('SELECT count(*) FROM schema_migration'), scalar @sql,
   'once it is gone all are applied');
unlike($m->log, qr/migration 1 .*migration 1 /s, 'and told once');

$m->finish;
