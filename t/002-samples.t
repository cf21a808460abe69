# The configurations under conf/ are accepted by nginx -t as they stand, but for
# the places and ports of a real machine.  Guards that a directive is renamed
# without them.

use strict;
use warnings;
use lib 't/lib';

use File::Temp qw(tempdir);
use IO::Socket::INET;
use Test::More;

use MNT;

my $dir = tempdir('mnt-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my %demo = (MODULE => $MNT::MODULE, USER => '', WORKERS => 2, STATE => $dir,
            SOCKET => $dir, PLATFORM_PORT => 1, WWW => "$MNT::TOP/www",
            HTTP_PORT => free_port(), RTMP_PORT => free_port(),
            RTMP_MODULE => '/usr/lib/nginx/modules/ngx_rtmp_module.so');

my %rtmp = map { $_ => free_port() } 1935, 8935;

mkdir "$dir/$_" for qw(run log tmp);
chmod 0755, $dir;

for my $file (glob("$MNT::TOP/conf/*.conf"),
              glob("$MNT::TOP/conf/demo/*.conf.in"))
{
    my ($name) = $file =~ m{([^/]+)$};
    my $text = slurp($file);
    my $port = free_port();

    $text =~ s/@(\w+)@/$demo{$1} \/\/ "unknown $1"/ge;
    $text =~ s{^load_module .*;}{load_module $MNT::MODULE;}m;
    $text =~ s{ modules/ngx_rtmp}{ /usr/lib/nginx/modules/ngx_rtmp};
    $text =~ s{ /var/lib/mntreamer-live\b}{ $dir/live}g;
    $text =~ s{\b(?:127\.0\.0\.1:)?$_\b}{127.0.0.1:$rtmp{$_}}g
        for keys %rtmp;
    $text =~ s{\bport=127\.0\.0\.1:}{port=}g;
    $text =~ s{^user .*;}{}m;
    $text =~ s{/var/log/nginx/}{$dir/log/}g;
    $text =~ s{ /run/nginx\.pid}{ $dir/run/nginx.pid};
    $text =~ s{ /var/lib/mntreamer;}{ $dir/storage;};
    $text =~ s{listen(\s+)80\b}{listen$1 127.0.0.1:$port}g;
    $text =~ s{listen\s+\[::\]:80[^;]*;}{}g;
    $port = $demo{HTTP_PORT} if $name =~ /\.in$/;

    spew("$dir/$name", $text);

    my $out = `$MNT::NGINX -t -p $dir -e $dir/log/e.log -c $dir/$name 2>&1`;

    is($?, 0, "nginx -t of $name") or diag($out);

    # RELIABILITY S12: modules that read media, list or write; S39: core dumps

    unlike($text, qr/^\s*(?:mp4|flv|slice|ssi|autoindex|dav_\w+)\s/m,
           "$name: nothing but whole files is served");
    like($text, qr/^worker_rlimit_core\s+0;/m, "$name: no core dumps")
        if $name !~ /\.in$/;

    # DNS rebinding: names that nobody filled in are refused

    system($MNT::NGINX, '-p', $dir, '-e', "$dir/log/e.log", '-c', "$dir/$name");
    my $status = sub {
        my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or return 0;
        print $c "GET /none HTTP/1.0\r\nHost: $_[0]\r\n\r\n";
        return (join '', <$c>) =~ m{^HTTP/1.1 (\d+)} ? $1 : 0;
    };
    wait_for(sub { $status->("127.0.0.1:$port") }, "$name answers");
    is($status->($_), 421, "$name: not as $_")
        for 'evil.example', "evil.example:$port", '10.1.2.3', '[::2]';
    is($status->($_), 404, "$name: but as $_")
        for 'localhost', "localhost:$port", '127.0.0.1', "[::1]:$port";
    my ($pidfile) = $text =~ /^pid\s+(\S+);/m;
    my $pid = slurp($pidfile) // 0;
    kill 'TERM', $pid if $pid > 1;
    wait_for(sub { !-e $pidfile }, "$name ends");

    unlike($out, qr/\[(?:warn|emerg|alert)\]/, "$name needs no warning");
}

done_testing;
