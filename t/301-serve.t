use strict;
use warnings;

use Cwd qw(abs_path);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use POSIX ();

# LIB-01, LIB-03 and RELIABILITY S8, S9: files of recordings are served with
# their types, ranges and validators; nothing outside the root, no .part, no
# hidden (deleted) recording, no journal; nginx's own modules stand in front of
# it.  The database is away all the time: what is finished is served without it.
# Raw requests and limits that need two at once are in 302-limits.t.

my $dir;

BEGIN {
    $dir = tempdir('mntserve-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $dir;
    my $r = "$dir/storage/chzzk/c1/2026/01/02/1";
    make_path($r, "$dir/storage/chzzk/.deleted-7", "$dir/storage-twin",
              "$dir/outside", "$r/sub.ts");

    my %file = (
        "$r/index.m3u8"   => "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n"
                             . "000001.ts\n",
        "$r/torn.m3u8"    => "#EXTM3U\n" . "#EXTINF:2,\n000001.ts\n" x 400
                             . "#EXT-X-DISCONTINUITY\n#EXTINF:2,\n0000",
        "$r/000001.ts"    => "\x47" . ('0123456789' x 100),
        "$r/000002.m4s"   => 'fmp4', "$r/init-1.mp4" => 'init',
        "$r/a.aac"        => 'aac', "$r/export.mp4" => 'mp4 file',
        "$r/000003.ts.part" => 'half', "$r/.index.journal" => 'journal',
        "$r/notes.txt"    => 'text', "$r/page.html" => '<script>',
        "$dir/storage/chzzk/.deleted-7/000001.ts" => 'deleted',
        "$dir/storage-twin/000001.ts" => 'secret twin',
        "$dir/outside/000001.ts" => 'secret outside',
        "$dir/users"      => "u:{PLAIN}p\n",
    );
    for my $f (keys %file) {
        open my $fh, '>:raw', $f or die "$f: $!";
        print $fh $file{$f};
        close $fh;
        utime 1760000000, 1760000000, $f;
        utime time + 3600, time + 3600, $f if $f =~ /torn/;
    }
    symlink "$dir/outside/000001.ts", "$r/link.ts";
    symlink "$dir/outside", "$dir/storage/chzzk/linkdir";
    POSIX::mkfifo("$r/fifo.ts", 0644);
    system('chmod', '-R', 'a+rX', $dir);

    $ENV{TEST_NGINX_MNT_DIR} = $dir;
    $ENV{TEST_NGINX_MNT_STORAGE} = "$dir/storage";
    $ENV{TEST_NGINX_LOAD_MODULES} ||= abs_path($ENV{MNT_MODULE}
        || 'build/ngx_mntreamer_module.so');
}

use Test::Nginx::Socket;

add_block_preprocessor(sub {
    my ($block) = @_;
    $block->set_value('main_config', <<'END');
mntreamer {
    database "host=/nonexistent dbname=none";
    storage  $TEST_NGINX_MNT_STORAGE;
}
END
    if (!defined $block->config) {
        $block->set_value('config',
                          'location /recordings/ { mntreamer_recordings; }');
    }
    $block->set_value('no_error_log', defined $block->must_die
                      ? '[alert]' : "[alert]\n[emerg]");
});

repeat_each(1);
plan 'no_plan';
run_tests();

__DATA__

=== TEST 1: a playlist
--- request
GET /recordings/chzzk/c1/2026/01/02/1/index.m3u8
--- response_headers
Content-Type: application/vnd.apple.mpegurl
Cache-Control: no-cache
X-Content-Type-Options: nosniff
--- response_body_like: ^#EXTM3U
--- error_code: 200


=== TEST 2: a segment
--- request
GET /recordings/chzzk/c1/2026/01/02/1/000001.ts
--- response_headers
Content-Type: video/mp2t
Cache-Control: public, max-age=31536000, immutable
Accept-Ranges: bytes
Content-Length: 1001
--- error_code: 200


=== TEST 3: other kinds
--- request eval
["GET /recordings/chzzk/c1/2026/01/02/1/000002.m4s",
 "GET /recordings/chzzk/c1/2026/01/02/1/init-1.mp4",
 "GET /recordings/chzzk/c1/2026/01/02/1/a.aac",
 "GET /recordings/chzzk/c1/2026/01/02/1/export.mp4"]
--- response_headers eval
["Content-Type: video/mp4", "Content-Type: video/mp4",
 "Content-Type: audio/aac", "Content-Type: video/mp4"]
--- response_body eval
["fmp4", "init", "aac", "mp4 file"]


=== TEST 4: a range
--- request
GET /recordings/chzzk/c1/2026/01/02/1/000001.ts
--- more_headers
Range: bytes=1-4
--- response_headers
Content-Range: bytes 1-4/1001
--- response_body: 0123
--- error_code: 206


=== TEST 5: the last bytes, an impossible range
--- request eval
["GET /recordings/chzzk/c1/2026/01/02/1/export.mp4",
 "GET /recordings/chzzk/c1/2026/01/02/1/export.mp4"]
--- more_headers eval
["Range: bytes=-4", "Range: bytes=100-"]
--- error_code eval
[206, 416]
--- response_body_like eval
["file", "."]


=== TEST 6: HEAD
--- request
HEAD /recordings/chzzk/c1/2026/01/02/1/000001.ts
--- response_headers
Content-Length: 1001
--- response_body
--- error_code: 200


=== TEST 7: not modified since
--- request
GET /recordings/chzzk/c1/2026/01/02/1/000001.ts
--- more_headers
If-Modified-Since: Thu, 09 Oct 2025 08:53:20 GMT
--- error_code: 304


=== TEST 8: the same entity tag
--- request
GET /recordings/chzzk/c1/2026/01/02/1/000001.ts
--- more_headers
If-None-Match: "68e77800-3e9"
--- error_code: 304


=== TEST 9: other methods
--- request eval
["POST /recordings/chzzk/c1/2026/01/02/1/000001.ts\nx",
 "DELETE /recordings/chzzk/c1/2026/01/02/1/000001.ts",
 "PUT /recordings/chzzk/c1/2026/01/02/1/000001.ts\nx"]
--- error_code eval
[405, 405, 405]


=== TEST 10: what is not there, and other endings
--- request eval
["GET /recordings/chzzk/c1/2026/01/02/1/000009.ts",
 "GET /recordings/chzzk/c1/2026/01/02/1/notes.txt",
 "GET /recordings/chzzk/c1/2026/01/02/1/page.html",
 "GET /recordings/chzzk/c1/2026/01/02/1/",
 "GET /recordings/chzzk/c1/2026/01/02/1",
 "GET /recordings/"]
--- error_code eval
[404, 404, 404, 404, 404, 404]


=== TEST 11: parts, journals and deleted recordings
--- request eval
["GET /recordings/chzzk/c1/2026/01/02/1/000003.ts.part",
 "GET /recordings/chzzk/c1/2026/01/02/1/.index.journal",
 "GET /recordings/chzzk/.deleted-7/000001.ts"]
--- error_code eval
[404, 404, 404]


=== TEST 12: links, pipes and directories
--- request eval
["GET /recordings/chzzk/c1/2026/01/02/1/link.ts",
 "GET /recordings/chzzk/linkdir/000001.ts",
 "GET /recordings/chzzk/c1/2026/01/02/1/fifo.ts",
 "GET /recordings/chzzk/c1/2026/01/02/1/sub.ts"]
--- error_code eval
[404, 404, 404, 404]
--- response_body_unlike eval
["secret", "secret", "secret", "secret"]


=== TEST 13: headers of nginx's own are added
--- config
location /recordings/ {
    add_header Access-Control-Allow-Origin "https://player.example";
    mntreamer_recordings;
}
--- request
GET /recordings/chzzk/c1/2026/01/02/1/000001.ts
--- response_headers
Access-Control-Allow-Origin: https://player.example
--- error_code: 200


=== TEST 14: another prefix
--- config
location /vod/ { mntreamer_recordings; }
--- request
GET /vod/chzzk/c1/2026/01/02/1/000002.m4s
--- response_body: fmp4
--- error_code: 200


=== TEST 15: allow and deny
--- config
location /recordings/ { deny all; mntreamer_recordings; }
--- request
GET /recordings/chzzk/c1/2026/01/02/1/000002.m4s
--- error_code: 403


=== TEST 16: auth_basic
--- config
location /recordings/ {
    auth_basic x;
    auth_basic_user_file $TEST_NGINX_MNT_DIR/users;
    mntreamer_recordings;
}
--- request eval
["GET /recordings/chzzk/c1/2026/01/02/1/000002.m4s",
 "GET /recordings/chzzk/c1/2026/01/02/1/000002.m4s"]
--- more_headers eval
["", "Authorization: Basic dTpw"]
--- error_code eval
[401, 200]


=== TEST 17: auth_request
--- config
location /recordings/ { auth_request /ask; mntreamer_recordings; }
location = /ask { if ($http_x_let) { return 204; } return 403; }
--- request eval
["GET /recordings/chzzk/c1/2026/01/02/1/000002.m4s",
 "GET /recordings/chzzk/c1/2026/01/02/1/000002.m4s"]
--- more_headers eval
["", "X-Let: me"]
--- error_code eval
[403, 200]


=== TEST 18: secure_link
--- config
location /recordings/ {
    secure_link $arg_md5,$arg_expires;
    secure_link_md5 "$secure_link_expires$uri secret";
    if ($secure_link = "") { return 403; }
    if ($secure_link = "0") { return 410; }
    mntreamer_recordings;
}
--- request eval
use Digest::MD5 qw(md5_base64);
my $p = '/recordings/chzzk/c1/2026/01/02/1/000002.m4s';
my $sign = sub { my $s = md5_base64("$_[0]$p secret"); $s =~ tr{+/}{-_};
                 "GET $p?md5=$s&expires=$_[0]" };
["GET $p", "GET $p?md5=xxxxxxxxxxxxxxxxxxxxxx&expires=4000000000",
 $sign->(4000000000), $sign->(1000000000)]
--- error_code eval
[403, 403, 200, 410]


=== TEST 19: limit_except
--- config
location /recordings/ { limit_except GET { deny all; } mntreamer_recordings; }
--- request eval
["GET /recordings/chzzk/c1/2026/01/02/1/000002.m4s",
 "POST /recordings/chzzk/c1/2026/01/02/1/000002.m4s\nx"]
--- error_code eval
[200, 403]


=== TEST 20: a regular expression is refused as a location
--- config
location ~ ^/rec/ { mntreamer_recordings; }
--- must_die
--- error_log
mntreamer_recordings


=== TEST 21: an entry that is being appended is left out
--- request
GET /recordings/chzzk/c1/2026/01/02/1/torn.m3u8
--- response_body eval
"#EXTM3U\n" . "#EXTINF:2,\n000001.ts\n" x 400
--- error_code: 200
