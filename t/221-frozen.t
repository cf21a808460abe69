use strict;
use warnings;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

# Leases with epochs: a worker that is frozen longer than its lease loses its
# recording to another one, and when it wakes it neither lists, nor renames, nor
# writes a row any more.

my $m = MNT->new(workers => 2, mntreamer => 'lease 2s; poll_rate 200r/s;');
$m->channel('xi', live => 1, dur => 0.5, window => 60);
$m->start;
$m->up;
$m->watch('xi');
my $r = wait_for(sub {
    my ($r) = @{ $m->recordings };
    $r && $r->{segments} >= 4 && $r
}, 'it records');

my $owner = sub {
    return $m->one('SELECT e.pid FROM streamer_monitor m
                      JOIN engine e ON e.id = m.owner') // 0;
};
my $epoch = $m->one('SELECT epoch FROM streamer_monitor');
my $old = $owner->();
ok((grep { $_ == $old } $m->workers_of), 'a worker owns it');

kill 'STOP', $old;
my $file = "$m->{storage}/" . $m->one('SELECT path FROM media_record')
    . '/index.m3u8';
my $n = playlist_entries(slurp($file));
wait_for(sub { my $o = $owner->(); $o && $o != $old }, 'another one takes over',
         20);
wait_for(sub { playlist_entries(slurp($file)) >= $n + 6 }, 'and goes on', 20);
cmp_ok($m->one('SELECT epoch FROM streamer_monitor'), '>', $epoch,
       'under a new epoch');

kill 'CONT', $old;
my $new = $owner->();
sleep 2;
is($owner->(), $new, 'the old one does not get it back');
$n = playlist_entries(slurp($file));
wait_for(sub { playlist_entries(slurp($file)) >= $n + 6 }, 'it goes on', 20);

$m->channel('xi', live => 0, stall => 1, endlist => JSON::PP::true);
wait_for(sub { slurp($file) =~ /^#EXT-X-ENDLIST\n\z/m }, 'and ends', 32);
my @e = playlist_entries(slurp($file));
my %made = map { sha256_of($m->segment('xi', '1080p60', $_)) => $_ } 0 .. 200;
my ($dir) = $r->{url} =~ m{^(.*/)};
my @k = map { $made{ sha256_of($m->get($dir . $_->{uri})->{content}) } // 'x' } @e;
is("@k", join(' ', $k[0] .. $k[0] + $#k), 'every segment once, in order');
is(scalar @{ $m->recordings }, 1, 'one recording');
wait_for(sub { $m->recording($r->{id})->{segments} == @e },
         'whose row counts what is listed');

$m->finish;
