use strict;
use warnings;
use lib 't/lib';
use MNT;
use IO::Socket::INET;
use Test::More;

# API-02: only the origins that nginx.conf lists get CORS headers, by nginx's own
# add_header; and conf/nginx.conf, as it is shipped, lets only loopback change.

my $m = MNT->new(workers => 1, http => <<'END', server => <<'END2');
    map $http_origin $cors {
        default "";
        "https://player.example" $http_origin;
    }
END
        location /open/ {
            mntreamer_api;
            add_header Access-Control-Allow-Origin $cors always;
            add_header Vary Origin always;
        }
        location /files/ {
            mntreamer_recordings;
            add_header Access-Control-Allow-Origin $cors always;
        }
END2
mkdir "$m->{storage}/a";
spew("$m->{storage}/a/000001.ts", 'x' x 188);
system('chmod', '-R', 'a+rX', $m->{storage});
$m->start;
$m->up;

my $header = 'access-control-allow-origin';
my @cases = (
    ['/open/v1/streamers', 'https://player.example', 'https://player.example'],
    ['/open/v1/streamers', 'https://evil.example', undef],
    ['/open/v1/streamers', 'https://player.example.evil.example', undef],
    ['/open/v1/streamers', 'null', undef],
    ['/open/v1/nothing', 'https://player.example', 'https://player.example'],
    ['/files/a/000001.ts', 'https://player.example', 'https://player.example'],
    ['/files/a/000001.ts', 'https://evil.example', undef],
    ['/files/a/000002.ts', 'https://player.example', 'https://player.example'],
    map { [$_, 'https://player.example', undef] }
        '/api/v1/streamers', '/recordings/a/000001.ts', '/metrics', '/health',
);
for (@cases) {
    my ($path, $origin, $want) = @$_;
    my $r = $m->get($path, Origin => $origin);
    is($r->{headers}{$header}, $want,
       "$path from $origin: " . ($want ? 'allowed' : 'no header'));
    is($r->{headers}{'access-control-allow-credentials'}, undef,
       '... and no credentials');
}

# a preflight is no invitation; what it would ask for is refused

my $r = $m->call(OPTIONS => '/api/v1/streamers', undef,
    Origin => 'https://evil.example', 'Access-Control-Request-Method' => 'POST');
is($r->{headers}{$header}, undef, 'a preflight gets no permission');
is($m->call(POST => '/open/v1/streamers', { url => 'http://x/y.m3u8' },
            Origin => 'https://player.example')->{status}, 403,
   'one that may read may not change');
is($m->one('SELECT count(*) FROM streamer'), 0, 'nothing was changed');
ok($m->stop, 'nginx ends by itself');

# the shipped file, on another port and other directories

my $conf = slurp("$MNT::TOP/conf/nginx.conf");
my $user = $> ? '' : 'user nobody nogroup;';
my %put = (
    qr/load_module\s+\S+;/         => "load_module $MNT::MODULE;",
    qr/^user\s+\S+;/m              => $user,
    qr/^pid\s+\S+;/m               => "pid $m->{dir}/nginx.pid;",
    qr/error_log\s+[^;]+;/         => "error_log $m->{dir}/logs/error.log info;",
    qr/access_log\s+[^;]+;/        => "access_log off; "
        . join(' ', map { "${_}_temp_path $m->{dir}/t-$_;" }
                    qw(client_body proxy fastcgi uwsgi scgi)),
    qr/database\s+"[^"]+";/        =>
        qq(database "host=$m->{pg} user=postgres dbname=$m->{db}";),
    qr/storage\s+\S+;/             => "storage $m->{storage};",
    qr/listen\s+80;/               => "listen 127.0.0.1:$m->{port};",
    qr/listen\s+\[::\]:80;/        => '',
    qr/root\s+\S+;/                => "root $MNT::TOP/www;",
    qr/worker_processes\s+\S+;/    => 'worker_processes 2;',
);
for (keys %put) {
    my $n = ($conf =~ s/$_/$put{$_}/);
    ok($n, "conf/nginx.conf has $_");
}
unlike($conf, qr{/var/|/usr/share/mnt}, 'nothing else of it is of this system');
$m->{raw_config} = $conf;
$m->start;
$m->up;

sub from {
    my ($address, $method, $path) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Timeout => 5,
        PeerPort => $m->{port}, LocalAddr => $address) or die "$address: $!";
    my $body = $method =~ /^P/ ? '{"url":"http://media.example/a.m3u8"}' : '';
    print $s "$method $path HTTP/1.1\r\nHost: 127.0.0.1:$m->{port}\r\n"
        . "Content-Type: application/json\r\nContent-Length: " . length($body)
        . "\r\nConnection: close\r\n\r\n$body";
    my $line = <$s> // '';
    return $line =~ m{^HTTP/1\.1 (\d+)} ? $1 : 0;
}

# 127.0.0.2 is not in its list, and so is as good as a stranger

my $one = '/api/v1/streamers/1';
is(from('127.0.0.2', GET => '/api/v1/streamers'), 200, 'a stranger may look');
is(from('127.0.0.2', HEAD => '/api/v1/streamers'), 200, 'in any way');
is(from('127.0.0.2', POST => '/api/v1/streamers'), 403, 'but not add');
is(from('127.0.0.2', PATCH => $one), 403, 'nor change');
is(from('127.0.0.2', DELETE => $one), 403, 'nor delete');
is(from('127.0.0.2', GET => '/metrics'), 403, 'nor see the metrics');
is(from('127.0.0.2', GET => '/health'), 200, 'everybody may ask for health');
is($m->one('SELECT count(*) FROM streamer'), 0, 'nothing was changed');
is(from('127.0.0.1', GET => '/metrics'), 200, 'this machine sees the metrics');
is(from('127.0.0.1', POST => '/api/v1/streamers'), 201, 'and may add');
my ($id) = $m->one('SELECT id FROM streamer');
is(from('127.0.0.1', DELETE => "/api/v1/streamers/$id"), 204, 'and delete');
my $page = $m->get('/');
is($page->{status}, 200, 'the page is there');
like($page->{headers}{'content-security-policy'}, qr/default-src 'none'/,
     'with its policy');
is($m->get('/', Origin => 'https://x.example')->{headers}{$header}, undef,
   'and no CORS');

$m->finish;
