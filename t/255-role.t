use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# RELIABILITY S15: once the tables are there the workers need no more than to
# read and write rows: no right to make, change or remove a table, to run a
# program, or to be a superuser.

my $m = MNT->new(workers => 2);
my $role = "r_$m->{db}";
$m->channel('rho', live => 1, dur => 0.5);
$m->psql(<<"END");
CREATE ROLE $role LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
END
my $owner = $m->config;
(my $worker = $owner) =~ s/user=postgres/user=$role/ or die;

# an empty database: what is missing is told

$m->{raw_config} = $worker;
$m->start;
wait_for(sub { $m->log =~ /permission denied for schema public/ },
         'without tables and without the right to make them: it is told');
is($m->get('/health')->{status}, 503, 'it is not up');
$m->stop;

# its owner makes the tables

$m->{raw_config} = $owner;
$m->start;
$m->up;
$m->stop;
$m->psql(<<"END");
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO $role;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO $role;
END

my $from = length $m->log;
$m->{raw_config} = $worker;
$m->start;
$m->up;
my $s = $m->watch('rho');
my $r = wait_for(sub { my $r = $m->recordings->[0];
                       $r && $r->{segments} > 3 && $r }, 'it records');
is($m->call(PATCH => "/api/v1/streamers/$s->{id}", { priority => 3 })->{status},
   200, 'changes');
is($m->call(DELETE => "/api/v1/streamers/$s->{id}")->{status}, 204, 'deletes');
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' }, 'ends', 20);
unlike(substr($m->log, $from), qr/permission denied|statement .* failed/,
       'and is refused nothing');

for my $sql ('CREATE TABLE x (i int)', 'DROP TABLE media_record',
             'ALTER TABLE streamer ADD x int', 'TRUNCATE media_record',
             "COPY media_record TO PROGRAM 'cat'", 'CREATE ROLE x',
             'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1$$',
             "SELECT pg_read_file('/etc/passwd')", "SET ROLE postgres",
             "ALTER SYSTEM SET fsync = off")
{
    my $ok = MNT::quiet('psql', '-X', '-h', $m->{pg}, '-U', $role, '-d',
                        $m->{db}, '-v', 'ON_ERROR_STOP=1', '-c', $sql);
    ok(!$ok, "it may not: $sql");
}

ok($m->stop, 'nginx ends by itself');
$m->psql("DROP OWNED BY $role; DROP ROLE $role");
$m->finish;
