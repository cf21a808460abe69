use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# LIB-01, LIB-02, REC-03: the list of recordings by state, platform, channel and
# time, in pages that neither repeat nor hide anything while rows come; one row goes
# recording, recorded, done, deleted.

my $m = MNT->new(workers => 2);
$m->start;
$m->up;

# 120 recordings: 40 of each of three channels, an hour apart, of all states

$m->psql(<<'END');
INSERT INTO streamer (platform, channel_id, channel_name, monitored)
     SELECT CASE c WHEN 2 THEN 2 ELSE 1 END, 'chan' || c, 'Name ' || c, false
       FROM generate_series(0, 2) c;
INSERT INTO media_record (streamer_id, platform, channel_id, channel_name, title,
                          status, started_at, ended_at, day, sequence, path,
                          segments, bytes, duration_us, epoch)
     SELECT s.id, s.platform, s.channel_id, s.channel_name, 'title ' || i,
            (ARRAY['recorded', 'done', 'deleted', 'recorded'])[1 + i % 4],
            timestamptz '2026-01-01 00:00:00Z' + i * interval '1 hour',
            timestamptz '2026-01-01 00:30:00Z' + i * interval '1 hour',
            date '2026-01-01' + i / 24, i + 1, s.channel_id || '/' || i,
            10, 1000, 20000000, 1
       FROM generate_series(0, 119) i
       JOIN streamer s ON s.channel_id = 'chan' || i % 3;
END

my $api = '/api/v1/recordings';
my $all = sub {
    my ($filter, $limit, $between) = @_;
    my ($next, @got) = ("$api?limit=" . ($limit || 500) . ($filter && "&$filter"));
    for my $page (1 .. 100) {
        my $l = $m->json($next) or die $next;
        push @got, @{ $l->{items} };
        last unless $l->{next};
        $between->($page) if $between;
        $next = "$api?limit=" . ($limit || 500) . ($filter && "&$filter")
            . "&after=$l->{next}";
    }
    return @got;
};

my %count = (
    '' => 90,                              # deleted ones only when asked for
    'status=recorded' => 60, 'status=done' => 30, 'status=deleted' => 30,
    'status=recording' => 0, 'platform=chzzk' => 60, 'platform=hls' => 30,
    'platform=1' => 60, 'channel_id=chan1' => 30,
    'channel_id=chan1&status=recorded' => 20, 'channel_id=nobody' => 0,
    'since=2026-01-02T00:00:00Z' => 72, 'until=2026-01-02T00:00:00Z' => 18,
    'since=2026-01-02T00:00:00Z&until=2026-01-02T04:00:00Z' => 3,
    'since=2026-01-02T09:00:00%2B09:00&until=2026-01-02T04:00:00.000Z' => 3,
    'q=Name%202' => 30, 'q=title%20119' => 1, 'q=%25' => 0,
);
for my $f (sort keys %count) {
    my @r = $all->($f);
    is(scalar @r, $count{$f}, "filter $f");
}

# LIB-02

my @r = $all->('status=recorded');
is(scalar(grep { $_->{status} ne 'recorded' } @r), 0, 'to refine: those only');
is(scalar(grep { ($_->{url} // '') !~ m{^/recordings/.*/index\.m3u8$} } @r), 0,
   'each with its playlist');

# REC-03: one of them goes on

my $id = $r[0]{id};
for my $status ('done', 'deleted') {
    $m->psql("UPDATE media_record SET status = '$status' WHERE id = $id");
    is(scalar(grep { $_->{id} == $id } $all->('status=recorded')), 0,
       "$status: off the list");
    is(scalar(grep { $_->{id} == $id } $all->("status=$status")), 1,
       "$status: on its own");
}
is($m->recording($id)->{status}, 'deleted', 'its row is kept');

# pages: newest first, whole, once; while newer and older rows come

for my $limit (1, 7, 30) {
    my ($n, %seen) = (0);
    my @before = map { $_->{id} } $all->('');
    my @got = $all->('', $limit, sub {
        return if $_[0] > 3;
        $n++;
        $m->psql("INSERT INTO media_record (platform, channel_id, status,
                  started_at, ended_at, day, sequence, path, segments, epoch)
                  SELECT 1, 'new', 'recorded', t, t, t, (random() * 1e9)::int,
                         'new/$limit/$n/' || t, 1, 1
                    FROM (VALUES (now()), (timestamptz '2025-12-31 00:00Z')) v(t)");
    });
    $seen{ $_->{id} }++ for @got;
    is(scalar(grep { $_ > 1 } values %seen), 0, "pages of $limit: nothing twice");
    is(scalar(grep { !$seen{$_} } @before), 0, "pages of $limit: nothing missed");
    my @at = map { $_->{started_at} } @got;
    is("@at", join(' ', sort { $b cmp $a } @at), "pages of $limit: newest first");
}
is($m->call(GET => "$api?after=nonsense")->{status}, 400, 'a made up cursor');

# a text is found wherever it stands, also one character of it, and what stands
# nowhere is known without reading all

$m->psql(<<'END');
INSERT INTO media_record (platform, channel_id, channel_name, title, category,
                          status, started_at, ended_at, day, sequence, path,
                          epoch)
     SELECT 1, 'many' || i % 10, '채널 ' || i % 10,
            CASE i WHEN 777 THEN '오늘도 롤 RANK 100%_\ "x"'
                   ELSE '저녁 방송 ' || i END,
            CASE i WHEN 778 THEN '리그 오브 레전드' END, 'recorded', t, t, t, i,
            'many/' || i, 1
       FROM generate_series(1, 20000) i,
            LATERAL (VALUES (timestamptz '2020-01-01 00:00Z' + i * interval '1 s'))
                    v (t);
ANALYZE media_record;
END
my $q = sub {
    return scalar @{ $m->json("$api?limit=100&q="
        . ($_[0] =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger))->{items} };
};
my $scans = sub {
    return $m->one("SELECT idx_scan FROM pg_stat_user_indexes
                     WHERE indexrelname = 'media_record_search'");
};
my $before = $scans->();
is($q->('롤'), 1, 'one character');
is($q->('레전'), 1, 'a part of a word, of the category');
is($q->('rank 100%_\\ "X"'), 1, 'in any case, and nothing of it is a pattern');
is($q->('k_100'), 0, 'a wildcard of SQL is a character');
is($q->('없는 말'), 0, 'nowhere');
is($q->('방송'), 100, 'what stands everywhere');
wait_for(sub { $scans->() >= $before + 5 }, 'what is rare is asked of an index');
$m->psql("UPDATE media_record SET title = '바뀐 제목' WHERE path = 'many/777'");
is($q->('롤') . $q->('바뀐'), '01', 'a title that changes');

$m->finish;
