use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# An init section behind a key without an IV may be clear, which most sources mean,
# or encrypted. What it is must show: bytes that are neither are not stored, for
# nothing behind them could be played, and the recording goes on with right ones.

my $m = MNT->new(workers => 1);
$m->channel('mu', live => 1, dur => 0.3, window => 20, kind => 'fmp4',
            key => 'implicit');
$m->fault(match => '/hls/mu/init/', fill => 'noise', times => -1);
$m->start;
$m->up;
$m->watch('mu');
my $asked = sub { scalar grep { $_->{path} =~ m{/hls/mu/init/} } @{ $m->served } };
wait_for(sub { $asked->() >= 3 }, 'it is asked for again', 20);
my $dir = "$m->{storage}/" . wait_for(sub {
    $m->one('SELECT path FROM media_record')
}, 'there is a recording');
is(scalar(() = glob "$dir/*init-*.mp4"), 0, 'noise is not stored');
is($m->recordings->[0]{segments}, 0, 'nor what needs it');

$m->heal;
wait_for(sub { $m->recordings->[0]{segments} >= 4 }, 'it goes on', 30);
my @init = glob "$dir/*init-*.mp4";
cmp_ok(scalar @init, '>=', 1, 'with an init section');
is(scalar(grep { substr(slurp($_), 4, 4) !~ /^(?:ftyp|styp|moov)$/ } @init), 0,
   'that is one');
my @e = playlist_entries(slurp("$dir/index.m3u8"));
is(scalar(grep { substr(slurp("$dir/$_->{uri}"), 4, 4) !~ /^(?:styp|moof|sidx)$/ } @e), 0,
   'and segments that are decrypted');

$m->finish;
