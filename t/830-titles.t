use strict;
use warnings;
use utf8;
use lib 't/lib';
use JSON::PP;
use MNT;
use MNTRTMP;
use Test::More;

# CHN-02, LIV-08, LIV-10: what an own broadcast is called is kept with its
# streamer and changed while it is on the air: in its row, its recording and the
# history of that; the list and the page of what is on the air show it. Whoever
# else's titles are the platform's.

my $m = MNTRTMP->new(workers => 2, backoff => '30s', record => 0);
$m->start;
$m->up;
$m->{http_client} = HTTP::Tiny->new(timeout => 10, max_redirect => 0,
    keep_alive => 0);

my $api = '/api/v1/streamers';
my $client = 0;

sub hook {
    my ($call, $key, $clientid) = @_;
    return $m->{http_client}->post("http://127.0.0.1:$m->{hook_port}/rtmp",
        { content => "app=ingest&addr=127.0.0.1&clientid=$clientid"
            . "&call=$call&name=$key" })->{status};
}

sub patched {
    my ($id, %fields) = @_;
    return $m->call(PATCH => "$api/$id", \%fields);
}

sub called {
    my ($json) = @_;
    return join '|', map { $json->{$_} // '-' } qw(title description category);
}

# before it is on the air

my $r = $m->call(POST => $api, { platform => 'rtmp', channel => 'studio',
    title => '첫 방송', description => "한 줄\n두 줄", category => '음악' });
is($r->{status}, 201, 'a channel with a title');
my $id = $r->{json}{id};
my $key = $m->key($id);
is(called($r->{json}), "첫 방송|한 줄\n두 줄|음악", 'it is kept');
is($r->{json}{live}, undef, 'nothing is on the air');
is(called(patched($id, title => 'new')->{json}), "new|한 줄\n두 줄|음악",
   'one of them is changed');
is(called(patched($id, category => '')->{json}), "new|한 줄\n두 줄|-",
   'an empty text resets');
is(called(patched($id, category => 'x', description => undef)->{json}),
   'new|-|x', 'so does null');
is(called($m->call(POST => $api, { platform => 'rtmp', channel => 'studio',
                                   title => 'again' })->{json}), 'again|-|x',
   'given again it is changed');
is(called($m->call(POST => $api, { platform => 'rtmp', channel => 'studio' })
              ->{json}), 'again|-|x', 'not given it stays');
patched($id, description => "D\n<b>");

is_deeply($m->json('/api/v1/live')->{items}, [], 'nobody is on the air');
$r = $m->call(GET => "/api/v1/live/$id");
is("$r->{status} $r->{json}{error}", '404 not_on_air', 'nor is it');
$r = $m->call(GET => '/api/v1/live/999');
is("$r->{status} $r->{json}{error}", '404 streamer_not_found', 'nor nobody');
is($m->call(GET => "/api/v1/live/$_")->{status}, 400, "live/$_")
    for 'x', '0', '-1';
is($m->call(GET => "/api/v1/live/$id?x=1")->{status}, 400, 'no parameter');
is($m->call(POST => "/api/v1/live/$id")->{status}, 405, 'only to be read');

# the next one is called so

is(hook('publish', $key, ++$client), 302, 'on the air');
my $name = $m->on_air({ id => $id });
is($m->one("SELECT title || '|' || category FROM broadcast
            WHERE name = '$name'"), 'again|x', 'its row');
my ($on) = @{ $m->json('/api/v1/live')->{items} };
is(join('|', map { $on->{$_} // '-' } qw(streamer_id platform channel_id title
         category viewers image recording_id url)),
   "$id|rtmp|studio|again|x|-|-|-|-", 'the list');
like($on->{started_at}, qr/^20.*Z$/, 'with its start');
my $one = $m->json("/api/v1/live/$id");
is($one->{description}, "D\n<b>", 'the detail has the description, too');
is($one->{broadcast_id}, $name, 'and its public name');
is_deeply({ map { $_ => $one->{$_} } keys %$on }, $on,
          'and what the list has');

# a recording of it, as the recorder will make one

my $rec = sub {
    my ($name, $n) = @_;
    return $m->one("INSERT INTO media_record (streamer_id, platform, channel_id,
        broadcast_id, day, sequence, path, epoch, segments)
        VALUES ($id, 3, 'studio', '$name', '2026-01-01', $n,
                'rtmp/studio/2026/01/01/$n', 1, 4) RETURNING id");
};
my $recording = $rec->($name, 1);
my $titles = sub {
    my $j = $m->json("/api/v1/recordings/$_[0]?files=0");
    return join ' ', map { join '|', map { $_ // '-' } @$_{qw(title category)} }
        $j, @{ $j->{title_history} };
};
is($titles->($recording), 'again|x again|x', 'it is called so from the first');
$one = $m->json("/api/v1/live/$id");
is($one->{recording_id}, $recording, 'the detail has it');
is($one->{url}, '/recordings/rtmp/studio/2026/01/01/1/index.m3u8',
   'and its playlist');

# on the air

open my $listen, '-|', "psql -X -q -A -t -h $m->{pg} -U postgres -d $m->{db} "
    . q{-c 'LISTEN mntreamer' -c 'SELECT pg_sleep(3)' 2>&1} or die $!;
sleep 1;
$r = patched($id, title => '둘째 제목', description => 'E');
is($r->{status}, 200, 'changed on the air');
is($r->{json}{live}{title}, '둘째 제목', 'at once');
{ local $/; like(<$listen>, qr/"title $id"/, 'and it was notified') }
close $listen;
is($m->json('/api/v1/live')->{items}[0]{title}, '둘째 제목', 'in the list');
$one = $m->json("/api/v1/live/$id");
is("$one->{title}|$one->{description}|$one->{category}", '둘째 제목|E|x',
   'in the detail');
is($m->one("SELECT title || '|' || description || '|' || category
            FROM broadcast WHERE name = '$name'"), '둘째 제목|E|x' =~ s/(.*)/
    my $t = $1; utf8::encode($t); $t/er, 'in its row');
is($titles->($recording), '둘째 제목|x again|x 둘째 제목|x',
   'in the recording and its history');
patched($id, description => 'F');
is($titles->($recording), '둘째 제목|x again|x 둘째 제목|x',
   'a description is no new title');
patched($id, title => '둘째 제목');
is($titles->($recording), '둘째 제목|x again|x 둘째 제목|x',
   'nor is the same one');
patched($id, title => '', category => '');
is($titles->($recording), '-|- again|x 둘째 제목|x -|-',
   'taken back: that is told, too');
$m->psql("UPDATE streamer SET live_title = 'of an old answer' WHERE id = $id");
is($m->json("/api/v1/live/$id")->{title}, undef, 'there is no other title');
patched($id, nickname => 'N', title => 'T');
is($titles->($recording), 'T|- again|x 둘째 제목|x -|- T|-', 'and set again');

# facts of a worker that was told before

$m->psql("UPDATE media_record SET title = 'stale', category = 'stale'
          WHERE id = $recording");
$m->psql("INSERT INTO media_title (recording_id, title, category)
          VALUES ($recording, 'stale', 'stale')");
is($titles->($recording), 'T|- again|x 둘째 제목|x -|- T|-',
   'a stale title does not come back');
$m->psql("INSERT INTO media_title (recording_id, title)
          VALUES ($recording, 'T')");
like($titles->($recording), qr/T\|- T\|-$/, 'the one of now may');
$m->psql("DELETE FROM media_title WHERE at = (SELECT max(at) FROM media_title)");

# another recording and another broadcast are left alone

$m->psql("UPDATE media_record SET status = 'recorded', ended_at = now()
          WHERE id = $recording");
patched($id, title => 'behind it');
like($titles->($recording), qr/^T\|- .* T\|-$/, 'one that is over keeps its title');
hook('publish_done', $key, $client);
wait_for(sub { !$m->on_air({ id => $id }) }, 'off the air');
is($m->call(GET => "/api/v1/live/$id")->{json}{error}, 'not_on_air',
   'said plainly');
is_deeply($m->json('/api/v1/live')->{items}, [], 'and it is in no list');
$r = patched($id, title => 'next');
is("$r->{json}{title}|" . ($r->{json}{live} // '-'), 'next|-',
   'a title for the next one');
is($m->one("SELECT title FROM broadcast WHERE name = '$name'"), 'behind it',
   'the one before keeps its own');
is(hook('publish', $key, ++$client), 302, 'on the air again');
is($m->json("/api/v1/live/$id")->{title}, 'next', 'called so');

# one that goes on: with its recording, over or still in progress

$m->psql("UPDATE media_record SET status = 'recording', ended_at = NULL
          WHERE id = $recording");
is($titles->($recording), 'next|- again|x 둘째 제목|x -|- T|- next|-',
   'a recording that is gone on with');
$m->psql("UPDATE streamer SET live_broadcast_id = NULL WHERE id = $id");
$m->psql("UPDATE media_record SET title = 'stale' WHERE id = $recording");
patched($id, title => 'later');
like($titles->($recording), qr/^stale/, 'nothing is on the air');
$m->psql("UPDATE streamer SET live_broadcast_id = '$name' WHERE id = $id");
is($titles->($recording), 'later|- again|x 둘째 제목|x -|- T|- next|- later|-',
   'one in progress when the next broadcast begins');
$m->psql("UPDATE media_record SET status = 'recorded', ended_at = now()
          WHERE id = $recording");
$m->psql("UPDATE streamer SET live_broadcast_id = b.name FROM broadcast b
          WHERE b.ended_at IS NULL AND b.streamer_id = $id
          AND streamer.id = $id");

# many at once: the last one is everywhere

my $second = $rec->($m->on_air({ id => $id }), 2);
my @pid = map {
    my $n = $_;
    my $pid = fork;
    if (!$pid) {
        my $bad = 0;
        for (1 .. 5) {
            my $r = MNT::call($m, PATCH => "$api/$id", { title => "t$n-$_" });
            $bad ||= $r->{status} != 200;
        }
        POSIX::_exit($bad ? 1 : 0);
    }
    $pid;
} 1 .. 6;
my $failed = 0;
for (@pid) { waitpid $_, 0; $failed++ if $? }
is($failed, 0, 'thirty changes at once');
my $last = $m->json("$api/$id")->{title};
is($m->json("/api/v1/live/$id")->{title}, $last, 'the last is on the air');
is($m->one('SELECT title FROM broadcast WHERE ended_at IS NULL'), $last,
   'in its row');
my $j = $m->json("/api/v1/recordings/$second");
is($j->{title}, $last, 'in the recording');
is($j->{title_history}[-1]{title}, $last, 'and the last of its history');
is(scalar(@{ $j->{title_history} }), 31, 'which has them all');
is(scalar(grep { !defined $_->{title} } @{ $j->{title_history} }), 0,
   'each with its title');

# whose titles come from a platform

$m->channel('somebody');
my $chzzk = $m->watch('somebody')->{id};
for my $f (qw(title description category)) {
    $r = patched($chzzk, $f => 'x', priority => 7);
    is("$r->{status} $r->{json}{error} $r->{json}{field}", "409 conflict $f",
       "$f of a platform");
    $r = patched($chzzk, $f => '');
    is($r->{status}, 409, 'nor is it reset');
    $r = $m->call(POST => $api, { platform => 'hls', $f => 'x',
                                  channel => 'http://127.0.0.1:9/x.m3u8' });
    is("$r->{status} $r->{json}{error} $r->{json}{field}", "409 conflict $f",
       "nor when it is added");
}
is($m->json("$api/$chzzk")->{priority}, 0, 'nothing else was changed');
is($m->one('SELECT count(*) FROM streamer WHERE platform = 2'), 0,
   'and nothing added');
is(patched($chzzk, priority => 7)->{json}{priority}, 7, 'it still may be');
is($m->call(PATCH => "$api/999", { title => 'x' })->{json}{error},
   'streamer_not_found', 'of nobody');
is(join(' ', map { $_->{status} } @{ $m->call(POST => $api, { items => [
        { platform => 'rtmp', channel => 'a', title => 'A' },
        { platform => 'hls', channel => 'http://127.0.0.1:9/y.m3u8',
          title => 'B' } ] })->{json}{items} }), '201 409', 'of many, each');

# what may be in them

for my $f ([title => 300], [description => 2000], [category => 100]) {
    my ($name, $max) = @$f;
    my $korean = '가' x int($max / 3);
    is(patched($id, $name => $korean)->{json}{$name}, $korean,
       "$name: " . int($max / 3) . ' letters of Korean');
    is(patched($id, $name => 'x' x $max)->{json}{$name}, 'x' x $max,
       "$name: $max bytes");
    for my $long ('x' x ($max + 1), "가$korean", '🎉' x $max) {
        $r = patched($id, $name => $long);
        is("$r->{status} $r->{json}{error} $r->{json}{field}",
           "400 bad_field $name", "$name: too long");
        like($r->{json}{description}, qr/$max bytes/, 'and says how long');
    }
    for my $bad ("a\tb", "a\rb", "a\x{7f}b", "a\x{85}b", "a\x{2028}b",
                 "a\x{2029}b", "\x{1}", 7, [], {}, JSON::PP::true)
    {
        $r = patched($id, $name => $bad);
        is("$r->{status} $r->{json}{error} $r->{json}{field}",
           "400 bad_field $name", "$name: refused");
    }
    is(patched($id, $name => "a\nb")->{status},
       $name eq 'description' ? 200 : 400, "$name: two lines");
    for my $odd ('🎉 이모지 👩‍👩‍👧‍👦', "\x{202e}txet\x{202c} \x{2067}x\x{2069}",
                 '</script><script>alert(1)</script>', "' OR 1=1; --", '${7*7}',
                 '\\u0000 %00 &lt;', "\x{feff}", "e\x{301}")
    {
        is(patched($id, $name => $odd)->{json}{$name}, $odd,
           "$name: kept as it is");
        unlike($m->get("/api/v1/live/$id")->{content}, qr/[<>]/,
               'and opens nothing in a page');
    }
}
is($m->json("/api/v1/live/$id")->{title}, "e\x{301}", 'on the air as well');

for (['"\u0000"', 'U+0000', 'NUL'], ['"a\ud800b"', 'surrogate', 'half a pair'],
     ['"\udc00"', 'surrogate', 'the other half'],
     ["\"\xff\"", 'not UTF-8', 'no UTF-8'],
     ["\"\xed\xa0\x80\"", 'not UTF-8', 'half a pair in UTF-8'],
     ["\"a\nb\"", 'not JSON', 'a raw line'])
{
    my ($text, $why, $name) = @$_;
    $r = $m->call(PATCH => "$api/$id", "{\"title\": $text}");
    is("$r->{status} $r->{json}{error}", '400 bad_json', "$name is refused");
    like($r->{json}{description}, qr/\Q$why/, 'and says why');
}

$r = $m->call(PATCH => "$api/$id", '{"title": "' . 'x' x 70000 . '"}');
is($r->{status}, 413, 'a body of 70 KB');
$r = $m->call(PATCH => "$api/$id", '{"title":"x"}',
              'content-type' => 'text/plain');
is($r->{status}, 415, 'another type');
is($m->call(PATCH => "$api/$id", '{"title":"x","title":"y"}')->{status}, 400,
   'twice');
is($m->call(PATCH => "$api/$id", '{"titel":"x"}')->{json}{field}, 'titel',
   'misspelled');
is($m->call(PATCH => "$api/$id", '{"title":"x"}',
            origin => 'http://evil.example')->{status}, 403, 'another site');
is($m->json("/api/v1/live/$id")->{title}, "e\x{301}", 'nothing of it changed');

unlike($m->log, qr/이모지|alert\(1\)/, 'titles are not logged');
$m->no_secrets;
$m->finish;
