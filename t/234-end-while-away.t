use strict;
use warnings;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;

# What is noticed while the database is away is stored once it is back, once each,
# also when the recording has ended meanwhile: what it was called, what is missing,
# how long it is.

my $m = MNT->new(own_pg => 1, workers => 2, mntreamer => 'refresh 1s;');
$m->channel('psi', live => 1, dur => 0.5, window => 6, title => 'one');
$m->start;
$m->up;
$m->watch('psi');
my $r = wait_for(sub {
    my $r = $m->recordings->[0];
    $r && $r->{segments} >= 3 && $r
}, 'it records');

MNT::pg_stop($m->{own_pg}, 'immediate');
wait_for(sub { $m->get('/health')->{status} == 503 }, 'the database is away');

my $asked = sub { return scalar grep { $_->{path} =~ /live-/ } @{ $m->served } };
for my $title ('two', 'three', 'one') {
    $m->channel('psi', title => $title);
    my $n = $asked->();
    wait_for(sub { $asked->() >= $n + 3 }, "it is called \"$title\"", 20);
}
my $n = playlist_entries($m->playlist($r));
$m->fault(match => '/hls/psi/seg/\w+-0-' . ($n + 8) . '\.', status => 404, times => -1);
wait_for(sub { $m->playlist($r) =~ /#EXT-X-DISCONTINUITY/ },
         'a segment is lost', 20);
$m->channel('psi', live => 0, stall => 1, endlist => JSON::PP::true);
wait_for(sub { $m->playlist($r) =~ /#EXT-X-ENDLIST/ }, 'the broadcast ends', 30);

MNT::pg_start($m->{own_pg});
wait_for(sub {
    my $x = $m->recording($r->{id});
    $x && $x->{status} eq 'recorded'
}, 'the end is stored', 30);
wait_for(sub { 4 <= @{ $m->recording($r->{id})->{title_history} } },
         'and all titles', 10);
my $x = $m->recording($r->{id});
is(join(' ', map { $_->{title} } @{ $x->{title_history} }), 'one two three one',
   'in order, once each') or diag explain $x->{title_history};
my %at = map { $_->{at} => 1 } @{ $x->{title_history} };
is(scalar keys %at, 4, 'with their times');
is($m->one('SELECT count(*) FROM media_title t JOIN media_record r'
           . ' ON r.id = recording_id WHERE t.at > r.ended_at'), 0,
   'which are not those of the end');
is($x->{title}, 'one', 'the last one is the recording\'s');
is($x->{gaps}, 1, 'one gap');
is(scalar @{ $x->{gap_list} }, 1, 'with its row');
is($x->{segments}, scalar playlist_entries($m->playlist($r)), 'all segments');
wait_for(sub { !$m->streamers->[0]{is_streaming} }, 'the streamer is off the air');

$m->finish;
