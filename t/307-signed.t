use strict;
use warnings;
use lib 't/lib';
use MNT;
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex);
use File::Path qw(make_path);
use IO::Socket::INET;
use IO::Uncompress::Gunzip qw(gunzip);
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Socket;
use Test::More;
use Time::HiRes qw(sleep time);

# VOD-04, U6 and RELIABILITY S24: a signed location serves nothing without a
# link that holds, every address of a playlist carries it on, in each form of a
# playlist; keys are replaced without breaking links, and caches in front
# neither break nor extend one.  Bits are flipped in t/unit/base/sign.c.

my $DIR = '{dir}';
my $m = MNT->new(workers => 2, http => <<'END', server => <<'END2');
    gzip_types application/vnd.apple.mpegurl; gzip_min_length 500;
    proxy_cache_path {dir}/cache keys_zone=cdn:1m;
    mntreamer_sign file:{dir}/key-a;
    server {
        listen 127.0.0.1:{cdn};
        location / {
            proxy_pass http://127.0.0.1:{port};
            proxy_cache cdn;
            proxy_cache_revalidate on;
            proxy_http_version 1.1;
            add_header X-Cache $upstream_cache_status always;
        }
    }
    server {
        listen 127.0.0.1:{other};
        mntreamer_sign off;
        location /api/ { mntreamer_api; }
    }
    server {
        listen 127.0.0.1:{slow} sndbuf=8k;
        location /signed/ { mntreamer_recordings; }
    }
END
        mntreamer_sign off;
        location /signed/ {
            mntreamer_recordings;
            mntreamer_sign {keys};
            gzip on;
        }
        location /nested {
            mntreamer_recordings;
            mntreamer_sign {keys};
            if ($arg_x) { add_header X-If 1; }
            limit_except HEAD { allow all; }
        }
        location /either/ {
            mntreamer_recordings;
            mntreamer_sign {keys};
            satisfy any;
            allow 127.0.0.1;
            deny all;
        }
        location /both/ {
            mntreamer_recordings;
            mntreamer_sign {keys};
            deny 127.0.0.1;
        }
        location /moved/ { rewrite ^/moved/(.*)$ /signed/$1 last; }
END2

my %KEY = (a => 'first-key-0123456789abcdef0123456789abcdef',
           b => "second key with spaces and \"quotes\" 0123456789");
my %place = (dir => $m->{dir}, port => $m->{port}, cdn => free_port(),
             other => free_port(), slow => free_port());
my ($http, $server) = @$m{qw(http server)};
sub keys_are {
    $place{keys} = join ' ', map { "file:$m->{dir}/key-$_" } @_;
    @$m{qw(http server)} = ($http, $server);
    s/\{(\w+)\}/$place{$1}/g for @$m{qw(http server)};
    $m->write_config;
}
for (keys %KEY) {
    spew("$m->{dir}/key-$_", "$KEY{$_}\n");
    chmod 0600, "$m->{dir}/key-$_";
}
keys_are('a');

