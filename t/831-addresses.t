use strict;
use warnings;
use lib 't/lib';
use IO::Socket::INET;
use JSON::PP;
use MNT;
use MNTRTMP;
use Test::More;

# ING-04: the answer that shows a key says where to send to, by the name the
# page is called by or as configured; whether there is a key is told, the key is
# not.

my $m = MNTRTMP->new(workers => 2, record => 0, server => <<'END');
        location /given/ { mntreamer_api ingest=rtmps://live.example:443/my/app;
                           limit_except GET { allow all; } }
END
$m->start;
$m->up;

my $api = '/api/v1/streamers';
my $id = $m->call(POST => $api, { platform => 'rtmp', channel => 'studio' })
    ->{json}{id};

sub state_of {
    my ($path) = @_;
    my $r = $m->call(GET => $path // "$api/$id/key");
    my $j = $r->{json};
    return join ' ', $r->{status}, map { ref $_ ? ($$_ ? 'yes' : 'no') : $_ // '-' }
        @$j{qw(streamer_id server)}, $j->{made_at} ? 'made' : 'none',
        $j->{one_time};
}

my $here = 'rtmp://127.0.0.1:1935/ingest';
is(state_of(), "200 $id $here none no", 'no key yet');
my $r = $m->call(POST => "$api/$id/key");
is("$r->{json}{streamer_id} $r->{json}{server}", "$id $here",
   'a key and where to send to');
push @{ $m->{secrets} }, $r->{json}{key};
my $first = $m->json("$api/$id/key")->{made_at};
is(state_of(), "200 $id $here made no", 'it was made');
unlike($m->get("$api/$id/key")->{content}, qr/$r->{json}{key}/,
       'and is not told');
is($m->get("$api/$id/key")->{headers}{'cache-control'}, 'no-store',
   'nor stored on the way');
$m->key($id);
isnt($m->json("$api/$id/key")->{made_at}, $first, 'another one');
$r = $m->call(POST => "$api/$id/password");
push @{ $m->{secrets} }, $r->{json}{password};
is(state_of(), "200 $id $here made yes", 'it wants a password');
$m->call(DELETE => "$api/$id/password");
is(state_of(), "200 $id $here made no", 'no more');
$m->call(DELETE => "$api/$id/key");
is(state_of(), "200 $id $here none no", 'revoked');

# by another name

sub as {
    my ($host, $version, $path) = @_;
    my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$m->{port}") or die $!;
    $path //= "$api/$id/key";
    print $c "GET $path HTTP/$version\r\n",
        defined $host ? "Host: $host\r\n" : '', "Connection: close\r\n\r\n";
    local $/;
    my ($body) = <$c> =~ /\r\n\r\n(.*)/s;
    return eval { decode_json($body)->{server} } // 'none';
}

is(as('live.example', '1.1'), 'rtmp://live.example:1935/ingest', 'by its name');
is(as("live.example:$m->{port}", '1.1'), 'rtmp://live.example:1935/ingest',
   'whatever port the page has');
is(as('[::1]:8080', '1.1'), 'rtmp://[::1]:1935/ingest', 'an address of IPv6');
is(as(undef, '1.0'), $here, 'without a name');
is(as($_, '1.1'), 'none', "not as $_")
    for 'a b', "a\0b", 'a/b';
is(as('"><x', '1.1'), 'rtmp://"><x:1935/ingest', 'markup is text');

# as configured

is(state_of("/given/v1/streamers/$id/key"),
   "200 $id rtmps://live.example:443/my/app none no", 'the one that is given');
$r = $m->call(POST => "/given/v1/streamers/$id/key");
is($r->{json}{server}, 'rtmps://live.example:443/my/app',
   'also within limit_except');
push @{ $m->{secrets} }, $r->{json}{key};

for my $bad ('ingest=', 'ingest=http://a/b', 'ingest=rtmp://a', 'ingest=rtmp:///b',
             'ingest=rtmp://a/', 'ingest=rtmp://u:p@a/b', 'ingest=rtmp://a/b?k=1',
             '"ingest=rtmp://a/b c"', 'ingest=rtmp://a/' . 'b' x 250, 'x=1',
             'ingest=rtmp://a/b x')
{
    local $m->{server} = "location /bad/ { mntreamer_api $bad; }";
    spew("$m->{dir}/bad.conf", $m->config);
    my $out = `$MNT::NGINX -t -p $m->{dir} -e $m->{dir}/logs/bad.log -c $m->{dir}/bad.conf 2>&1`;
    like($out, qr/\[emerg\].*(?:mntreamer_api|"ingest")/, "refused: $bad");
}

# of others

my $chzzk = $m->watch('somebody')->{id};
is($m->call(GET => "$api/$chzzk/key")->{json}{error}, 'conflict',
   'a channel of a platform has none');
is($m->call(GET => "$api/999/key")->{json}{error}, 'streamer_not_found',
   'nobody has none');
is($m->call(GET => "$api/$id/key?x=1")->{status}, 400, 'no parameter');

$m->no_secrets;
$m->finish;
