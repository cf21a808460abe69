use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# RELIABILITY S39, S40: the database's password by libpq's passfile, by a service
# or by a file that only root may read; it is then in no environment, no command
# line, no "nginx -T" and no log.

my $m = MNT->new(own_pg => 1, workers => 2);
my $role = "r_$m->{db}";
my $secret = "secret$$" . 'Password';
my $data = "$m->{own_pg}/data";
$m->psql("CREATE ROLE $role LOGIN PASSWORD '$secret';"
         . " ALTER DATABASE $m->{db} OWNER TO $role;"
         . ' GRANT ALL ON SCHEMA public TO PUBLIC');
spew("$data/pg_hba.conf", "local all $role scram-sha-256\nlocal all all trust\n");
$m->psql('SELECT pg_reload_conf()');

my $dsn = "host=$m->{own_pg} dbname=$m->{db} user=$role";
my $nobody = $> ? $> : getpwnam 'nobody';
my %file = (
    passfile => "*:*:*:$role:$secret\n",
    service  => "[recorder]\nhost=$m->{own_pg}\ndbname=$m->{db}\n"
                . "user=$role\npassword=$secret\n",
    dsn      => "$dsn password=$secret\n",
    none     => "$dsn\n",
);
for (keys %file) {
    spew("$m->{dir}/$_", $file{$_});
    chmod 0600, "$m->{dir}/$_";
    chown $nobody, -1, "$m->{dir}/$_" if !$> && /passfile|service/;
}

my $base = $m->config;
my %value = (passfile => "\"$dsn passfile=$m->{dir}/passfile\"",
             service  => '"service=recorder"', dsn => "file:$m->{dir}/dsn");
my $n = 0;
for my $how ('none', sort keys %value) {
    my $value = $value{$how} // "file:$m->{dir}/none";
    ($m->{raw_config} = $base) =~ s/database +"[^"]*"/database $value/ or die;
    $m->{raw_config} =~ s/^/env PGSERVICEFILE=$m->{dir}\/service;\n/
        if $how eq 'service';
    local $ENV{PGSERVICEFILE} = "$m->{dir}/service" if $how eq 'service';
    my $from = length $m->log;
    $m->start;

    if ($how eq 'none') {
        wait_for(sub { $m->log =~ /is away.*(?:no password supplied|password)/ },
                 'without a password: the log says so');
        is($m->get('/health')->{status}, 503, 'it is not up');
        $m->stop;
        next;
    }

    wait_for(sub { $m->get('/health')->{status} == 200 }, "$how: it is up");
    $m->watch('one') if !$n++;
    my @in;
    for my $pid ($m->master, $m->workers_of) {
        push @in, grep { (slurp("/proc/$pid/$_") // '') =~ /$secret/ }
            'environ', 'cmdline';
    }
    is("@in", '', "$how: not in an environment or a command line");
    spew("$m->{dir}/logs/nginx.out", '');
    $m->nginx('-T');
    unlike(slurp("$m->{dir}/logs/nginx.out"), qr/$secret/, "$how: nor in nginx -T");
    ok($m->stop, "$how: nginx ends by itself");
    unlike(substr($m->log, $from), qr/$secret/, "$how: nor in the log");
}

$m->{running} = 0;
$m->finish;