sub base64url { return encode_base64($_[0], '') =~ tr{+/=}{-_}dr }
sub token {
    my ($dir, %o) = @_;
    my $key = $KEY{$o{key} // 'a'};
    my $id = substr hmac_sha256_hex('mntreamer key', $key), 0, 8;
    my $at = $o{at} // int(time + ($o{for} // 600));
    my $text = join "\n", 'mntreamer-1', 'GET', $dir, $at, $id, $o{address} // '';
    return join '.', $o{address} ? '1a' : '1', $at, $id,
        base64url(hmac_sha256($text, $key));
}

# what "nginx -t" says of keys; none is shown

sub says {
    my ($value, $want) = @_;
    my $was = $m->{server};
    $m->{server} =~ s/mntreamer_sign file:[^;]*;/mntreamer_sign $value;/;
    my ($rc, $text) = $m->check;
    $m->{server} = $was;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    isnt($rc, 0, "refused: mntreamer_sign " . substr($value, 0, 30) =~ s/.*\///r);
    like($text, $want, '... and why');
    unlike($text, qr/\Q$KEY{a}\E|a-short-key/, '... without the key');
}
spew("$m->{dir}/key-short", 'a-short-key-of-31-bytes-0123456');
spew("$m->{dir}/key-empty", "\n");
says($KEY{a}, qr/wants keys as "file:PATH" or "env:NAME"/);
says("file:$m->{dir}/key-short", qr/a key of less than 32 bytes/);
says("file:$m->{dir}/key-empty", qr/a key of less than 32 bytes/);
says("file:$m->{dir}/key-none", qr/open\(\) .*key-none" failed/);
says('env:MNT_NO_SUCH_KEY', qr/the environment has no/);
says("file:$m->{dir}/key-a file:$m->{dir}/key-a", qr/the same key twice/);
says("file:$m->{dir}/key-a off", qr/wants keys as/);
is(($m->check)[0], 0, 'right ones are taken');
spew("$m->{dir}/logs/nginx.out", '');
$m->nginx('-T');
my $dump = slurp("$m->{dir}/logs/nginx.out");
like($dump, qr/mntreamer_sign file:/, 'nginx -T shows where a key is');
unlike($dump, qr/\Q$KEY{a}\E/, 'and not the key');

# recordings by hand

sub put {
    my ($dir, %file) = @_;
    make_path("$m->{storage}/$dir");
    spew("$m->{storage}/$dir/$_", $file{$_}) for keys %file;
}
my $media = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n"
    . "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
    . "#EXT-X-MAP:URI=\"init-1.mp4\"\n#EXTINF:2.000000,\n000001.m4s\n"
    . "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"init-2.mp4\"\n"
    . "#EXTINF:2.000000,\n000002.m4s\n";
my $KEYS = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
    . "#EXT-X-KEY:METHOD=AES-128,URI=\"https://keys.example/1\",IV=0x1\n"
    . "#EXT-X-KEY:METHOD=AES-128,URI=\"a.vtt\"\n#EXTINF:2,\n000001.m4s\n"
    . "#EXTINF:2,\nhttps://cdn.example/2.ts\n#EXT-X-ENDLIST\n";
my $multi = "#EXTM3U\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MEDIA:TYPE=AUDIO,"
    . "GROUP-ID=\"a\",NAME=\"a,URI=b\",URI=\"audio-1.m3u8\"\n"
    . "#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1,mp4a\",AUDIO=\"a\"\nvideo.m3u8\n";
my %one = ('000001.m4s' => 'm' x 5000, '000002.m4s' => 'n' x 5000,
           'init-1.mp4' => 'i', 'init-2.mp4' => 'j', 'a.vtt' => 'k');
my $one = 'chzzk/c1/2026/01/02/1';
my $odd = "hls/\x{c2}\x{bf}\x{ed}\x{95}\x{9c} 100%?#&+/1";   # bytes of UTF-8
put($one, %one, 'index.m3u8' => $multi, 'video.m3u8' => $media,
    'audio-1.m3u8' => "$media#EXT-X-ENDLIST\n", 'keys.m3u8' => $KEYS,
    'thumbnail.jpg' => 'jpeg');
put('chzzk/c1/2026/01/02/2', %one);
put($odd, %one, 'index.m3u8' => "$media#EXT-X-ENDLIST\n");
my $entries = join '', map { sprintf "#EXTINF:2.000000,\n%06d.m4s\n", $_ } 1 .. 18_000;
my $long = $media =~ s/#EXTINF.*//sr . $entries;
put('long/1', 'index.m3u8' => $long, 'ended.m3u8' => "$long#EXT-X-ENDLIST\n",
    'torn.m3u8' => "${long}#EXTINF:2,\n0000");
spew("$m->{storage}/000009.ts", 'root');

# what a player makes of it: separate audio, fragmented MP4

my $play = 'hls/played/1';
make_path("$m->{storage}/$play");
system("cd '$m->{storage}/$play' && ffmpeg -v error -f lavfi -i testsrc=s=64x64:r=10:d=5 "
    . '-f lavfi -i sine=d=5 -map 0:v -map 1:a -c:v libx264 -preset ultrafast -g 10 '
    . '-c:a aac -f hls -hls_time 1 -hls_playlist_type vod -hls_segment_type fmp4 '
    . "-hls_fmp4_init_filename 'init-%v.mp4' -hls_segment_filename '%v-%06d.m4s' "
    . "-master_pl_name index.m3u8 -var_stream_map 'v:0,agroup:a a:0,agroup:a' "
    . "track-%v.m3u8 2>&1") == 0 or BAIL_OUT('ffmpeg');
system('chmod', '-R', 'a+rX', $m->{storage});
system('chown', '-R', 'nobody:nogroup', $m->{storage}) unless $>;

$m->channel(alpha => live => 1, dur => 1);
$m->start;
$m->up;
my $s = $m->watch('alpha');

sub from {
    my ($address, $path, %o) = @_;
    my $c = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Timeout => 5,
        PeerPort => $o{port} // $m->{port}, LocalAddr => $address) or die $!;
    my $how = $o{method} // 'GET';
    my $v = $o{version} // '1.1';
    print $c "$how $path HTTP/$v\r\nHost: x\r\nConnection: close\r\n\r\n";
    local $/;
    my ($head, $body) = split /\r\n\r\n/, <$c> // '', 2;
    return { status => $head =~ m{^HTTP/\S+ (\d+)} ? $1 : 0, head => $head,
             body => $body };
}
sub status { return from('127.0.0.1', @_)->{status} }

# what does not get in

my $good = token($one);
my $file = "/signed/$one/000001.m4s";
is(status("$file?token=$good"), 200, 'a link that holds');
my $r = $m->get($file);
is($r->{status}, 403, 'none');
is($r->{headers}{'cache-control'}, 'no-store', '... which no cache keeps');
my $flip = $good =~ s/(.)$/$1 eq 'A' ? 'B' : 'A'/er;
my $later = $good =~ s/^(1\.\d+)/$1 . '0'/er;
my %bad = (
    'empty' => '?token=', 'another word' => "?tokens=$good",
    'a letter changed' => "?token=$flip", 'lengthened' => "?token=$later",
    'expired' => '?token=' . token($one, for => -1),
    'of another directory' => '?token=' . token('chzzk/c1/2026/01/02/2'),
    'of the one above' => '?token=' . token('chzzk/c1/2026/01/02'),
    'with the prefix' => '?token=' . token("/signed/$one"),
    'of no key' => '?token=' . token($one, key => 'b'),
    'a second one is not looked at' => "?token=$flip&token=$good",
    'percent-encoded' => '?token=' . $good =~ s/\./%2E/gr,
    'in a fragment' => "#token=$good",
    'for another address' => '?token=' . token($one, address => '127.0.0.2'),
    'one more letter' => "?token=${good}A", 'one more dot' => "?token=$good.",
);
is(status($file . $bad{$_}), 403, "refused: $_") for sort keys %bad;
is(status("/signed/000009.ts?token=$_"), 403, 'nothing of the root itself')
    for token('.'), token('/');
is(status("/signed/$one/gone.m4s?token=$good"), 404, 'what is not there');
is(status("$file?token=$good", method => 'POST'), 405, 'only to be read');
is(status("$file?token=$good", method => 'HEAD'), 200, 'HEAD, too');
is(status("$file?x=1&token=$good&y=2"), 200, 'among others');

# paths that lead elsewhere are those that they lead to

my $two = '/signed/chzzk/c1/2026/01/02/2';
is(status("$_/000001.m4s?token=$good"), 403, "refused: $_")
    for "/signed/$one/../2", "/signed/$one/%2e%2e/2", "/signed/$one%2f..%2f2",
        "/signed/$one/./../2", "/signed/$one/../1/../2", "/signed//$one/../2",
        "/signed/$one/000001.m4s/../../2";
is(status("/signed/chzzk/c1/2026/01/02/2/../1/000001.m4s?token=$good"), 200,
   'and one that leads here is here');
is(status("/signed/./chzzk//c1/2026/01/02/1/000001.m4s?token=$good"), 200,
   'however it is written');
is(status("/moved/$one/000001.m4s"), 403, 'a rewrite leads into it');
is(status("/moved/$one/000001.m4s?token=$good"), 200, '... with its parameters');
is(status("/recordings/$one/000001.m4s"), 200, 'a location with "off" is open');
is(status("/nested/$one/000001.m4s"), 403, 'a prefix without a slash');
is(status("/nested/$one/000001.m4s?x=1"), 403, '... and in its "if"');
is(status("/nested/$one/000001.m4s?x=1&token=$good"), 200, '... and in');
is(status("/both/$one/000001.m4s?token=$good"), 403, 'deny: all conditions');
$r = from('127.0.0.1', "/either/$one/video.m3u8");
is($r->{status}, 200, 'satisfy any: one of them');
unlike($r->{body}, qr/token/, '... and without a token there is none to pass on');
is(from('127.0.0.2', "/either/$one/video.m3u8")->{status}, 403, '... not none');
is(from('127.0.0.2', "/either/$one/video.m3u8?token=$good")->{status}, 200,
   '... the other one');

# for one address

my $mine = token($one, address => '127.0.0.2');
is(from('127.0.0.2', "$file?token=$mine")->{status}, 200, 'an address: its own');
is(from('127.0.0.3', "$file?token=$mine")->{status}, 403, '... no other');
like(from('127.0.0.2', "$file?token=$mine")->{head},
     qr/Cache-Control: private, max-age=\d+/, '... and no shared cache');

# every address of a playlist

sub signed {
    my ($text, $token) = @_;
    $text =~ s/^((?!#)[^\/\n]+)$/$1 . ($1 =~ m{\?} ? '&' : '?') . "token=$token"/mge;
    $text =~ s/([:,]URI=")([^"\/]*)"/$1$2@{[$2 =~ m{\?} ? '&' : '?']}token=$token"/g;
    return $text;
}
sub body { return from('127.0.0.1', @_)->{body} =~ s/^[0-9a-f]+\r\n|\r\n(?:[0-9a-f]+\r\n)?//gr }
sub text { my $x = $m->get(@_); return $x->{content} }
sub follow {
    my ($path, $name) = @_;
    my $t = text($path);
    my ($base) = $path =~ m{^(.*/)};
    my @u = ($t =~ /^([^#\n]+)$/mg, $t =~ /URI="([^"]+)"/g);
    my @bad = grep { !m{/} && $m->get($base . $_)->{status} != 200 } @u;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(join(' ', @bad), '', $name);
    return @u;
}
my $url = "/signed/$one";
my $cap = "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=18.0\n";
is(text("$url/index.m3u8?token=$good"), signed($multi, $good), 'multivariant');
is(text("$url/audio-1.m3u8?token=$good"), signed("$media#EXT-X-ENDLIST\n", $good),
   'one that is over, with initialisation sections');
is(text("$url/video.m3u8?token=$good") =~ s/\Q$cap\E//r, signed($media, $good),
   'one in progress');
is(text("$url/keys.m3u8?token=$good"), signed($KEYS, $good), 'keys');
like(text("$url/keys.m3u8?token=$good"), qr{"https://keys\.example/1".*\nhttps://cdn\.example/2\.ts\n}s,
     '... other sites are told nothing');
follow("$url/$_?token=$good", "what $_ names is served")
    for qw(index.m3u8 video.m3u8 audio-1.m3u8 keys.m3u8);
is(scalar(follow("$url/index.m3u8?window=6&token=$good", 'windows')), 2, '... of all');
like(text("$url/index.m3u8?window=6&token=$good"),
     qr/^video\.m3u8\?window=6&token=\Q$good\E\n/m, '... with both');
follow("$url/video.m3u8?token=$good&window=6", 'a window, too');

# ten hours: in pieces, compressed, in views; and not a byte too much

my $t2 = token('long/1');
my $L = '/signed/long/1';
is(text("$L/ended.m3u8?token=$t2"), signed("$long#EXT-X-ENDLIST\n", $t2), 'ten hours');
is(text("$L/index.m3u8?token=$t2") =~ s/\Q$cap\E//r, signed($long, $t2),
   '... in progress');
is(text("$L/torn.m3u8?token=$t2") =~ s/\Q$cap\E//r, signed($long, $t2),
   '... without what is being appended');
$r = $m->get("$L/ended.m3u8?token=$t2", 'Accept-Encoding' => 'gzip');
is($r->{headers}{'content-encoding'}, 'gzip', 'compressed');
gunzip(\$r->{content} => \my $plain);
is($plain, signed("$long#EXT-X-ENDLIST\n", $t2), '... the same');
for ('_HLS_skip=YES', 'window=60', '_HLS_skip=YES&_HLS_msn=17999', 'window=3600') {
    my $bare = text("/recordings/long/1/index.m3u8?$_");
    is(text("$L/index.m3u8?$_&token=$t2"), signed($bare, $t2), "view $_");
    like($bare, qr/m4s\n\z/, '... which has entries');
}
my $late = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $m->{port}) or die $!;
print $late "GET $L/index.m3u8?_HLS_msn=18000&token=$t2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
sleep 0.3;
open my $fh, '>>:raw', "$m->{storage}/long/1/index.m3u8" or die $!;
syswrite $fh, "#EXTINF:2.000000,\n018001.m4s\n";
{ local $/; like(<$late>, qr/018001\.m4s\?token=\Q$t2\E\r?\n/, 'who waited, too') }

# a slow client holds no more of it than a piece

sub rss {
    my $sum = 0;
    for ($m->workers_of) {
        $sum += $1 if (slurp("/proc/$_/status") // '') =~ /^VmRSS:\s+(\d+)/m;
    }
    return $sum;
}
my @slow;
my $before = rss();
for (1 .. 60) {
    my $c = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $place{slow},
                                  Sockopts => [[SO_RCVBUF, 4096]]) or die $!;
    print $c "GET $L/ended.m3u8?token=$t2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    push @slow, $c;
}
sleep 1.5;
my $grown = rss() - $before;
SKIP: {
    skip 'a sanitizer has memory of its own', 1 if $ENV{MNT_SAN};
    cmp_ok($grown / 60, '<', 400, "a slow client costs KB, not megabytes ($grown for 60)");
}
for my $c (@slow[0, 59]) {
    local $/;
    my $all = <$c>;
    my (undef, $b) = split /\r\n\r\n/, $all, 2;
    my $text = '';
    while ($b =~ s/^\r?\n?([0-9a-f]+)\r\n//) {
        last unless hex $1;
        $text .= substr $b, 0, hex $1, '';
    }
    is($text, signed("$long#EXT-X-ENDLIST\n", $t2), '... and gets all of it');
}
close $_ for @slow;

# a player goes by what it finds

my $seen = `ffprobe -v error -count_packets -show_entries stream=codec_type,nb_read_packets -of csv=p=0 'http://127.0.0.1:$m->{port}/signed/$play/index.m3u8?token=@{[token($play)]}' 2>&1`;
my %packets = $seen =~ /^(video|audio),(\d+)/mg;
is($packets{video}, 50, 'ffprobe reads every picture') or diag($seen);
cmp_ok($packets{audio} // 0, '>', 200, '... and all that is heard');
unlike($seen, qr/403|Forbidden/, '... and is never refused');
isnt(system("ffprobe -v quiet http://127.0.0.1:$m->{port}/signed/$play/index.m3u8"), 0,
     '... but without a link');

# what players and caches go by

$r = $m->get("$url/audio-1.m3u8?token=$good");
my $tag = $r->{headers}{etag};
is($r->{headers}{'cache-control'}, 'no-cache', 'a playlist is asked for each time');
ok(!$r->{headers}{'accept-ranges'}, '... as a whole');
is($m->get("$url/audio-1.m3u8?token=$good", 'If-None-Match' => $tag)->{status}, 304,
   '... which may be the same');
is($m->get("$url/audio-1.m3u8?token=$good", Range => 'bytes=0-5')->{status}, 200,
   '... no piece of it');
is(from('127.0.0.1', "$url/audio-1.m3u8?token=$good", version => '1.0')->{body},
   signed("$media#EXT-X-ENDLIST\n", $good), 'HTTP/1.0');
is(from('127.0.0.1', "$url/audio-1.m3u8?token=$good", method => 'HEAD')->{body}, '', 'HEAD');
$r = $m->get("$file?token=" . token($one, for => 100));
like($r->{headers}{'cache-control'}, qr/^public, max-age=(?:100|9\d)$/,
     'a segment may be kept as long as the link holds');
is($m->get("$file?token=$good", Range => 'bytes=0-4')->{status}, 206, 'ranges');
is($m->get("/signed/$one/thumbnail.jpg?token=$good")->{headers}{'cache-control'},
   'no-cache', 'an image that changes');

# a cache in front

sub cdn {
    my $x = from('127.0.0.1', $_[0], port => $place{cdn});
    return join ' ', $x->{status}, $x->{head} =~ /X-Cache: (\w+)/ ? $1 : '-';
}
my $short = token($one, for => 3);
my $brief = time + 3;
is(cdn("$file?token=$short"), '200 MISS', 'cache: the first one');
is(cdn("$file?token=$short"), '200 HIT', '... the same link again');
is(cdn("$file?token=" . token($one, for => 90)), '200 MISS', '... another link');
is(cdn($file), '403 MISS', '... none');
is(cdn("$file?token=$flip"), '403 MISS', '... a wrong one');
is(cdn("$file?token=$flip"), '403 MISS', '... which is not kept');
is(cdn("$url/video.m3u8?token=$good"), '200 MISS', '... a playlist');
isnt(cdn("$url/video.m3u8?token=$good"), '200 HIT', '... which is asked for again');
sleep 0.1 while time < $brief + 1.1;
like(cdn("$file?token=$short"), qr/^403 /, 'cache: the link is over, and so is what it kept');

# to the second

my $at = int(time) + 3;
my $edge = token($one, at => $at);
my ($in, $out);
while (time < $at + 1.5) {
    my $t0 = time;
    my $got = status("$file?token=$edge");
    my $t1 = time;
    $in = $t1 if $got == 200;
    $out //= $t0 if $got == 403;
    sleep 0.02;
}
cmp_ok($in, '<', $at + 0.5, 'it is good until its second');
cmp_ok($out, '>=', $at - 0.001, 'and not a moment less');

# as the documents say: for a site that makes its own

my ($recipe) = slurp("$MNT::TOP/docs/directives.md")
    =~ /\n```sh\n(key=\$\(cat .*?)\n```\n/s;
ok($recipe, 'there is a recipe');
for ($one, $odd, 'long/1') {
    my $sh = $recipe =~ s/^key=.*$/key=\$(cat '$m->{dir}\/key-a')/mr
                     =~ s/^directory=.*$/directory='$_'/mr;
    spew("$m->{dir}/recipe.sh", $sh);
    chomp(my $link = `sh '$m->{dir}/recipe.sh'`);
    my ($dir, $query) = $link =~ m{^/recordings/(.*)/index\.m3u8\?(.*)$};
    $dir =~ s{([^A-Za-z0-9/._-])}{sprintf '%%%02X', ord $1}ge;
    is($m->get("/signed/$dir/index.m3u8?$query")->{status}, 200, 'the recipe: it opens');
    is(token($_, at => ($query =~ /1\.(\d+)/)[0]), $query =~ s/token=//r, '... the same token');
}

# by the API

my $rec = wait_for(sub { my $l = $m->recordings->[0]; $l && $l->{url} && $l },
                   'a recording in progress');
my $links = "/api/v1/recordings/$rec->{id}/links";
my $a = $m->call(POST => $links, { seconds => 100 });
is($a->{status}, 200, 'a link by the API');
is($a->{json}{recording_id}, $rec->{id}, '... of it');
like($a->{json}{url}, qr{^/signed/chzzk/.*/index\.m3u8\?token=\Q$a->{json}{token}\E$},
     '... into the signed location');
is($m->call(POST => $links, { seconds => 100 })->{json}{key}, $a->{json}{key}, '... by its key');
my ($ends) = $a->{json}{token} =~ /^1\.(\d+)\./;
ok($ends % 60 == 0 && $ends >= time + 99 && $ends < time + 161, '... until a full minute');
is($a->{json}{expires_at}, POSIX::strftime('%Y-%m-%dT%H:%M:%S.000Z', gmtime $ends), '... which it says');
wait_for(sub { playlist_entries(text($a->{json}{url})) >= 3 }, '... and it is served');
follow($a->{json}{url}, '... with its segments');
is($m->get($a->{json}{url} =~ s/\?.*//r)->{status}, 403, '... not without it');
is($m->call(POST => $links, {})->{status}, 200, 'for an hour, unless it is said');
$a = $m->call(POST => $links, { address => '127.0.0.2' });
is(from('127.0.0.2', $a->{json}{url})->{status}, 200, 'for one address');
is(from('127.0.0.1', $a->{json}{url})->{status}, 403, '... only');
$a = $m->call(POST => $links, { address => '2001:DB8:0:0::0001' });
like($a->{json}{token}, qr/^1a\./, 'of any spelling');
for ({ seconds => 0 }, { seconds => -1 }, { seconds => 31536001 }, { seconds => '60' },
     { seconds => 1.5 }, { address => 7 }, { address => 'localhost' }, { address => '' })
{
    my $x = $m->call(POST => $links, $_);
    is("$x->{status} $x->{json}{error}", '400 bad_field', 'refused: ' . join ' ', %$_);
}
is($m->call(POST => $links, { minutes => 1 })->{json}{error}, 'unknown_field', 'refused: unknown');
is($m->call(POST => '/api/v1/recordings/999/links', {})->{json}{error},
   'recording_not_found', 'of none');
is($m->get($links)->{status}, 405, 'links are made');
is($m->call(POST => $links, {}, Origin => 'http://x.example')->{json}{error}, 'cross_origin',
   '... not by other sites');
{
    my $x = from('127.0.0.1', $links, port => $place{other}, method => 'POST');
    is($x->{status}, 501, 'a server without a signed location makes none') or diag $x->{head};
}

# what is cut, and a clip, which has a directory and so links of its own

$m->channel('alpha', live => 0, stall => 1);
wait_for(sub { $m->recording($rec->{id})->{status} eq 'recorded' }, 'it is over', 30);
is($m->call(POST => "/api/v1/recordings/$rec->{id}/cuts", { begin => 1, end => 2 })->{status},
   201, 'a cut');
$a = $m->call(POST => $links, {})->{json};
is(text($a->{url}), signed(text($rec->{url}), $a->{token}), '... is handed on, too');
like(text($a->{url}), qr/DISCONTINUITY\n.*token=.*ENDLIST/s, '... and is one');
my $clip = $m->call(POST => "/api/v1/recordings/$rec->{id}/clips", { begin => 2, end => 4 })->{json};
ok($clip->{url}, 'a clip');
my $piece = $clip->{url} =~ s{^/recordings}{/signed}r;
is(status("$piece?token=$a->{token}"), 403, '... wants another link');
is(status($m->call(POST => "/api/v1/recordings/$clip->{id}/links", {})->{json}{url}), 200,
   '... its own');

# another key

sub reloaded {
    my %old = map { $_ => 1 } $m->workers_of;
    keys_are(@_);
    $m->reload;
    wait_for(sub { my @w = $m->workers_of; @w > 1 && !grep { $old{$_} } @w }, "keys: @_");
    $m->up;
}
my $old = token($one);
my $new = token($one, key => 'b');
is(status("$file?token=$new"), 403, 'a key that is not there yet');
reloaded('b', 'a');
is(status("$file?token=$_"), 200, 'both are good') for $old, $new;
$a = $m->call(POST => $links, {});
like($a->{json}{token}, qr/\.@{[substr hmac_sha256_hex('mntreamer key', $KEY{b}), 0, 8]}\./,
     'links are made with the new one');
is($m->get($a->{json}{url})->{status}, 200, '... and good');
reloaded('b');
is(status("$file?token=$old"), 403, 'the old one is good no more');
is(status("$file?token=$new"), 200, 'the new one is');

unlike($m->log, qr/\Q$KEY{a}\E|\Q$KEY{b}\E/, 'no log has a key');
$m->{allow_log} = qr/"mntreamer_sign"/;        # by "nginx -t"
$m->finish;
