use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(sleep time);

# Behind a pooler of transactions (PgBouncer), which gives each statement another
# connection and passes no notification on, everything works; what is notified
# elsewhere is found a little later.

my ($bouncer) = grep { -x } '/usr/sbin/pgbouncer', '/usr/bin/pgbouncer';
plan skip_all => 'PgBouncer is not installed' unless $bouncer;

my $m = MNT->new(workers => 3, backoff => '2s');
my $dir = "$m->{dir}/pool";
my $port = free_port();
mkdir $dir;
chmod 0777, $dir;
spew("$dir/users", qq("postgres" ""\n));
spew("$dir/pgbouncer.ini", <<"END");
[databases]
$m->{db} = host=$m->{pg} dbname=$m->{db} user=postgres pool_size=3
[pgbouncer]
listen_addr =
listen_port = $port
unix_socket_dir = $dir
unix_socket_mode = 0777
auth_type = trust
auth_file = $dir/users
pool_mode = transaction
logfile = $dir/log
pidfile = $dir/pid
END
my $pid = fork // die $!;
if (!$pid) {
    open STDOUT, '>', "$dir/out";
    open STDERR, '>&', \*STDOUT;
    exec MNT::as_postgres($bouncer, "$dir/pgbouncer.ini")
        or POSIX::_exit(127);
}
END { if ($pid) { kill 'INT', $pid; waitpid $pid, 0 } }
wait_for(sub { -S "$dir/.s.PGSQL.$port" }, 'the pooler is there')
    or diag slurp("$dir/out");

my $direct = $m->{pg};
$m->{mntreamer} = "lease 6s; streamer chzzk " . $m->channel('conf') . ';';
my $conf = $m->config;
$conf =~ s/database +"host=\Q$direct\E/database "host=$dir port=$port/ or die;
$m->{raw_config} = $conf;
$m->start;
$m->up;

my $s = $m->watch('one');
$m->channel('one', live => 1, dur => 0.5, window => 16);
my $r = wait_for(sub {
    my ($r) = @{ $m->recordings };
    $r && $r->{segments} >= 5 && $r
}, 'it is recorded', 20);
cmp_ok($m->one("SELECT count(*) FROM pg_stat_activity
                WHERE datname = '$m->{db}' AND backend_type = 'client backend'
                  AND pid <> pg_backend_pid()"),
       '<=', 3, 'six connections of three workers share at most three');

# another worker goes on after a reload

my $n = $m->recording($r->{id})->{segments};
$m->reload;
wait_for(sub { $m->recording($r->{id})->{segments} > $n + 8 },
         'and goes on after a reload', 20);
is(scalar @{ $m->recordings }, 1, 'as the same recording');
is($m->recording($r->{id})->{gaps}, 0, 'without a gap');

# nobody is told that it was paused: the next renewal sees it

is($m->call(PATCH => "/api/v1/streamers/$s->{id}",
            { monitored => \0 })->{status}, 200, 'paused');
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' },
         'its recording is closed soon', 10);

$m->call(PATCH => "/api/v1/streamers/$s->{id}", { monitored => \1 });
wait_for(sub { $m->recording($r->{id})->{status} eq 'recording' },
         'watched again it goes on', 10);
$m->call(DELETE => "/api/v1/streamers/$s->{id}");
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' },
         'deleted, it is closed soon', 10);

# the pooler's restart

my $again = $m->watch('two');
$m->channel('two', live => 1, dur => 0.5);
wait_for(sub { grep { $_->{streamer_id} && $_->{streamer_id} == $again->{id}
                      && $_->{segments} >= 3 } @{ $m->recordings } },
         'another one', 20);
unlike($m->log, qr/\[(?:error|crit)\]/, 'all without an error');

$m->finish;
