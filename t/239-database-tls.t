use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# The database over TLS: with sslmode=verify-full and an authority of one's own;
# a server that is not the one it should be is refused with one line that says so.

my $m = MNT->new(workers => 2, own_pg => 1);
my $dir = "$m->{dir}/tls";
my $port = free_port();
mkdir $dir;

my @new = ('openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt',
           'ec_paramgen_curve:prime256v1', '-nodes');
spew("$dir/ext", "subjectAltName=IP:127.0.0.1,DNS:db.example\n");
my $made = MNT::quiet(@new, '-x509', '-days', '2', '-subj', '/CN=own authority',
                      '-keyout', "$dir/ca.key", '-out', "$dir/ca.crt")
    && MNT::quiet(@new, '-subj', '/CN=db.example', '-keyout', "$dir/server.key",
                  '-out', "$dir/server.csr")
    && MNT::quiet('openssl', 'x509', '-req', '-in', "$dir/server.csr", '-CA',
                  "$dir/ca.crt", '-CAkey', "$dir/ca.key", '-CAcreateserial',
                  '-days', '2', '-extfile', "$dir/ext", '-out',
                  "$dir/server.crt")
    && MNT::quiet(@new, '-x509', '-days', '2', '-subj', '/CN=another one',
                  '-keyout', "$dir/other.key", '-out', "$dir/other.crt");
ok($made, 'certificates were made') or BAIL_OUT('openssl');

my $data = "$m->{own_pg}/data";
for ('server.key', 'server.crt') {
    spew("$data/$_", slurp("$dir/$_"));
    chmod 0600, "$data/$_";
    chown((getpwnam 'postgres')[2, 3], "$data/$_") if !$>;
}
chmod 0644, "$dir/ca.crt", "$dir/other.crt";
chmod 0755, $dir;
spew("$data/postgresql.conf", slurp("$data/postgresql.conf")
     . "listen_addresses='127.0.0.1'\nport=$port\nssl=on\n");
spew("$data/pg_hba.conf", "local all all trust\nhostssl all all 127.0.0.1/32 trust\n");
MNT::pg_stop($m->{own_pg});
MNT::pg_start($m->{own_pg});
$ENV{PGPORT} = $port;                              # of psql

my $base = $m->config;
my $with = sub {
    my ($dsn) = @_;
    ($m->{raw_config} = $base) =~ s/database +"[^"]*"/database "$dsn"/ or die;
    $m->{raw_config} =~ s/^/env PGPORT;\n/;
};
my $dsn = "port=$port user=postgres dbname=$m->{db} sslmode=verify-full";

$with->("host=127.0.0.1 $dsn sslrootcert=$dir/other.crt");
$m->start;
wait_for(sub { $m->log =~ /is away.*certificate verify failed/ },
         'another authority: refused, and the log says why');
is($m->get('/health')->{status}, 503, 'it is not up');

for (["host=wrong.example hostaddr=127.0.0.1", 'wrong\.example'],) {
    $with->("$_->[0] $dsn sslrootcert=$dir/ca.crt");
    $m->write_config;
    $m->reload;
    wait_for(sub { $m->log =~ /is away.*certificate for.*$_->[1]/ },
             'another name: refused, and the log names both');
}

for my $host ('host=127.0.0.1', 'host=db.example hostaddr=127.0.0.1') {
    $with->("$host $dsn sslrootcert=$dir/ca.crt");
    $m->write_config;
    $m->reload;
    $m->up;
    wait_for(sub {
        $m->one("SELECT count(*) >= 4 AND bool_and(ssl) FROM pg_stat_ssl s
                   JOIN pg_stat_activity a USING (pid)
                  WHERE a.application_name LIKE 'mntreamer %'") eq 't'
    }, "$host: all connections are encrypted");
}

$m->channel('one', live => 1, dur => 0.5);
$m->watch('one');
wait_for(sub { grep { $_->{segments} >= 4 } @{ $m->recordings } },
         'and it records', 20);

$m->finish;
