use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# A playlist on an address that is not public is refused, and the log says once
# at "warn" which directive mends that.

my $m = MNT->new(backoff => '200ms');
my $url = "http://127.0.0.1:$m->{origin_port}/lan.m3u8";

$m->{raw_config} = $m->config =~ s/fetch_allow.*\n//r
    =~ s/(platform chzzk)/streamer hls $url name=lan;\n    $1/r;
$m->origin;
$m->start;

my $warned = qr/\[warn\] .*"hls\/\S*" is refused: .*"fetch_allow"/;

wait_for(sub { $m->log =~ $warned }, 'it is told what to do');
wait_for(sub { (() = $m->log =~ /probed "hls\/\S*": transient-error forbidden/g) >= 4 },
         'it is asked again');

my (%told, $log);
$log = $m->log;
$told{$1}++ while $log =~ /\[warn\] (\d+)#.*"fetch_allow"/g;
is(scalar(grep { $_ > 1 } values %told), 0, '... but told once by each worker');

$m->finish;
