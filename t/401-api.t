use strict;
use warnings;
use utf8;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;

# MON-01, MON-02, API-01, API-02, OPS-01: routes of streamers, their errors, what
# other sites cannot do, and the description of it all.

my $m = MNT->new(workers => 2, backoff => '30s', mntreamer => 'poll_rate 500r/s;',
    server => 'location /locked/ { deny all; mntreamer_api; }
               location /small/ { client_max_body_size 10; mntreamer_api; }');
my $id = $m->channel('nick');
$m->channel('other');
$m->channel('third');
$m->start;
$m->up;

my $api = '/api/v1/streamers';

sub is_error {
    my ($r, $status, $code, $name) = @_;
    is($r->{status}, $status, "$name: $status");
    is($r->{json}{error} // '', $code, "$name: $code") if $code;
    is($r->{json}{status} // 0, $status, "$name: the body says so")
        or diag $r->{content};
    ok(length($r->{json}{description} // ''), "$name: and why");
    like($r->{headers}{'content-type'} // '', qr{^application/(problem\+)?json},
         "$name: as JSON");
}

# one streamer, however often and in whatever form it is asked for

my $r = $m->call(POST => $api, { platform => 'chzzk', channel => $id });
is($r->{status}, 201, 'added by id');
my $s = $r->{json};
is($s->{channel_id}, $id, 'its id');
is($s->{channel_name}, 'nick', 'its name was looked up');
is($s->{source}, 'api', 'its source');

for my $form ({ platform => '치지직', channel => 'nick' },
              { platform => '1', channel => "https://chzzk.naver.com/live/$id" },
              { url => "https://chzzk.naver.com/$id" },
              { platform => 'chzzk', channel => uc $id })
{
    $r = $m->call(POST => $api, $form);
    is($r->{status}, 200, 'there already') or diag $r->{content};
    is($r->{json}{id}, $s->{id}, 'the same one');
}
is($m->one('SELECT count(*) FROM streamer'), 1, 'exactly one row');
is($m->one('SELECT count(*) FROM streamer_monitor'), 1, 'and one to watch it');

# twice at once

my $third = $m->channel('third');
my @pid = map {
    my $pid = fork;
    if (!$pid) {
        my $x = MNT::call($m, POST => $api, { platform => 'chzzk',
                                              channel => $third });
        POSIX::_exit($x->{success} ? 0 : 1);
    }
    $pid;
} 1 .. 8;
my $failed = 0;
for (@pid) { waitpid $_, 0; $failed++ if $? }
is($failed, 0, 'eight at once all succeed');
is($m->one("SELECT count(*) FROM streamer WHERE channel_id = '$third'"), 1,
   'and leave one');

# many at once

$r = $m->call(POST => $api, { items => [
    { platform => 'chzzk', channel => 'other' },
    { platform => 'chzzk', channel => 'nobody at all' },
    { platform => 'nowhere', channel => 'x' },
    { url => 'https://example.com/x' } ] });
is($r->{status}, 200, 'many at once');
is(join(' ', map { $_->{status} } @{ $r->{json}{items} }),
   '201 404 400 400', 'each with its own answer') or diag $r->{content};

# errors leave nothing behind

my $before = $m->one('SELECT count(*) FROM streamer');
my @bad = (
    [{ platform => 'nowhere', channel => 'x' }, 400, 'unknown platform'],
    [{ platform => 'chzzk', channel => 'f' x 32 }, 404, 'unknown channel'],
    [{ platform => 'chzzk', channel => 'no such nickname' }, 404, 'nickname'],
    [{ platform => 'chzzk' }, 400, 'no channel'],
    [{ platform => 'chzzk', channel => '' }, 400, 'empty channel'],
    [{ platform => 'chzzk', channel => $id, priority => 'high' }, 400, 'type'],
    [{ platform => 'chzzk', channel => $id, priority => 1e9 }, 400, 'range'],
    [{ platform => 'chzzk', channel => $id, quality => '9000k' }, 400, 'quality'],
    [{ platform => 'chzzk', channel => $id, colour => 'red' }, 400, 'field'],
    [{ platform => 5, channel => $id }, 400, 'a number'],
    ['[1,2', 400, 'no JSON'], ['[]', 400, 'an array'], ['', 400, 'nothing'],
    ['[' x 50000 . ']' x 10000, 400, 'depth'],
    ['{"platform":"chzzk","platform":"hls","channel":"x"}', 400, 'twice'],
    ["{\"platform\":\"chzzk\",\"channel\":\"a\\u0000b\"}", 400, 'NUL'],
    ["{\"platform\":\"chzzk\",\"channel\":\"\xff\xfe\"}", 400, 'no UTF-8'],
    ['{"platform":"chzzk","channel":"' . 'x' x 70000 . '"}', 413, 'too large'],
);
for (@bad) {
    my ($body, $status, $name) = @$_;
    is_error($m->call(POST => $api, $body), $status, undef, $name);
}
is($m->one('SELECT count(*) FROM streamer'), $before, 'no row was left');

my @sql = ("'; DROP TABLE streamer; --", '$1', "\\'; SELECT 1", '%27', '{1,2}');
for (@sql) {
    $r = $m->call(POST => $api, { platform => 'chzzk', channel => $_ });
    is($r->{status}, 404, 'SQL is a nickname nobody has');
}

# read, change, remove

is($m->get("$api/$s->{id}")->{status}, 200, 'one');
$r = $m->call(PATCH => "$api/$s->{id}", { priority => 5, quality => '720p',
              nickname => '별명', monitored => JSON::PP::false });
is($r->{status}, 200, 'changed');
is($r->{json}{priority}, 5, 'priority');
is($r->{json}{quality}, '720p', 'quality');
is($r->{json}{nickname}, '별명', 'nickname');
ok(!$r->{json}{monitored}, 'paused');
is_error($m->call(PATCH => "$api/$s->{id}", { id => 9 }), 400, undef, 'id');
is_error($m->call(PATCH => "$api/999999", { priority => 1 }), 404,
         'streamer_not_found', 'unknown');
is_error($m->call(GET => "$api/999999"), 404, 'streamer_not_found', 'unknown');
for my $x ('abc', '-1', '0', '99999999999999999999', '1%00') {
    my $e = $m->call(GET => "$api/$x");
    ok($e->{status} == 400 || $e->{status} == 404, "id $x: $e->{status}");
    ok($e->{json}{error}, 'as JSON');
}

# lists and pages

my %seen;
my $next = "$api?limit=1";
for (1 .. 10) {
    my $l = $m->json($next) or last;
    $seen{ $_->{id} }++ for @{ $l->{items} };
    last unless $l->{next};
    $next = "$api?limit=1&after=$l->{next}";
}
is(scalar(keys %seen), $before, 'pages give each one');
is(scalar(grep { $_ != 1 } values %seen), 0, 'once');
is(scalar @{ $m->json("$api?platform=chzzk&monitored=false")->{items} }, 1,
   'filters');
is_error($m->call(GET => "$api?limit=x"), 400, undef, 'limit');
is_error($m->call(GET => "$api?limit=100000"), 400, undef, 'large limit');
is_error($m->call(GET => "$api?nonsense=1"), 400, undef, 'parameter');
is_error($m->call(GET => '/api/v1/recordings?status=strange'), 400, undef,
         'status');
is_error($m->call(GET => '/api/v1/recordings?since=yesterday'), 400, undef,
         'date');
is_error($m->call(GET => '/api/v1/recordings/5'), 404, 'recording_not_found',
         'recording');

# nothing is changed by GET, or by another site, or by a form

is_error($m->call(GET => '/api/v1/nothing'), 404, undef, 'route');
my $put = $m->call(PUT => $api, '{}');
is_error($put, 405, undef, 'method');
like($put->{headers}{allow}, qr/GET.*POST/, 'Allow tells');
my $body = encode_json({ platform => 'chzzk', channel => $id });
is_error($m->call(POST => $api, $body, origin => 'https://evil.example'), 403,
         undef, 'another origin');
is_error($m->call(POST => $api, $body, origin => 'null'), 403, undef, 'null');
is_error($m->call(POST => $api, $body,
                  origin => "http://127.0.0.1:$m->{port}.evil.example"), 403,
         undef, 'a lookalike');
is_error($m->call(POST => $api, $body, 'sec-fetch-site' => 'cross-site'), 403,
         undef, 'cross-site');
is($m->call(POST => $api, $body,
            origin => "http://127.0.0.1:$m->{port}")->{status},
   200, 'its own origin');
for my $t ('text/plain', 'application/x-www-form-urlencoded',
           'multipart/form-data; boundary=x')
{
    is_error($m->call(POST => $api, $body, 'content-type' => $t), 415, undef,
             $t);
}
is_error($m->call(DELETE => "$api/$s->{id}", undef,
                  origin => 'https://evil.example'), 403, undef, 'DELETE');

# nginx's own errors are JSON too

is_error($m->call(GET => '/locked/v1/streamers'), 403, undef, 'deny');
is_error($m->call(POST => '/small/v1/streamers', $body), 413, undef, 'size');

is($m->call(DELETE => "$api/$s->{id}")->{status}, 204, 'removed');
is($m->call(DELETE => "$api/$s->{id}")->{status}, 404, 'once');

# a platform that does not answer

$m->fault(match => '/service/v1/', status => 500, times => 1);
my $e = $m->call(POST => $api, { platform => 'chzzk', channel => $id });
ok($e->{status} == 502 || $e->{status} == 503, 'a platform that fails: no row')
    or diag $e->{content};
is($m->one("SELECT count(*) FROM streamer WHERE channel_id = '$id'"), 0,
   'none');

my $h = $m->call(GET => '/health');
is($h->{status}, 200, 'healthy');
is($h->{json}{database}, 'up', 'with its database');
ok($h->{json}{disk}{free} > 0, 'and disk');

$m->finish;
