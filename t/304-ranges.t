use strict;
use warnings;
use lib 't/lib';
use MNT;
use File::Path qw(make_path);
use IO::Socket::INET;
use Test::More;

# RELIABILITY S9: ranges are nginx's own work: every form of them, also those of
# CVE-2017-7529, gives bytes of the file or an error, never others.

my $m = MNT->new(workers => 1);
my $dir = "$m->{storage}/chzzk/c1/2026/01/02/1";
make_path($dir);
my $body = join '', map { sprintf '%04d', $_ } 0 .. 999;
my $n = length $body;
spew("$dir/000001.ts", $body);
spew("$dir/000002.ts", 'secret neighbour' x 1000);
spew("$dir/000003.ts", '');
system('chmod', '-R', 'a+rX', $m->{storage});
$m->start;

my $path = '/recordings/chzzk/c1/2026/01/02/1/000001.ts';

sub ask {
    my ($range, $p) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Timeout => 5,
                                  PeerPort => $m->{port}) or die $!;
    print $s "GET ", $p // $path, " HTTP/1.1\r\nHost: x\r\n",
        "Connection: close\r\nRange: $range\r\n\r\n";
    local $/;
    my ($head, $got) = split /\r\n\r\n/, <$s> // '', 2;
    return ($head =~ m{^HTTP/1\.1 (\d+)} ? $1 : 0, $head, $got // '');
}

my $big = '9223372036854775807';
my @one = (
    ['bytes=0-0', 0, 1], ['bytes=0-', 0, $n], ['bytes=-1', $n - 1, 1],
    ["bytes=-$n", 0, $n], ['bytes=-' . ($n + 1), 0, $n], ["bytes=-$big", 0, $n],
    ["bytes=100-$big", 100, $n - 100], ['bytes=' . ($n - 1) . '-', $n - 1, 1],
    ['bytes=7-7', 7, 1], ['bytes= 3-9', 3, 7], ['bytes=0-' . ($n - 1), 0, $n],
    ['bytes=5-4,8-9', 8, 2], ['bytes=9999-,1-2', 1, 2],
);
for (@one) {
    my ($range, $from, $len) = @$_;
    my ($status, $head, $got) = ask($range);
    is($status, 206, "$range: a part");
    is($got, substr($body, $from, $len), "$range: those bytes");
    like($head, qr{^Content-Range: bytes $from-@{[ $from + $len - 1 ]}/$n\r?$}m,
         "$range: as it says");
}

# refused, or nothing but the file: whatever is asked for

my @any = (
    "bytes=$n-", 'bytes=4000-4001', 'bytes=-0', 'bytes=9-3', 'bytes=', 'bytes',
    'bytes=-', 'bytes=a-b', 'bytes=1-b', 'bytes=--1', 'bytes=1--1', 'bytes=+1-2',
    'bits=0-1', 'bytes=0-1,', 'bytes=,', 'bytes=0x1-0x2', 'bytes=1 - 2',
    'bytes=99999999999999999999-', 'bytes=-99999999999999999999',
    'bytes=0-99999999999999999999', "bytes=-$big,-$big",
    "bytes=-" . ($big - 600) . ",-600", "bytes=-9223372036854775208,-600",
    'bytes=-4600,-9223372036854771208', "bytes=0-,-$big",
    "bytes=0-9,-9223372036854775800", 'bytes=1-1,' x 500 . '2-2',
    'bytes=0-,' x 200 . '0-', 'bytes=' . join(',', map { "$_-" } 0 .. 100),
    'bytes=1-2,3-4,-1', 'bytes=0-0,-1', "bytes=1-2\t,\t5-6", 'bytes=' . '9' x 4000,
);
for my $range (@any) {
    my ($status, $head, $got) = ask($range);
    my $name = substr $range, 0, 40;
    like($status, qr/^(?:200|206|400|416)$/, "$name: $status");
    unlike($got, qr/secret|HTTP/, "$name: nothing of others");
    cmp_ok(length $got, '<=', 120_000, "$name: nor more than is asked for");

    if ($status == 206 && $head =~ /boundary=(\w+)/) {
        my @part = split /\r\n--$1(?:--)?\r\n/, $got;
        for (grep { /\r\n\r\n/ } @part) {
            my ($h, $b) = split /\r\n\r\n/, $_, 2;
            my ($x, $y) = $h =~ m{Content-Range: bytes (\d+)-(\d+)/$n$}m;
            fail("$name: $h") if !defined $y || $y >= $n
                || $b ne substr $body, $x, $y - $x + 1;
        }
    }
}
for ('bytes=0-', 'bytes=-5', 'bytes=0-0') {
    my ($status, undef, $got) = ask($_, $path =~ s/1\.ts/3.ts/r);
    ok(($status == 200 && $got eq '') || $status == 416, "nothing: $_")
        or diag "$status $got";
}

$m->finish;
