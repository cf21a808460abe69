use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# RELIABILITY I4: a segment was given up and its row written; its writer died before
# anything was stored behind it, so that the journal does not know. Whoever takes over
# gets the segment after all: then no row says that it is lost. One whose loss the
# journal knows keeps its row.

my $m = MNT->new(workers => 1, mntreamer => 'lease 5s;');
$m->channel('tau', live => 1, dur => 0.4, window => 20);
$m->fault(match => '/hls/tau/seg/\\w+-0-3\\.', status => 404, times => -1);
$m->start;
$m->up;
$m->watch('tau');
wait_for(sub { $m->one('SELECT count(*) FROM media_gap') == 1
               && ($m->recordings->[0] || { segments => 0 })->{segments} >= 6 },
         'one is lost, and more are stored', 30);
my ($id, $number) = @{ $m->psql('SELECT recording_id, number FROM media_gap')->[0] };
my ($worker) = $m->workers_of($m->master);

# what a writer notes at its end; the next segments do not come

kill 'STOP', $worker;
my $rows = sub { join ' ', map { $_->[0] } @{ $m->psql(
    "SELECT first_sequence FROM media_gap WHERE recording_id = $id ORDER BY number") } };
my $true = $rows->();
$m->psql("INSERT INTO media_gap (recording_id, number, track, reason, first_sequence,
            segments, lost_us, at_us)
          SELECT recording_id, number + 1, track, 'network', 500, 1, 400000, 9000000
            FROM media_gap WHERE recording_id = $id");
is($rows->(), "$true 500", 'a row that the journal does not know');
kill 'KILL', $worker;
kill 'CONT', $worker;
wait_for(sub { $rows->() eq $true }, 'it is gone when somebody took over', 20);
my $n = $m->recordings->[0]{segments};
wait_for(sub { $m->recordings->[0]{segments} > $n + 4 }, 'the recording goes on', 20);
is($rows->(), $true, 'the other one stays');
is($m->recordings->[0]{gaps}, 1, 'and is the only one');

# the number is given again

$m->fault(match => '/hls/tau/seg/\\w+-0-(\\d*5)\\.', status => 404, times => -1);
wait_for(sub { $m->one("SELECT count(*) FROM media_gap WHERE number = $number + 1") },
         'the next gap has its number', 20);
$m->{allow_log} = qr{exited on signal 9};
$m->finish;
