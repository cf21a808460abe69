use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# RELIABILITY S4, S6, S7: cookies go to the API's host alone, whatever it answers
# and in whatever order API and media are asked; what servers say in their
# headers is bounded and stays out of our log and our answers.

my $m = MNT->new(workers => 1, backoff => '100ms*999',
                 mntreamer => 'poll_rate 500r/s;');
spew("$m->{dir}/cookies", "NID_AUT=topsecretcookie; NID_SES=topsecretsession\n");
$m->{raw_config} = $m->config
    =~ s/(platform chzzk \{)/$1 cookies $m->{dir}\/cookies;/r;

my @off = map { $m->channel("off$_") } 1 .. 12;
my $moved = $m->channel('moved');
my $odd = $m->channel('odd');
my $second = $m->tell('/_/listen')->{port};
$m->channel('one', live => 1, dur => 0.25, window => 12, key => 'explicit');
$m->channel('two', live => 1, dur => 0.25, window => 12, key => 'explicit',
            media_host => "http://127.0.0.1:$second");
$m->fault(match => "$moved/", times => -1,
          location => "http://127.0.0.1:$second/stolen");
$m->fault(match => '/hls/two/seg/\w+-0-3\.', times => -1,
          location => "http://127.0.0.2:$m->{origin_port}/stolen-media");
$m->start;
$m->up;

# a thousand requests of both kinds, through the same handles

$m->call(POST => '/api/v1/streamers', { items => [
    map { { platform => 'chzzk', channel => $_ } } @off, $moved ] });
$m->watch($_) for 'one', 'two';
wait_for(sub { @{ $m->served } >= 1000 }, 'a thousand requests', 30);

my ($api, $bare, $media, %to) = (0, 0, 0);
for (grep { $_->{path} } @{ $m->served }) {
    my $cookie = ($_->{cookie} // '') =~ /topsecret/;
    if ($_->{path} =~ m{^/(?:polling|service)/}) {
        $cookie ? $api++ : $bare++;
    } else {
        $media++;
        $to{ $_->{path} }++ if $_->{cookie};
    }
}
cmp_ok($api, '>', 300, 'the API gets the cookies');
is($bare, 0, '... each time');
cmp_ok($media, '>', 30, 'media are had meanwhile');
is(join(' ', sort keys %to), '/hls/one/key',
   '... without a cookie, but for a key on the very host of the API');
is(scalar(grep { $_->{path} =~ /stolen$/ } @{ $m->served }), 0,
   'a redirect of the API is not followed');

# headers

my %hostile = (
    'colour' => { headers => { 'Content-Type' => "video/mp2t\x1b[31m\x07" } },
    'folded' => { headers => { 'X-A' => "1\r\n folded [alert] 1#1: forged" } },
    'forged' => { location => "/x\n2026/11/21 00:00:00 [alert] 1#1: forged" },
    'reason' => { raw => "HTTP/1.1 200 O\x1b[2JK\x07\r\nContent-Length: 0",
                  cut => 0 },
    'long'   => { headers => { map { ("X-$_" => 'y' x 6000) } 1 .. 20 } },
    'many'   => { headers => { map { ("X-$_" => 'y') } 1 .. 9000 } },
    'one'    => { headers => { 'X-Long' => 'y' x 200_000 } },
    'place'  => { location => 'http://127.0.0.1/' . 'y' x 60_000 },
    'range'  => { headers => { 'Content-Range' => "bytes 0-\x1b[31m/\xff" } },
    'later'  => { status => 429, headers => { 'Retry-After' => "\x1b[31m1" } },
    'number' => { raw => "HTTP/1.1 99999999999999999999 X", cut => 0 },
    'none'   => { raw => "\x00\x01\x02\x1b[31m\n\n", cut => 0, rst => 1 },
);
my $worker = join ' ', $m->workers_of;
my ($n) = map { $_->{segments} } grep { $_->{channel_name} eq 'one' }
    @{ $m->recordings };
for my $name (sort keys %hostile) {
    $m->heal;
    $m->fault(match => '/hls/two/|/polling/.*' . $off[0], times => 3,
              %{ $hostile{$name} });
    wait_for(sub { $m->tell('/_/faults')->[0]{hit} >= 3 }, "headers: $name");
}
$m->heal;
wait_for(sub { grep { $_->{channel_name} eq 'one' && $_->{segments} > $n + 8 }
                   @{ $m->recordings } }, 'another recording goes on');
is(join(' ', $m->workers_of), $worker, 'no worker died');
my $said = join '', map { $m->get($_)->{content} }
    '/metrics', '/api/v1/streamers', '/api/v1/recordings';
unlike($said, qr/forged|[\x00-\x08\x0b-\x1f]|\\u001b/, 'no answer has them');
ok($m->stop, 'nginx ends by itself');
my @line = split /\n/, $m->log;
is(scalar(grep { !m{^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[} || /^\S+ \S+ \[alert/ }
          @line), 0, 'no line of the log is theirs');
is(scalar(grep { /[\x00-\x08\x0b-\x1f\x7f]/ } @line), 0, 'nor a byte');
cmp_ok((sort { $b <=> $a } map { length } @line)[0], '<', 1024,
       'none is longer than 1 kB');
unlike($m->log, qr/topsecret/, 'no cookie in it');

$m->finish;
