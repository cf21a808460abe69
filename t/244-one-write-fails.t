use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# RELIABILITY B5: the server cannot write one table (a bad block: 58030), and can
# the others. What is written there waits; the same connection goes on with
# leases, claims and new recordings meanwhile, and loses nothing of what waits.

my $m = MNT->new(workers => 1, mntreamer => 'lease 2s;');
$m->channel($_, live => 1, dur => 0.3, window => 20) for qw(kappa lambda);
$m->start;
$m->up;
$m->psql(q{CREATE FUNCTION bad_block() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN RAISE EXCEPTION 'invalid page in block 7'
                 USING errcode = '58030'; END $$;
           CREATE TRIGGER bad_block BEFORE INSERT ON media_gap
           EXECUTE FUNCTION bad_block()});
$m->watch('kappa');
wait_for(sub { my $r = $m->recordings->[0]; $r && $r->{segments} >= 4 },
         'it records');
$m->fault(match => '/hls/kappa/seg/\\w+-0-(\\d*[05])\\.', status => 404, times => -1);
wait_for(sub { $m->log =~ /cannot take "recording_gap" \(58030\)/ },
         'a gap cannot be written, and the log says so', 20);

# for some terms of the lease

my $epoch = $m->one('SELECT epoch FROM streamer_monitor');
my $n = $m->one('SELECT segments FROM media_record');
wait_for(sub { $m->one('SELECT segments FROM media_record') > $n + 20 },
         'what is recorded is told', 20);
is($m->one('SELECT count(*) FROM streamer_monitor WHERE lease_until > now()'), 1,
   'the lease is renewed');
is($m->one('SELECT epoch FROM streamer_monitor'), $epoch, '... by its owner');
$m->watch('lambda');
wait_for(sub {
    grep { $_->{channel_name} eq 'lambda' && $_->{segments} >= 4 } @{ $m->recordings }
}, 'another streamer is recorded', 20);
is($m->one('SELECT count(*) FROM media_gap'), 0, 'gaps wait');
cmp_ok(scalar(() = $m->log =~ /\[warn\]/g), '<', 10, 'the log stays small');

$m->heal;
$m->psql('DROP TRIGGER bad_block ON media_gap');
my $id = $m->one("SELECT id FROM media_record WHERE channel_name = 'kappa'");
my $dir = "$m->{storage}/" . $m->one("SELECT path FROM media_record WHERE id = $id");
my $told = sub { $m->one("SELECT coalesce(sum(segments), 0) FROM media_gap
                          WHERE recording_id = $id") };
my $lost = sub {
    my ($n, $journal) = (0, slurp("$dir/.index.journal"));
    $n += $1 while $journal =~ /^G (\d+) /mg;
    return $n;
};
wait_for(sub { $lost->() && $told->() == $lost->() }, 'they are written afterwards', 20);
is($m->one("SELECT gaps FROM media_record WHERE id = $id"),
   $m->one("SELECT count(*) FROM media_gap WHERE recording_id = $id"),
   'each of them');

$m->finish;
