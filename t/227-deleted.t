use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(sleep time);

# A streamer is deleted and the worker that records it dies before it has ended
# the recording: whoever closes it recovers and closes its playlist first. And
# recordings of platforms that this version does not know are left alone.

my $m = MNT->new(workers => 1);
$m->channel($_, live => 1, dur => 0.5, window => 20) for qw(phi chi);
$m->start;
$m->up;
my $id = $m->watch('phi')->{id};
$m->watch('chi');
wait_for(sub { 2 == grep { $_->{segments} >= 5 } @{ $m->recordings } },
         'two record');

my ($r) = grep { $_->{channel_name} eq 'phi' } @{ $m->recordings };
my ($other) = grep { $_->{channel_name} eq 'chi' } @{ $m->recordings };
my %dir = map { $_->[0] => "$m->{storage}/$_->[1]" }
    @{ $m->psql('SELECT id, path FROM media_record') };
my ($old) = $m->workers_of;
kill 'STOP', $m->master;
kill 'KILL', $old;
my $died = time;

# while there is no worker

my $text = slurp("$dir{ $r->{id} }/index.m3u8");
my @line = split /^/, $text;
spew("$dir{ $r->{id} }/index.m3u8", join('', @line[0 .. $#line - 1], '000'));
system('chown', '-R', 'nobody:nogroup', $m->{storage}) if !$>;
$m->psql("DELETE FROM streamer WHERE id = $id");
$m->psql("UPDATE media_record SET last_progress_at = now() - interval '2 minutes'"
         . " WHERE id = $r->{id}");
$m->psql("INSERT INTO platform VALUES (4711, 'future')");
$m->psql("UPDATE streamer SET platform = 4711 WHERE id <> $id");
$m->psql("UPDATE media_record SET platform = 4711 WHERE id = $other->{id}");
my $epoch = $m->one("SELECT epoch FROM media_record WHERE id = $other->{id}");
sleep 2;
kill 'CONT', $m->master;

wait_for(sub { $m->one("SELECT status FROM media_record WHERE id = $r->{id}")
                   eq 'recorded' }, 'it is closed', 20);
my $now = slurp("$dir{ $r->{id} }/index.m3u8");
like($now, qr/^#EXT-X-ENDLIST\n\z/m, 'with the end of its playlist');
my @e = playlist_entries($now);
is(scalar @e, scalar playlist_entries($text), 'which is recovered');
is($m->one("SELECT segments FROM media_record WHERE id = $r->{id}"), scalar @e,
   'the row has its numbers');
cmp_ok($m->one('SELECT extract(epoch FROM ended_at) FROM media_record'
               . " WHERE id = $r->{id}"), '<', $died + 1,
       'and the time of its last segment');

wait_for(sub { $m->log =~ /1 recordings in progress are of platforms/ },
         'the other one is told');
sleep 5;
is(scalar(() = $m->log =~ /recordings in progress are of platforms/g), 1, 'once');
is($m->one("SELECT epoch FROM media_record WHERE id = $other->{id}"), $epoch,
   'and left alone');
is($m->one("SELECT status FROM media_record WHERE id = $other->{id}"), 'recording',
   'as it is');

$m->{allow_log} = qr/exited on signal 9/;
$m->finish;
