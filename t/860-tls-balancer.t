use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;

# OPS-06: the page, the API and media work through one https address behind a
# balancer that ends TLS; nothing names another origin, and RTMP is one more TCP
# port.

my $tls = free_port();
my $m = MNTRTMP->new(workers => 2);
my $pem = "$m->{dir}/balancer.pem";
system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tv.example"
       . " -addext subjectAltName=DNS:tv.example -keyout $pem -out $pem.crt"
       . " 2>/dev/null && cat $pem.crt >>$pem && chmod 644 $pem") == 0
    or BAIL_OUT('openssl makes no certificate');

$m->{http} .= <<"END";
    server {
        listen 127.0.0.1:$tls ssl;
        server_name tv.example;
        ssl_certificate $pem;
        ssl_certificate_key $pem;
        location / {
            proxy_pass http://127.0.0.1:$m->{port};
            proxy_set_header Host \$http_host;
            proxy_set_header X-Forwarded-Proto https;
        }
    }
END
$m->start;
$m->up;

my $https = "https://tv.example:$tls";

# (status, head, body) of a request through the balancer

sub curl {
    my ($path, @more) = @_;
    open my $fh, '-|', 'curl', '-s', '-i', '--cacert', "$pem.crt", '--resolve',
        "tv.example:$tls:127.0.0.1", '--max-time', 10, @more, "$https$path"
        or die $!;
    local $/;
    my $all = <$fh> // '';
    close $fh;
    my ($head, $body) = split /\r\n\r\n/, $all, 2;
    return ($head =~ m{^HTTP/\S+ (\d+)} ? $1 : 0, $head, $body // '');
}

sub write_as {
    my ($origin, $method, $path, $body) = @_;
    return curl($path, '-X', $method, '-H', "Origin: $origin", '-H',
                'Content-Type: application/json', '-H',
                'Sec-Fetch-Site: same-origin', '-d', $body // '{}');
}

my ($rc, $head, $body) = curl('/');
is($rc, 200, 'the page comes through TLS');
my @urls = $body =~ /(?:src|href)="([^"]+)"/g;
cmp_ok(scalar(@urls), '>', 2, 'it names other files');
is(join(' ', grep { m{^(?:[a-z]+:)?//} } @urls), '', 'none of another origin');
is(join(' ', grep { (curl("/$_"))[0] != 200 }
            map { s{^\./|^/}{}r } grep { !/^#/ } @urls), '', 'all come, too');

# what the page does: the same origin as the browser sees it

($rc, undef, $body) = write_as($https, POST => '/api/v1/streamers',
    '{"platform": "rtmp", "channel": "studio"}');
is($rc, 201, 'a page of this address may change something');
my ($id) = $body =~ /"id"\s*:\s*(\d+)/;
($rc, undef, $body) = write_as($https, POST => "/api/v1/streamers/$id/key");
is($rc, 201, 'a stream key is made');
my ($key) = $body =~ /"key"\s*:\s*"([0-9a-f]+)"/;
push @{ $m->{secrets} }, $key;
($rc) = write_as('https://evil.example', POST => "/api/v1/streamers/$id/key");
is($rc, 403, 'a page of another one may not');

# RTMP is one more port

my $p = $m->publish($key);
my $r = wait_for(sub { (grep { $_->{segments} >= 2 } @{ $m->recordings })[0] },
                 'a broadcast is recorded', 20);

($rc, undef, $body) = curl('/api/v1/live');
is($rc, 200, 'what is on the air');
my ($url) = $body =~ m{"url"\s*:\s*"([^"]+)"};
like($url, qr{^/recordings/}, 'its URL is of whatever address it was asked at');
($rc, $head, $body) = curl($url);
is($rc, 200, 'its playlist');
unlike($body, qr{^\w+://|^//}m, 'names no other origin');
my ($segment) = $body =~ /^([^#\s]\S*)$/m;
($rc, $head) = curl($url =~ s{[^/]+$}{$segment}r, '-H', 'Range: bytes=0-187');
is($rc, 206, 'media, in ranges');
like($head, qr{^Content-Type: video/mp2t}mi, 'of its type');
unlike($head, qr/^Location:/mi, 'nothing leads elsewhere');

$m->stop_publisher($p);
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' }, 'over');
$m->no_secrets;
$m->finish;
