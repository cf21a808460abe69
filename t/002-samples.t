# The configurations under conf/ are accepted by nginx -t as they stand, but for
# the places and ports of a real machine.  Guards that a directive is renamed
# without them.

use strict;
use warnings;
use lib 't/lib';

use File::Temp qw(tempdir);
use Test::More;

use MNT;

my $dir = tempdir('mnt-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my %demo = (MODULE => $MNT::MODULE, USER => '', WORKERS => 2, STATE => $dir,
            SOCKET => $dir, PLATFORM_PORT => 1, WWW => "$MNT::TOP/www",
            HTTP_PORT => free_port());

mkdir "$dir/$_" for qw(run log storage tmp);
chmod 0755, $dir;

for my $file (glob("$MNT::TOP/conf/*.conf"),
              glob("$MNT::TOP/conf/demo/*.conf.in"))
{
    my ($name) = $file =~ m{([^/]+)$};
    my $text = slurp($file);
    my $port = free_port();

    $text =~ s/@(\w+)@/$demo{$1} \/\/ "unknown $1"/ge;
    $text =~ s{^load_module .*;}{load_module $MNT::MODULE;}m;
    $text =~ s{^user .*;}{}m;
    $text =~ s{/var/log/nginx/}{$dir/log/}g;
    $text =~ s{ /run/nginx\.pid}{ $dir/run/nginx.pid};
    $text =~ s{ /var/lib/mntreamer;}{ $dir/storage;};
    $text =~ s{listen(\s+)80;}{listen$1 127.0.0.1:$port;};
    $text =~ s{listen\s+\[::\]:80;}{};

    spew("$dir/$name", $text);

    my $out = `$MNT::NGINX -t -p $dir -e $dir/log/e.log -c $dir/$name 2>&1`;

    is($?, 0, "nginx -t of $name") or diag($out);
    unlike($out, qr/\[(?:warn|emerg|alert)\]/, "$name needs no warning");
}

done_testing;
