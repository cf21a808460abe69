use strict;
use warnings;
use lib 't/lib';
use MNT;
use IO::Socket::INET;
use JSON::PP;
use Test::More;

# RELIABILITY S1 to S6: no address but public ones and fetch_allow, on every hop
# and in every spelling; cookies only to the API's host; no proxy from outside.

my $trap = IO::Socket::INET->new(LocalAddr => '127.0.0.2', Listen => 50,
                                 Proto => 'tcp') or plan skip_all => 'no trap';
my $tp = $trap->sockport;

$ENV{http_proxy} = $ENV{HTTP_PROXY} = $ENV{ALL_PROXY} = "http://127.0.0.2:$tp";

my $m = MNT->new(workers => 1, backoff => '200ms*9 2h',
                 mntreamer => 'poll_rate 500r/s;',
                 main => 'env http_proxy; env ALL_PROXY;');
spew("$m->{dir}/cookies", "NID_AUT=topsecretcookie; NID_SES=topsecretsession\n");
my $conf = $m->config;
$conf =~ s/fetch_allow\s+127\.0\.0\.0\/8/fetch_allow 127.0.0.1/;
$conf =~ s/(platform chzzk \{)/$1 cookies $m->{dir}\/cookies;/;
$m->{raw_config} = $conf;

my @host = ('127.0.0.2', '2130706434', '0x7f000002', '0177.0.0.2', '127.2',
            '[::ffff:127.0.0.2]', '[::ffff:7f00:2]', '[64:ff9b::7f00:2]',
            '0.0.0.0', '[::]', '[::1]', '10.0.0.1', '192.168.0.1',
            '169.254.169.254', '100.64.0.1', '[fe80::1]', '[fc00::1]',
            '224.0.0.1', 'localhost');

my $i = 0;
my %id;
for my $h (@host) {
    $id{"t$i"} = $m->channel("t$i", live => 1, dur => 0.5,
                             media_host => "http://$h:$tp");
    $i++;
}
for my $u ('file:///etc/passwd', 'ftp://127.0.0.1/x', 'gopher://127.0.0.1:1/x',
           'FILE:///etc/passwd', 'dict://127.0.0.1:1/x', "javascript:alert(1)",
           "http://user:pw\@127.0.0.1:$m->{origin_port}")
{
    $id{"t$i"} = $m->channel("t$i", live => 1, media_host => $u);
    $i++;
}
# files that are there and readable: none of them is opened
my $body = $m->segment('good', '1080p60', 1);
spew("$m->{dir}/real.ts", $body);
my $list = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://$m->{dir}/real.ts\n";
spew("$m->{dir}/real.m3u8", $list);
utime 1000, 2000, "$m->{dir}/real.ts", "$m->{dir}/real.m3u8";
for my $what ('media', 'master', 'seg') {
    $id{"file-$what"} = $m->channel("file-$what", live => 1, dur => 0.5);
}
$m->fault(match => '/hls/file-media/media', times => -1, body => $list);
$m->fault(match => '/hls/file-master/master', times => -1,
          body => "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n"
                  . "file://$m->{dir}/real.m3u8\n");
$m->fault(match => '/hls/file-seg/seg', times => -1,
          location => "file://$m->{dir}/real.ts");
# redirects to the trap, of a playlist, a segment, a key, an init section
$id{redirect} = $m->channel('redirect', live => 1, dur => 0.5);
$m->fault(match => '/hls/redirect/seg', times => -1,
          location => "http://127.0.0.2:$tp/x");
$id{master} = $m->channel('master', live => 1, dur => 0.5);
$m->fault(match => '/hls/master/master', times => -1,
          location => "http://127.0.0.2:$tp/x");
$id{good} = $m->channel('good', live => 1, dur => 0.5);

$m->start;
$m->up;
$m->call(POST => '/api/v1/streamers', { items => [
    map { { platform => 'chzzk', channel => $id{$_} } } sort keys %id ] });

wait_for(sub {
    my ($r) = grep { $_->{channel_name} eq 'good' } @{ $m->recordings };
    $r && $r->{segments} > 8
}, 'an honest channel is recorded meanwhile', 30);

for my $h (grep { $_ ne 'localhost' } @host) {
    my $x = $m->call(POST => '/api/v1/streamers',
        { platform => 'hls', channel => "http://$h:$tp/x.m3u8" });
    ok($x->{status} == 400 && $x->{content} =~ /fetch_allow/,
       "$h is refused at once") or diag "$x->{status} $x->{content}";
}
$m->fault(match => '/elsewhere', times => -1,
          location => "http://127.0.0.2:$tp/x.m3u8");
is($m->call(POST => '/api/v1/streamers', { platform => 'hls',
    channel => "http://127.0.0.1:$m->{origin_port}/elsewhere.m3u8" })->{status},
   201, 'one that is listed is not');
wait_for(sub {
    $m->one("SELECT count(*) FROM streamer_monitor m JOIN streamer s"
        . " ON s.id = m.streamer_id WHERE s.channel_id LIKE '%elsewhere%'"
        . " AND m.check_at > now() + interval '4 minutes'")
}, 'what turns out to be forbidden is asked about less often');

$trap->blocking(0);
ok(!$trap->accept, 'nothing ever connected to a forbidden address');

is(join(' ', map { (stat "$m->{dir}/$_")[8] } 'real.ts', 'real.m3u8'),
   '1000 1000', 'nor read a file of this machine');

my @r = grep { $_->{segments} > 0 && $_->{channel_name} ne 'good' }
    @{ $m->recordings };
is(scalar @r, 0, 'none of them made a recording');

my ($api, $media) = (0, 0);
for (@{ $m->served }) {
    next unless $_->{path};
    my $c = ($_->{cookie} // '') =~ /topsecret/;
    $_->{path} =~ m{^/(polling|service)/} ? ($api += $c) : ($media += $c);
}
cmp_ok($api, '>', 0, 'the API gets the cookies');
is($media, 0, 'no media request does');
unlike($m->log, qr/topsecret/, 'nor does the log');
unlike($m->get('/metrics')->{content}, qr/topsecret/, 'nor the metrics');

$m->finish;
