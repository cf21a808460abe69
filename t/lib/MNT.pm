package MNT;

# A running system for one test: a database of its own in the suite's cluster, a
# stand-in of the platform (origin.py), nginx with several workers.  At the end
# of every test the error log must hold no [alert], no [emerg] and no line of a
# sanitizer, and no process may be left.
#
#     my $m = MNT->new(mntreamer => 'backoff 200ms;', http => '...');
#     $m->channel(alpha => live => 1);
#     $m->start;
#     wait_for(sub { $m->recordings->[0] }, 'a recording appears');
#     $m->finish;                        # stops, checks the log; done_testing
#
# From the environment: MNT_MODULE (the .so), MNT_PG (socket directory of a
# cluster; without it one is made), MNT_SAN (preloaded sanitizer libraries).

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP;
use POSIX qw(:sys_wait_h);
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(wait_for slurp spew free_port sha256_of playlist_entries
                 file_list);

our $TOP = abs_path(dirname(__FILE__) . '/../..');
our $MODULE = $ENV{MNT_MODULE} || "$TOP/build/ngx_mntreamer_module.so";
our $NGINX = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';

binmode $_, ':utf8' for Test::More->builder->output,
    Test::More->builder->failure_output, Test::More->builder->todo_output;

# waiting for a sanitizer takes longer
our $PATIENCE = $ENV{MNT_SAN} ? 4 : 1;

my (%PORTS, @ALL);

# a body is sent apart from its head: without this each waits 40 ms for an ACK
{
    no warnings 'redefine';
    my $connect = \&HTTP::Tiny::Handle::connect;
    *HTTP::Tiny::Handle::connect = sub {
        my $handle = $connect->(@_);
        setsockopt $handle->{fh}, IPPROTO_TCP, TCP_NODELAY, 1;
        return $handle;
    };
}


sub slurp {
    my ($file) = @_;
    open my $fh, '<:raw', $file or return;
    local $/;
    return <$fh>;
}


sub spew {
    my ($file, $text) = @_;
    open my $fh, '>:raw', $file or die "$file: $!";
    utf8::encode($text) if utf8::is_utf8($text);
    print $fh $text;
    close $fh or die "$file: $!";
}


sub free_port {
    for (1 .. 100) {
        my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
                                      Proto => 'tcp') or next;
        my $port = $s->sockport;
        next if $PORTS{$port}++;
        return $port;
    }
    die "no free port\n";
}


# waits until $cond is true and gives its value; fails the test otherwise

sub wait_for {
    my ($cond, $name, $seconds) = @_;
    my $end = time + ($seconds || 15) * $PATIENCE;
    my $v;

    while (1) {
        $v = eval { $cond->() };
        last if $v || time > $end;
        sleep 0.05;
    }

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok($v, $name) or diag($@ || 'waited in vain');
    return $v;
}


sub sha256_of {
    require Digest::SHA;
    return Digest::SHA::sha256_hex($_[0]);
}


# the entries of a media playlist: { uri, dur, disc, gap, map, date }

