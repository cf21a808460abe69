use strict;
use warnings;
use utf8;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time sleep);

# A new broadcast is a new recording; the same one after a reconnect within
# resume_window is the same recording; sequences of a day; titles and renditions;
# facts and their history; an API that fails stops nothing.

my $m = MNT->new(workers => 2, mntreamer => 'refresh 1s; poll_rate 200r/s;');

$m->channel('gamma', live => 1, dur => 0.5, window => 6, live_id => 501,
            title => 'a/b\\..<script>"|?* 제목');
$m->channel('delta', live => 1, dur => 0.5, window => 6, audio => JSON::PP::true,
            kind => 'fmp4');
$m->start;
$m->up;
my $s = $m->watch('gamma', quality => '480p', priority => 7);
$m->watch('delta');

my $all = sub { grep { $_->{channel_name} eq $_[0] }
    @{ $m->json('/api/v1/recordings?limit=100')->{items} } };

my $r = wait_for(sub {
    my ($r) = $all->('gamma');
    $r && $r->{segments} >= 3 && $r
}, 'it records');
is($r->{broadcast_id}, '501', 'the broadcast is known');
is($r->{title}, 'a/b\\..<script>"|?* 제목', 'a hostile title is kept as text');
unlike($m->get('/api/v1/recordings')->{content}, qr/<script>/,
       'and is inert in the answer');
is(scalar(grep { ($_->{path} // '') =~ m{gamma/media/(?!480p30)} }
   @{ $m->served }), 0, 'the rendition is the one asked for');

# MON-08: the states

my ($g) = grep { $_->{channel_id} eq $s->{channel_id} } @{ $m->streamers };
is($g->{status}, 'recording', 'the streamer is recorded');
ok($g->{is_streaming}, 'and streaming');
is($g->{recording_id}, $r->{id}, 'by that recording');
is($m->json('/api/v1/live')->{items}[0]{channel_id} ? 1 : 0, 1, 'it is live');

# facts while on air

$m->channel('gamma', title => '둘째 제목', category => 'music', viewers => 77);
wait_for(sub { @{ $m->recording($r->{id})->{title_history} || [] } >= 2 },
         'a changed title is history');
wait_for(sub { $m->recording($r->{id})->{title} eq '둘째 제목' },
         'and the present one');
wait_for(sub {
    my ($l) = grep { $_->{channel_id} eq $s->{channel_id} }
        @{ $m->json('/api/v1/live')->{items} };
    $l && $l->{viewers} == 77 && $l->{category} eq 'music'
}, 'viewers and category are refreshed');

my $watched = sub {
    map { $_->{viewers} } @{ $m->recording($r->{id})->{viewer_history} };
};
for my $viewers (78, 79) {
    $m->channel('gamma', viewers => $viewers);
    wait_for(sub { ($watched->())[-1] == $viewers }, "$viewers watch");
}
is(scalar(grep { $_ >= 77 && $_ <= 79 } $watched->()) >= 3, 1,
   'who watched before is not forgotten');
is(join(' ', sort { $a <=> $b } grep { $_ >= 77 } $watched->()),
   join(' ', grep { $_ >= 77 } $watched->()), 'in the order of time');
my ($title) = grep { $_->{title} eq '둘째 제목' && $_->{category} eq 'music' }
    @{ $m->recording($r->{id})->{title_history} };
is($title->{viewers}, 77, 'a title keeps the count of its time');

# the API fails for a while: the recording goes on

$m->fault(match => '/(polling|service)/', status => 500, times => 20);
my $n = ($all->('gamma'))[0]{segments};
wait_for(sub { ($all->('gamma'))[0]{segments} > $n + 6 },
         'an API that fails stops nothing', 15);
$m->heal;

# the end; the same broadcast again; then another one

$m->channel('gamma', live => 0, stall => 1);
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' }, 'it ends', 32);
($g) = grep { $_->{channel_id} eq $s->{channel_id} } @{ $m->streamers };
is($g->{recorded}, 1, 'one more recorded');
ok($g->{last_recorded_at}, 'with its time');
wait_for(sub {
    my ($g) = grep { $_->{channel_id} eq $s->{channel_id} } @{ $m->streamers };
    !$g->{is_streaming}
}, 'it is off the air');
is($m->json('/api/v1/recordings?status=recorded')->{items}[0]{id}, $r->{id},
   'LIB-02: it is listed to be refined');

$n = $m->recording($r->{id})->{segments};
$m->channel('gamma', live => 1, live_id => 501, stall => 0, reset => 900);
wait_for(sub {
    my $x = $m->recording($r->{id});
    $x->{status} eq 'recording' && $x->{segments} > $n + 2
}, 'the same broadcast is the same recording', 20);
my @e = playlist_entries($m->playlist($r));
unlike($m->playlist($r), qr/ENDLIST/, 'whose end mark is gone');
cmp_ok(scalar(grep { $_->{disc} } @e), '>=', 1, 'with a discontinuity');

$m->channel('gamma', live_id => 502, reset => 0);
wait_for(sub {
    my @r = $all->('gamma');
    @r == 2 && $r[0]{url}
}, 'another broadcast is another one', 40);
my ($second, $first) = $all->('gamma');
is($second->{broadcast_id}, '502', 'with its number');
wait_for(sub { $m->recording($first->{id})->{status} eq 'recorded' },
         'the first is closed');
like($m->playlist($first), qr/ENDLIST/, 'with its end mark');
my ($seq1) = $first->{url} =~ m{/(\d+)/index};
my ($seq2) = $second->{url} =~ m{/(\d+)/index};
is("$seq1 $seq2", '1 2', 'REC-02: sequences of a day');

# a long history is thinned in the answer, the last one stays

$m->psql("INSERT INTO media_viewers SELECT $first->{id},
          '2020-01-01'::timestamptz + n * interval '1 minute', n
          FROM generate_series(1, 2500) n");
my @v = @{ $m->recording($first->{id})->{viewer_history} };
cmp_ok(scalar @v, '<=', 1000, 'a thousand viewers at most');
cmp_ok(scalar @v, '>=', 800, 'and not much less');
is($v[-1]{viewers}, $m->one("SELECT viewers FROM media_viewers
                             WHERE recording_id = $first->{id}
                             ORDER BY at DESC LIMIT 1"), 'with the last one');

# a separate audio rendition

my ($d) = $all->('delta');
my $text = $m->playlist($d);
like($text, qr/#EXT-X-STREAM-INF:/, 'a multivariant playlist');
like($text, qr/#EXT-X-MEDIA:TYPE=AUDIO.*URI="audio-1\.m3u8"/, 'names the audio');
my ($base) = $d->{url} =~ m{^(.*/)};
for my $u ('video.m3u8', 'audio-1.m3u8') {
    my @e = playlist_entries($m->get($base . $u)->{content});
    cmp_ok(scalar @e, '>=', 3, "$u is recorded");
    is($m->get($base . $e[0]{uri})->{status}, 200, 'and its segments');
}

# DELETE stops watching and keeps the recordings

my $del = $m->call(DELETE => "/api/v1/streamers/$s->{id}");
is($del->{status}, 204, 'a streamer is deleted');
wait_for(sub { $m->recording($second->{id})->{status} eq 'recorded' },
         'its recording is closed', 10);
is(scalar($all->('gamma')), 2, 'the recordings stay');
is($m->get($second->{url})->{status}, 200, 'and are served');

$m->psql("DELETE FROM media_record WHERE id = $first->{id}");
is($m->one("SELECT count(*) FROM media_viewers
            WHERE recording_id = $first->{id}"), 0,
   'the history goes with the recording');

$m->finish;
