use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# DESIGN 8: secrets appear in no log and in no URL. The channel of platform "hls"
# is an address, often a signed one: what its query says is neither logged nor
# part of the directory that viewers see.

my $m = MNT->new(workers => 1);
$m->channel('signed', live => 1, dur => 0.5, window => 6);
my $base = "http://127.0.0.1:$m->{origin_port}/hls/signed";
$m->{mntreamer} .= "streamer hls $base/media/720p30.m3u8?token=s3cr3t01;"
    . "streamer hls $base/media/720p30.m3u8?token=s3cr3t02;"
    . "streamer hls $base/media/720p30.m3u8?token=s3cr3t02&gone=1;";
$m->start;
$m->up;
wait_for(sub { 3 == grep { $_->{segments} >= 2 } @{ $m->recordings } },
         'three are recorded');
my %dir = map { ($_->{url} =~ m{^/recordings/(hls/[^/]+)/})[0] => 1 }
    @{ $m->recordings };
is(scalar keys %dir, 3, 'each in a directory of its own')
    or diag explain [keys %dir];
unlike($_->{url}, qr/s3cr3t/, 'no secret in its address') for @{ $m->recordings };
ok(-s "$m->{storage}/" . substr($_->{url}, length '/recordings/'), 'it is there')
    for @{ $m->recordings };
unlike($m->log, qr/s3cr3t/, 'nor in the log');
like($m->log, qr{started "hls/http://[^"]+\?\.\.\.}, 'which tells the rest');

$m->finish;