sub playlist_entries {
    my ($text) = @_;
    my (@e, %n, $map);

    for (split /\r?\n/, $text // '') {
        if (/^#EXTINF:([\d.]+)/)                       { $n{dur} = $1 }
        elsif (/^#EXT-X-DISCONTINUITY$/)               { $n{disc} = 1 }
        elsif (/^#EXT-X-GAP/)                          { $n{gap} = 1 }
        elsif (/^#EXT-X-MAP:URI="([^"]+)"/)            { $map = $1 }
        elsif (/^#EXT-X-PROGRAM-DATE-TIME:(\S+)/)      { $n{date} = $1 }
        elsif (/^[^#]/) { push @e, { %n, uri => $_, map => $map }; %n = () }
    }

    return @e;
}


sub file_list {
    my ($dir) = @_;
    my @out;
    require File::Find;
    File::Find::find({ no_chdir => 1, wanted => sub {
        push @out, substr($File::Find::name, length($dir) + 1)
            if -f $File::Find::name } }, $dir);
    return sort @out;
}


# a PostgreSQL cluster, one for the process or the suite's

my ($PG, $PGDATA);

sub pgbin {
    my @b = sort { $b <=> $a } map { m{/(\d+)/bin/} ? $1 : () }
        glob '/usr/lib/postgresql/*/bin/postgres';
    return "/usr/lib/postgresql/$b[0]/bin";
}


sub as_postgres {
    my (@cmd) = @_;
    return @cmd if $>;
    return ('setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups',
            @cmd);
}


sub pg_make {
    my $dir = tempdir('mntpg-XXXXXX', TMPDIR => 1);
    chmod 0755, $dir;                  # the socket is for the workers' user
    my $bin = pgbin();

    if (!$>) {
        my (undef, undef, $uid, $gid) = getpwnam 'postgres';
        chown $uid, $gid, $dir;
    }

    quiet(as_postgres("$bin/initdb", '-D', "$dir/data", '-U', 'postgres', '-A',
                      'trust', '-E', 'UTF8', '--locale=C.UTF-8', '-N'))
        or die "initdb failed\n";
    open my $fh, '>>', "$dir/data/postgresql.conf" or die $!;
    print $fh "listen_addresses=''\nunix_socket_directories='$dir'\n",
        "fsync=off\nmax_connections=200\n",     # commits survive kill -9
        "shared_buffers=64MB\n";
    close $fh;
    return $dir;
}


sub quiet {
    my (@cmd) = @_;
    my $pid = fork // die $!;
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        chdir '/';
        exec @cmd or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return $? == 0;
}


sub pg_start {
    my ($dir) = @_;
    quiet(as_postgres(pgbin() . '/pg_ctl', '-D', "$dir/data", '-l',
                      "$dir/log", '-w', 'start')) or die "no PostgreSQL\n";
}


sub pg_stop {
    my ($dir, $how) = @_;
    quiet(as_postgres(pgbin() . '/pg_ctl', '-D', "$dir/data", '-w', '-m',
                      $how || 'fast', 'stop'));
}


sub pg {
    return $PG if $PG;

    if ($ENV{MNT_PG}) {
        return $PG = $ENV{MNT_PG};
    }

    $PGDATA = pg_make();
    pg_start($PGDATA);
    return $PG = $PGDATA;
}


# a test that kills its database has one of its own
sub own_pg {
    my ($self) = @_;
    $self->{own_pg} = pg_make();
    pg_start($self->{own_pg});
    $self->{pg} = $self->{own_pg};
    return $self->{own_pg};
}


sub new {
    my ($class, %o) = @_;

    my $dir = tempdir('mnt-XXXXXX', TMPDIR => 1);
    chmod 0755, $dir;

    my $self = bless {
        dir => $dir, workers => 2, mntreamer => '', http => '', server => '',
        main => '', port => free_port(), origin_port => free_port(),
        storage => "$dir/storage", db => "t_$$" . '_' . scalar(@ALL),
        backoff => '200ms', http_client => HTTP::Tiny->new(timeout => 10, http_proxy => undef,
            https_proxy => undef, proxy => undef), %o,
    }, $class;

    push @ALL, $self;
    make_path("$dir/logs");
    mkdir $self->{storage};

    if (!$>) {
        my (undef, undef, $uid, $gid) = getpwnam 'nobody';
        chown $uid, $gid, $self->{storage};
    }

    $self->own_pg if $o{own_pg};
    $self->{pg} //= pg();
    $self->psql_admin("CREATE DATABASE $self->{db}");

    return $self;
}


sub psql_admin {
    my ($self, $sql) = @_;
    return $self->psql($sql, 'postgres');
}


# rows as array of arrays of texts (NULL is '')

sub psql {
    my ($self, $sql, $db) = @_;
    open my $fh, '-|', 'psql', '-X', '-q', '-A', '-t', '-F', "\x1f", '-h',
        $self->{pg}, '-U', 'postgres', '-v', 'ON_ERROR_STOP=1', '-d',
        $db || $self->{db}, '-c', $sql or die $!;
    my @rows = map { chomp; [split /\x1f/, $_, -1] } <$fh>;
    close $fh or die "psql: $sql\n";
    return \@rows;
}


sub one { return $_[0]->psql($_[1])->[0][0] }


# the stand-in platform

sub origin {
    my ($self) = @_;
    return $self->{origin} if $self->{origin};

    my $log = "$self->{dir}/logs/origin.out";
    my $parent = $$;
    my $pid = fork // die $!;
    if (!$pid) {
        open STDOUT, '>', $log;
        open STDERR, '>&', \*STDOUT;
        exec 'python3', "$TOP/t/lib/origin.py", '--port', $self->{origin_port},
            '--log', "$self->{dir}/logs/truth.log", '--parent', $parent
            or POSIX::_exit(127);
    }
    $self->{origin} = $pid;
    my $end = time + 10 * $PATIENCE;
    sleep 0.02 until (slurp($log) // '') =~ /ready/ || time > $end;
    return $pid;
}


sub tell {
    my ($self, $path, %d) = @_;
    $self->origin;
    utf8::encode($path);
    $path =~ s/([^!-~])/sprintf '%%%02X', ord $1/ge;
    my $r = $self->{http_client}->request('POST',
        "http://127.0.0.1:$self->{origin_port}$path",
        { content => encode_json(\%d) });
    die "origin: $path: $r->{status}\n" unless $r->{success};
    return decode_json($r->{content});
}


sub channel {
    my ($self, $name, %d) = @_;
    return $self->tell("/_/channel/$name", %d)->{id};
}


sub fault   { my ($self, %d) = @_; return $self->tell('/_/fault', %d) }
sub heal    { return $_[0]->tell('/_/faults/clear') }
sub advance { return $_[0]->tell("/_/advance/$_[1]", n => $_[2] // 1) }
sub served  { return $_[0]->tell('/_/log') }


sub segment {
    my ($self, $name, $variant, $n) = @_;
    return $self->{http_client}->get("http://127.0.0.1:$self->{origin_port}"
        . "/_/segment/$name/$variant/$n")->{content};
}


# nginx

sub config {
    my ($self) = @_;
    my $www = -d "$TOP/www" ? "root $TOP/www;" : '';
    my $user = $> ? '' : 'user nobody nogroup;';

    return $self->{raw_config} if $self->{raw_config};

    my $mnt = $self->{block} // <<"END_BLOCK";
mntreamer {
    database     "host=$self->{pg} user=postgres dbname=$self->{db}";
    storage      $self->{storage};
    fetch_allow  127.0.0.0/8;
    backoff      $self->{backoff};
    backoff_jitter 0;
    node         test-$self->{db};
    platform chzzk { api http://127.0.0.1:$self->{origin_port}; }
    $self->{mntreamer}
}
END_BLOCK
    return <<"END_CONF";
load_module $MODULE;
$self->{main}
$user
daemon on;
master_process on;
worker_processes $self->{workers};
error_log $self->{dir}/logs/error.log info;
pid $self->{dir}/nginx.pid;
events { worker_connections 1024; }
$mnt
http {
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path $self->{dir}/tmp1;
    proxy_temp_path $self->{dir}/tmp2;
    fastcgi_temp_path $self->{dir}/tmp3;
    uwsgi_temp_path $self->{dir}/tmp4;
    scgi_temp_path $self->{dir}/tmp5;
    $self->{http}
    server {
        listen 127.0.0.1:$self->{port};
        $self->{server}
        location /recordings/ { mntreamer_recordings; }
        location /api/        { mntreamer_api; }
        location = /metrics   { mntreamer_metrics; }
        location = /health    { mntreamer_health; }
        location /            { $www }
    }
}
END_CONF
}


sub nginx_env {
    my ($self) = @_;
    return () unless $ENV{MNT_SAN};
    return ('env', "LD_PRELOAD=$ENV{MNT_SAN}",
            "ASAN_OPTIONS=detect_leaks=0:detect_odr_violation=0:"
            . "abort_on_error=0:log_path=$self->{dir}/logs/san",
            "UBSAN_OPTIONS=print_stacktrace=1:log_path=$self->{dir}/logs/san");
}


sub nginx {
    my ($self, @args) = @_;
    my $out = "$self->{dir}/logs/nginx.out";
    my $pid = fork // die $!;
    if (!$pid) {
        open STDOUT, '>>', $out;
        open STDERR, '>&', \*STDOUT;
        exec $self->nginx_env, $NGINX, '-p', $self->{dir}, '-e',
            "$self->{dir}/logs/error.log", '-c', "$self->{dir}/nginx.conf",
            @args or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return $? >> 8;
}


sub write_config {
    my ($self) = @_;
    spew("$self->{dir}/nginx.conf", $self->config);
}


sub start {
    my ($self) = @_;
    $self->write_config;
    my $rc = $self->nginx;
    if ($rc) {
        diag(slurp("$self->{dir}/logs/nginx.out"));
        BAIL_OUT('nginx does not start');
    }
    $self->{running} = 1;
    return $self;
}


# "nginx -t": (exit code, what it printed)

sub check {
    my ($self) = @_;
    $self->write_config;
    spew("$self->{dir}/logs/nginx.out", '');
    my $rc = $self->nginx('-t');
    return ($rc, slurp("$self->{dir}/logs/nginx.out"));
}


sub master {
    my $p = slurp("$_[0]{dir}/nginx.pid");
    return $p ? $p + 0 : 0;
}


sub workers_of {
    my ($self) = @_;
    my $m = $self->master or return;
    my @w;
    for my $stat (glob '/proc/[0-9]*/stat') {
        my $s = slurp($stat) // next;
        my ($pid, $st, $ppid) = $s =~ /^(\d+) \(.*\) (\S) (\d+)/ or next;
        push @w, $pid if $ppid == $m && $st ne 'Z';
    }
    return sort { $a <=> $b } @w;
}


sub reload  { kill 'HUP', $_[0]->master }


# kill -9 of everything: what a power button does to processes

sub crash {
    my ($self) = @_;
    my @all = ($self->master, $self->workers_of);
    kill 'STOP', $all[0];
    kill 'KILL', @all;
    my $end = time + 5;
    while (time < $end && grep { kill 0, $_ } @all) { sleep 0.01 }
    unlink "$self->{dir}/nginx.pid";
    $self->{running} = 0;
}


sub stop {
    my ($self, $sig) = @_;
    my $m = $self->master or return;
    kill $sig || 'QUIT', $m;
    my $end = time + 15 * $PATIENCE;
    sleep 0.02 while kill(0, $m) && time < $end;
    $self->{running} = 0;
    return !kill(0, $m);
}


# HTTP

sub url { return "http://127.0.0.1:$_[0]{port}$_[1]" }


sub get {
    my ($self, $path, %h) = @_;
    return $self->{http_client}->get($self->url($path), { headers => \%h });
}


sub call {
    my ($self, $method, $path, $body, %h) = @_;
    my %o = (headers => \%h);
    if (defined $body) {
        $o{content} = ref $body ? encode_json($body) : $body;
        $h{'content-type'} //= 'application/json';
    }
    my $r = $self->{http_client}->request($method, $self->url($path), \%o);
    $r->{json} = eval { decode_json($r->{content}) };
    return $r;
}


sub json {
    my ($self, $path) = @_;
    my $r = $self->get($path);
    return unless $r->{success};
    return decode_json($r->{content});
}


sub recordings {
    return ($_[0]->json('/api/v1/recordings') || {})->{items} || [];
}


sub streamers {
    return ($_[0]->json('/api/v1/streamers') || {})->{items} || [];
}


sub recording {
    my ($self, $id) = @_;
    return $self->json("/api/v1/recordings/$id");
}


# adds a streamer of the stand-in platform

sub watch {
    my ($self, $name, %o) = @_;
    my $id = $self->channel($name);
    my $r = $self->call(POST => '/api/v1/streamers',
        { platform => 'chzzk', channel => $id, %o });
    die "watch: $r->{status} $r->{content}" unless $r->{success};
    return $r->{json};
}


sub up {
    my ($self) = @_;
    return wait_for(sub { $self->get('/health')->{status} == 200 },
                    'the system is up');
}


sub metric {
    my ($self, $name) = @_;
    my $t = $self->get('/metrics')->{content};
    my $sum;
    while ($t =~ /^\Q$name\E (\S+)$/mg) { $sum += $1 }
    return $sum;
}


sub log { return slurp("$_[0]{dir}/logs/error.log") // '' }


# the playlist of a recording as a viewer gets it

sub playlist {
    my ($self, $rec) = @_;
    return $self->get(ref $rec ? $rec->{url} : $rec)->{content};
}


# what every test promises at its end

sub check_log {
    my ($self) = @_;
    my $log = $self->log;
    my $allow = $self->{allow_log} // qr/(?!)/;
    my @bad = grep {
        /\[(?:alert|emerg)\]|Sanitizer|runtime error|exited on signal/
        && !/$allow/ } split /\n/, $log;
    for (glob "$self->{dir}/logs/san.*") {
        my $t = slurp($_);
        push @bad, "$_: $t" if length $t;
    }
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(join("\n", @bad), '', 'no alert, no emerg, no sanitizer in the log');
}


sub finish {
    my ($self) = @_;
    if ($self->{running}) {
        ok($self->stop, 'nginx ends by itself');
    }
    $self->check_log;
    $self->cleanup;
    done_testing();
}


sub cleanup {
    my ($self) = @_;
    return if $self->{clean}++;
    $self->stop('TERM') if $self->{running};
    if ($self->{origin}) {
        kill 'TERM', $self->{origin};
        waitpid $self->{origin}, 0;
    }
    eval {
        $self->psql_admin("DROP DATABASE IF EXISTS $self->{db} WITH (FORCE)");
    };
    if ($self->{own_pg}) {
        pg_stop($self->{own_pg}, 'immediate');
        remove_tree($self->{own_pg});
    }
    if ($ENV{MNT_KEEP} || !Test::More->builder->is_passing) {
        diag("kept: $self->{dir}");
    } else {
        remove_tree($self->{dir});
    }
}


END {
    my $rc = $?;
    $_->cleanup for @ALL;
    if ($PGDATA) {
        pg_stop($PGDATA, 'immediate');
        remove_tree($PGDATA);
    }
    $? = $rc;
}

1;
