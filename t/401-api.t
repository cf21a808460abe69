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
