use strict;
use warnings;
use lib 't/lib';
use JSON::PP;
use MNT;
use MNTRTMP;
use Test::More;

# ING-03, ING-04, S20: keys and one-time passwords are shown in the answer that
# made them and never again, a new key ends the old one, a revoked one closes its
# publisher; the monitor asks nobody about a channel of our own.

my $m = MNTRTMP->new(workers => 2, backoff => '100ms',
    mntreamer => 'streamer rtmp Lobby name=hall;');
$m->start;
$m->up;

my $api = '/api/v1/streamers';

# channels

my $r = $m->call(POST => $api, { platform => 'rtmp', channel => ' Studio_1 ' });
is($r->{status}, 201, 'a channel of our own');
is($r->{json}{channel_id}, 'studio_1', 'by a plain name');
my $id = $r->{json}{id};
is($m->call(POST => $api, { platform => 3, channel => 'STUDIO_1' })->{json}{id},
   $id, 'once');
is($m->call(POST => $api, { platform => 'rtmp', channel => $_ })->{json}{error},
   'bad_channel', "\"$_\" is none")
    for 'a b', '../x', 'rtmp://127.0.0.1/live/x', 'x' x 65;
is(join(' ', map { $_->{channel_id} }
        @{ $m->json("$api?platform=rtmp")->{items} }), 'lobby studio_1',
   'also from nginx.conf');

# keys

my $key = $m->key($id);
my $new = $m->key($id);
isnt($new, $key, 'another key each time');
$r = $m->call(POST => "$api/$id/key");
push @{ $m->{secrets} }, $r->{json}{key};
is($r->{headers}{'cache-control'}, 'no-store', 'never stored on the way');
is(join(' ', sort keys %{ $r->{json} }), 'key server streamer_id',
   'and no more');
is($m->one("SELECT count(*) FROM stream_key WHERE streamer_id = $id
            AND revoked_at IS NULL"), 1, 'one is good');
$key = $r->{json}{key};

is($m->call(POST => "$api/999/key")->{status}, 404, 'a key of nobody');
my $chzzk = $m->watch('somebody')->{id};
is($m->call(POST => "$api/$chzzk/$_")->{json}{error}, 'conflict',
   "a $_ for a channel of a platform") for 'key', 'password';
is($m->call(DELETE => "$api/$chzzk/key")->{status}, 409, 'nor is it revoked');
is($m->call(POST => "$api/0/key")->{status}, 400, 'no id');
is($m->call(POST => "$api/$id/keys")->{status}, 405, 'no such address');
$r = $m->call(PUT => "$api/$id/key");
is("$r->{status} $r->{headers}{allow}", '405 GET, HEAD, POST, DELETE',
   'its methods');
$r = $m->call(GET => "$api/$id/key");
is(join(' ', sort keys %{ $r->{json} }), 'made_at one_time server streamer_id',
   'the key itself is not to be read');
is($m->call(POST => "$api/$id/key?x=1")->{status}, 400, 'no parameter');
is($m->call(POST => "$api/$id/key", undef,
            Origin => 'http://evil.example')->{status}, 403, 'no other site');

# a publisher, by hand: the answers of the hook say it all

my $client = 0;

sub hook {
    my ($call, $name, $clientid, $pw) = @_;
    return $m->{http_client}->post("http://127.0.0.1:$m->{hook_port}/rtmp",
        { content => "app=ingest&addr=127.0.0.1&clientid=$clientid&call=$call"
            . "&name=$name" . (defined $pw ? "&pw=$pw" : '') })->{status};
}

sub begins { return hook('publish', $_[0], ++$client, $_[1]) }

sub ends {
    hook('publish_done', $_[0], $client);
    wait_for(sub { !$m->on_air({ id => $id }) }, 'it ends');
}

$m->{http_client} = HTTP::Tiny->new(timeout => 10, max_redirect => 0,
    keep_alive => 0);

is(begins($new), 403, 'a key that was replaced is no good');
is(begins($key), 302, 'the newest is');
$new = $m->key($id);
is(hook('update_publish', $key, $client), 204,
   'a new key leaves alone who is on the air');
ends($key);
is(begins($key), 403, 'but not again');

is(begins($new), 302, 'with the new one');
is($m->call(DELETE => "$api/$id/key")->{status}, 204, 'revoked');
is(hook('update_publish', $new, $client), 403, 'closes who is on the air');
ends($new);
is($m->one('SELECT reason FROM broadcast ORDER BY id DESC LIMIT 1'), 'refused',
   'as refused');
is(begins($new), 403, 'and admits nobody');
is($m->call(DELETE => "$api/$id/key")->{status}, 409, 'there is none any more');
is($m->call(POST => "$api/$id/password")->{status}, 409,
   'nor a password without a key');

# passwords

$key = $m->key($id);

sub password {
    my $r = $m->call(POST => "$api/$id/password");
    return "$r->{status}" if $r->{status} != 201;
    push @{ $m->{secrets} }, $r->{json}{password};
    return $r->{json}{password};
}

my $pw = password();
like($pw, qr/^[0-9a-f]{32}$/, 'a password of 128 bits');
is(password(), 409, 'one at a time');
is(begins($key), 403, 'the key alone admits nobody now');
is(begins($key, "${pw}x"), 403, 'nor with another password');
is(begins($key, ''), 403, 'nor an empty one');
is(begins($key, $pw), 302, 'once with it');
ends($key);
is(begins($key, $pw), 403, 'not twice');
is(begins($key), 403, 'nor without');

$pw = password();
is(begins($key, $pw), 302, 'another one');
my $live = $client;
$pw = password();
is(begins($key, $pw), 403, 'refused when on the air already');
hook('publish_done', $key, $live);
wait_for(sub { !$m->on_air({ id => $id }) }, 'it ends');
is(begins($key, $pw), 302, 'leaves the password unused');
ends($key);

$pw = password();
$m->psql("UPDATE stream_key SET password_until = now() - interval '1 s'
          WHERE password IS NOT NULL");
is(begins($key, $pw), 403, 'one that is too old');
$pw = password();
isnt($pw, 409, 'may be followed by another');
$key = $m->key($id);
is(begins($key, $pw), 403, 'it was for the key before');
is(begins($key), 403, 'and a new key wants one, too');
$pw = password();
is($m->call(DELETE => "$api/$id/password")->{status}, 204, 'reset');
is(begins($key), 302, 'the key alone is enough again');
ends($key);
isnt(password(), 409, 'and another one may be made');

# nobody was asked about it, and it goes with its streamer

is($m->one("SELECT count(*) FROM streamer_monitor m JOIN streamer s
            ON s.id = m.streamer_id WHERE s.platform = 3
            AND (m.last_at IS NOT NULL OR m.owner IS NOT NULL)"), 0,
   'never asked about');
is($m->call(PATCH => "$api/$id", { nickname => 'N', priority => 3 })->{status},
   200, 'it may be changed');
$m->call(DELETE => "$api/$id/password");
is(begins($key), 302, 'on the air');
ok($m->call(PATCH => "$api/$id", { monitored => JSON::PP::false })
       ->{json}{is_streaming}, 'and stays so when it is paused');
is($m->call(DELETE => "$api/$id")->{status}, 204, 'deleted');
is(hook('update_publish', $key, $client), 403, 'closes its publisher');
is(begins($key), 403, 'and its key is unknown');

$m->no_secrets;
$m->finish;
