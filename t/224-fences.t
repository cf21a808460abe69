use strict;
use warnings;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

# What keeps a writer out that lost its recording and does not know it: on the
# disk its journal has another inode, in the database its epoch is stale. And
# what follows when it does not know because it is the owner still: it gives the
# lease back, so that nobody waits for it to expire.

my $m = MNT->new(workers => 1, mntreamer => 'lease 30s;');
$m->channel('upsilon', live => 1, dur => 0.5, window => 60,
            manual => JSON::PP::true);
$m->advance('upsilon', 5);
$m->start;
$m->up;
$m->watch('upsilon');
my $r = wait_for(sub {
    my ($r) = @{ $m->recordings };
    $r && $r->{segments} == 5 && $r
}, 'it records');
my $dir = "$m->{storage}/" . $m->one('SELECT path FROM media_record');

# what another writer does first of all

my $journal = slurp("$dir/.index.journal");
spew("$dir/new", $journal);
chown +(getpwnam 'nobody')[2, 3], "$dir/new" if !$>;
rename "$dir/new", "$dir/.index.journal" or die $!;

my $t0 = time;
$m->advance('upsilon', 2);
wait_for(sub { $m->log =~ /is written by somebody else and is dropped/ },
         'the writer notices it');
wait_for(sub { playlist_entries(slurp("$dir/index.m3u8")) == 7 },
         'and its lease is free at once', 12);
cmp_ok(time - $t0, '<', 15 * $MNT::PATIENCE, '... long before it expires');

$m->advance('upsilon', 2);
wait_for(sub { playlist_entries(slurp("$dir/index.m3u8")) == 9 }, 'it goes on');
my @s = map { sprintf '%06d.ts', $_ } slurp("$dir/.index.journal") =~ /^S (\d+) /mg;
my @e = map { $_->{uri} } playlist_entries(slurp("$dir/index.m3u8"));
is("@s", "@e", 'the journal knows each segment that is listed');
my %made = map { sha256_of($m->segment('upsilon', '1080p60', $_)) => $_ } 0 .. 20;
is(join(' ', map { $made{ sha256_of(slurp("$dir/$_")) } // 'x' } @e),
   join(' ', 0 .. 8), 'every segment once, in order');
wait_for(sub { $m->recording($r->{id})->{segments} == 9 }, 'as the row says');

# a gap that a stale worker writes when another one has ended the recording

open my $sql, '|-', 'psql', '-X', '-q', '-h', $m->{pg}, '-U', 'postgres', '-d',
    $m->{db}, '-v', 'ON_ERROR_STOP=1' or die $!;
$sql->autoflush;
print $sql "BEGIN; LOCK TABLE media_gap IN ACCESS EXCLUSIVE MODE;\n";
my $waits = "SELECT count(*) FROM pg_locks WHERE relation = 'media_gap'::regclass"
    . ' AND granted = ';
wait_for(sub { $m->one("${waits}true") }, 'gaps wait');
$m->fault(match => '/hls/upsilon/seg/\w+-0-9\.', status => 404, times => -1);
$m->advance('upsilon', 2);
wait_for(sub { $m->one("${waits}false") }, 'and one is lost');
print $sql "UPDATE media_record SET epoch = epoch + 1, status = 'recorded',",
    " ended_at = now(); UPDATE streamer SET monitored = false;",
    " UPDATE streamer_monitor SET epoch = epoch + 1, owner = NULL,",
    " lease_until = NULL; COMMIT;\n\\q\n";
close $sql;
wait_for(sub { !$m->one("${waits}false") }, 'the worker is answered');
is($m->one('SELECT count(*) FROM media_gap'), 0, 'its row is refused');
is($m->one('SELECT segments FROM media_record'), 9, 'and its numbers');
wait_for(sub { $m->log =~ /lost 1 segments/ }, 'of a gap that there was');

$m->finish;
