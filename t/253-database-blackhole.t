use strict;
use warnings;
use lib 't/lib';
use MNT;
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

# RELIABILITY B2: what stands between us and the database swallows packets, stalls,
# or tells one side alone that the connection is over. It is noticed by time;
# meanwhile recordings go on, and every kind of request is answered soon: 503 with
# Retry-After. Afterwards all rows follow.

my $m = MNT->new(workers => 2, mntreamer => 'lease 5s;');
my ($at, $control) = ("$m->{dir}/between", free_port());
mkdir $at;
chmod 0755, $at;
my $proxy = fork // die;
if (!$proxy) {
    exec '/usr/bin/python3', 't/lib/proxy.py', '--listen', "$at/.s.PGSQL.5432", '--to',
        "$m->{pg}/.s.PGSQL.5432", '--control', $control, '--parent', $$;
}
wait_for(sub { -S "$at/.s.PGSQL.5432" }, 'the way to the database');
chmod 0777, "$at/.s.PGSQL.5432";

sub way {
    my (%how) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $control) or die $!;
    print $s encode_json(\%how), "\n";
    return decode_json(scalar <$s>);
}

($m->{raw_config} = $m->config) =~ s/host=\S+/host=$at/ or die;
$m->channel('nu', live => 1, dur => 0.3, window => 40);
$m->start;
$m->up;
my $watched = $m->watch('nu')->{id};
wait_for(sub { my $r = $m->recordings->[0]; $r && $r->{segments} >= 4 }, 'it records');
cmp_ok(way()->{accepted} // 0, '>=', 4, 'two connections of each worker go this way');
my $id = $m->recordings->[0]{id};
my $file = "$m->{storage}/" . $m->one('SELECT path FROM media_record') . '/index.m3u8';

my @requests = (
    [GET => '/api/v1/recordings'], [GET => "/api/v1/recordings/$id"], [GET => '/api/v1/live'],
    [POST => '/api/v1/streamers', { platform => 'chzzk', channel => $m->channel('xi') }],
    [PATCH => "/api/v1/streamers/$watched", { priority => 7 }],
    [PATCH => "/api/v1/recordings/$id", { protected => JSON::PP::true }],
    [DELETE => '/api/v1/streamers/999999'],
);

for my $mode (qw(blackhole stall rst)) {
    way(mode => $mode, drop => $mode eq 'rst' ? JSON::PP::true : JSON::PP::false);
    my $n = playlist_entries(slurp($file));

    # what the proxy waits for already passes once more, for each connection

    $m->call(@{ $requests[0] }) for 1 .. $mode eq 'stall' ? 6 : 0;
    for (@requests) {
        my ($method, $path, $body) = @$_;
        my $t = time;
        my $r = $m->call($method, $path, $body);
        my $took = time - $t;
        is($r->{status}, 503, "$mode: $method $path is answered");
        ok($r->{headers}{'retry-after'}, '... when to come again');
        cmp_ok($took, '<', 7 * $MNT::PATIENCE, sprintf '... in %.1f s', $took);
    }
    wait_for(sub { $m->get('/health')->{status} == 503 }, "$mode: it is down", 15);
    wait_for(sub { playlist_entries(slurp($file)) > $n + 15 }, 'the recording goes on', 20);

    way(mode => 'pass', drop => JSON::PP::true);
    $m->up;
    my $listed = playlist_entries(slurp($file));
    wait_for(sub { $m->one('SELECT segments FROM media_record') >= $listed },
             "$mode: the rows follow", 20);
}

is($m->one('SELECT count(*) FROM media_record'), 1, 'it is one recording');
is($m->one('SELECT count(*) FROM media_gap'), 0, 'without a gap');
is(scalar(grep { $_->{discontinuity} } playlist_entries(slurp($file))), 0, 'nor a break');

kill 'TERM', $proxy;
waitpid $proxy, 0;
$m->finish;
