use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# OPS-04: a secret of the environment is there after a binary upgrade when nginx's
# "env" names it; otherwise one line says what is missing, and the old one goes on.

my $m = MNT->new(workers => 1);
$ENV{MNT_TEST_DSN} = "host=$m->{pg} user=postgres dbname=$m->{db}";
my $conf = $m->config;
$conf =~ s/database +"[^"]*"/database env:MNT_TEST_DSN/ or die;
$m->{raw_config} = $conf;
$m->{allow_log} = qr/the environment has no "MNT_TEST_DSN"/;
$m->start;
$m->up;
my $old = $m->master;

kill 'USR2', $old;
wait_for(sub { $m->log =~ /\[emerg\].*"MNT_TEST_DSN"/ },
         'without "env" the new one does not start');
my @line = grep { m{^\d+/.*\[emerg\]} } split /\n/, $m->log;
is(scalar @line, 1, 'one line');
like($line[0], qr/"database": the environment has no "MNT_TEST_DSN".*"env"/,
     'that names directive, variable and what to do');
wait_for(sub { $m->master == $old }, 'the old one is the one');
is($m->get('/health')->{status}, 200, 'and works');

$m->{raw_config} = "env MNT_TEST_DSN;\n$conf";
$m->write_config;
my ($worker) = $m->workers_of;
$m->reload;
wait_for(sub { !kill 0, $worker }, 'reloaded with "env"');
$m->up;
kill 'USR2', $old;
wait_for(sub { $m->master && $m->master != $old }, 'the new one starts');
$m->up;
kill 'QUIT', $old;
wait_for(sub { !kill 0, $old }, 'the old one ends');
is($m->get('/health')->{status}, 200, 'the new one has its database');
unlike($m->log, qr/host=\S+ user=postgres dbname/, 'the value is not told');

$m->finish;
