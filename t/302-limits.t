use strict;
use warnings;
use lib 't/lib';
use MNT;
use File::Path qw(make_path);
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(time sleep);

# RELIABILITY S8 in bytes as an attacker writes them: no way out of the storage,
# whatever the path says.  And limit_conn, limit_rate and limit_req, which need
# more than one request at a time, in front of mntreamer_recordings.

my $m = MNT->new(workers => 2, http => <<'END', server => <<'END2');
    limit_conn_zone $binary_remote_addr zone=conn:64k;
    limit_req_zone $binary_remote_addr zone=req:64k rate=1r/m;
END
        location /slow/ {
            mntreamer_recordings;
            limit_conn conn 1;
            limit_conn_status 429;
            limit_rate 20k;
        }
        location /seldom/ {
            mntreamer_recordings;
            limit_req zone=req;
            limit_req_status 429;
        }
END2

my $dir = "$m->{storage}/chzzk/c1/2026/01/02/1";
make_path($dir, "$m->{storage}-twin", "$m->{dir}/outside");
spew("$dir/000001.ts", 'honest' x 20000);
spew("$m->{storage}-twin/000001.ts", 'secret twin');
spew("$m->{dir}/outside/000001.ts", 'secret outside');
system('chmod', '-R', 'a+rX', $m->{dir});
$m->start;

sub raw {
    my ($target) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Timeout => 5,
                                  PeerPort => $m->{port}) or die $!;
    print $s "GET $target HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    local $/;
    return substr <$s> // '', 0, 500;
}

my $ok = '/recordings/chzzk/c1/2026/01/02/1/000001.ts';
like(raw($ok), qr{^HTTP/1\.1 200 .*honest}s, 'a plain path is served');
like(raw($ok =~ s/c1/%63%31/r), qr{^HTTP/1\.1 200 }, 'an encoded one, too');

my $up = '../' x 12;
my $file = "$m->{dir}/outside/000001.ts";
for my $t ('/recordings/../outside/000001.ts',
           '/recordings/..%2foutside/000001.ts',
           '/recordings/%2e%2e/outside/000001.ts',
           '/recordings/%2e%2e%2foutside%2f000001.ts',
           '/recordings/%252e%252e/outside/000001.ts',
           '/recordings/..%5coutside%5c000001.ts',
           '/recordings//outside/000001.ts', "/recordings/$file",
           "/recordings/$up$file", '/recordings/%2e%2e%2f' x 1 . "x$file",
           '/recordings/chzzk/../../outside/000001.ts',
           '/recordings/chzzk/..%2f..%2f..%2foutside%2f000001.ts',
           '/recordings/chzzk/%c0%ae%c0%ae/outside/000001.ts',
           '/recordings/chzzk/c1%00/000001.ts',
           '/recordings-twin/000001.ts', '/recordings/../storage-twin/000001.ts',
           '/recordings/-twin/000001.ts', '/recordings-twin/../000001.ts',
           '/recordings/..;/outside/000001.ts',
           "$ok%00.m3u8", "$ok%00", "$ok/", "$ok/.", "$ok%20", "$ok.",
           '/recordings/' . ('a' x 300) . '/000001.ts',
           '/recordings/' . ('a/' x 3000) . '000001.ts',
           '/recordings/' . ('../' x 2000) . 'outside/000001.ts',
           'http://x/recordings/../outside/000001.ts', '*',
           '/slow/../outside/000001.ts', '/slow/..%2foutside%2f000001.ts')
{
    my $r = raw($t);
    like($r, qr{^HTTP/1\.1 4\d\d }, 'refused: ' . substr($t, 0, 60));
    unlike($r, qr/secret|honest/, '... and nothing is read');
}

# and every way to write a step up, at every depth, to each of what lies outside

my (%way, @through);
for my $up ('..', '%2e%2e', '.%2e', '%2E.', '%252e%252e', '..%00', '...', '..;',
            '%c0%ae.', '%e0%80%ae.', '..%09', '. .')
{
    for my $slash ('/', '//', '%2f', '%5c', '/./') {
        for my $n (1, 2, 6) {
            my $t = '/recordings/' . ($n == 1 ? '' : 'chzzk/c1/')
                . "$up$slash" x $n . "outside/000001.ts";
            $way{$t}++;
            my $r = raw($t);
            push @through, $t
                if $r !~ m{^HTTP/1\.1 4\d\d } || $r =~ /secret|honest/;
        }
    }
}
cmp_ok(scalar keys %way, '>=', 150, 'as many more ways');
is(join("\n", @through), '', '... and none leads out');

# two at once: the second is one too many, the first is not disturbed

(my $slow = $ok) =~ s/recordings/slow/;
my $first = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $m->{port}) or die $!;
my $t0 = time;
print $first "GET $slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
sysread $first, my $got, 1000;
like($got, qr{^HTTP/1\.1 200 }, 'limit_conn: the first is served');
like(raw($slow), qr{^HTTP/1\.1 429 }, 'the second at the same time is not');
while (sysread $first, my $more, 65536) { $got .= $more }
$got =~ s/^.*?\r\n\r\n//s;
is(length $got, 120000, 'the first comes whole');
cmp_ok(time - $t0, '>', 3, 'at limit_rate');
wait_for(sub { raw($slow) =~ m{^HTTP/1\.1 200 } }, 'afterwards one is served', 20);

(my $seldom = $ok) =~ s/recordings/seldom/;
like(raw($seldom), qr{^HTTP/1\.1 200 }, 'limit_req: one a minute');
like(raw($seldom), qr{^HTTP/1\.1 429 }, 'and no more');

$m->finish;
