use strict;
use warnings;
use utf8;
use lib 't/lib';
use MNT;
use Test::More;

# OPS-04: a bad value stops "nginx -t" with one line that names the directive and
# says what is wrong; good values pass.  Nothing runs here.

my $m = MNT->new;
my $id = '0123456789abcdef0123456789abcdef';

spew("$m->{dir}/cookies", "NID_AUT=secret1; NID_SES=secret2\n");
spew("$m->{dir}/cookies.txt",
     "# Netscape HTTP Cookie File\n.naver.com\tTRUE\t/\tTRUE\t0\tNID_AUT\taa\n"
     . "#HttpOnly_.naver.com\tTRUE\t/\tTRUE\t0\tNID_SES\tbb\n");
spew("$m->{dir}/empty", "\n");
spew("$m->{dir}/follower", "https://chat.example/hooks/1/secret\n");
spew("$m->{dir}/dsn", "host=$m->{pg} user=postgres dbname=$m->{db}\n");

my @good = (
    'layout "{platform}/{channel_name}/{yyyy}-{mm}-{dd}_{hh}{mi}{ss}_{recording_id}";',
    'layout "{recording_id}";',
    'workers auto;', 'workers 3;', 'poll_rate 100r/s;',
    'durability segment;', 'durability interval;', 'durability interval=2s;',
    'jobs 1;', 'jobs 8;', 'jobs off;', 'durability none;', 'reserve 0;', 'reserve 10g;', 'reserve 5%;', 'reserve 5% pause;',
    'reserve 5g delete_oldest;', 'reserve 5g delete_oldest age=2h;', 'trash off;', 'trash 7d;',
    'fetch_allow 10.0.0.0/8 ::1;', 'fetch_ports 80 443 8080;',
    'fetch_connections 100;', 'fetch_parallel 4;', 'segment_retries 5;',
    'resume_window 10m;', 'refresh 30s;', 'lease 5s;', 'connect_timeout 2s;',
    'probe_timeout 5s;', 'playlist_timeout 3s;', 'transfer_timeout 30s;',
    'stall_timeout 5s;', 'drain_timeout 3s;', 'max_playlist_size 1m;',
    'max_segment_size 64m;', 'statsd 127.0.0.1:8125;',
    'platform rtmp { follower http://127.0.0.1:9/a?b=c; '
        . 'follower https://[::1]:81 required; }',
    "platform rtmp { follower file:$m->{dir}/follower required; }",
    "platform chzzk { cookies $m->{dir}/cookies; quality 1080p; }",
    "platform chzzk { cookies $m->{dir}/cookies.txt; user_agent 'x y'; }",
    'platform 치지직 { poll_rate 5r/s; proxy http://127.0.0.1:1; '
        . 'media_proxy socks5h://127.0.0.1:2; }',
    "platform chzzk { proxy 'http://u:p\@[::1]:65535/'; media_proxy http://p.lan; }",
    'retention age=30d;', 'retention count=1 size=500g age=1h;',
    "streamer chzzk $id retention_age=off retention_size=5g retention_count=3;",
    "streamer chzzk $id;", "streamer 1 $id name=x quality=720p60 priority=-5;",
    "streamer chzzk https://chzzk.naver.com/live/$id;",
    'streamer hls https://example.com/live/index.m3u8 name=cam;',
    'streamer rtmp studio name=own;', 'platform rtmp { }',
    'platform rtmp { thumbnail off; }', 'platform rtmp { thumbnail 5s width=640; }',
    'platform hls { thumbnail 1h; } platform chzzk { thumbnail 1s width=64; }',
);

for my $d (@good) {
    $m->{mntreamer} = $d;
    my ($rc, $out) = $m->check;
    is($rc, 0, "passes: $d") or diag $out;
}

my @bad = (
    ['database', 'host=x;'                      => 'database'],
    ['layout a/b;'                              => 'layout'],
    ['layout "../{recording_id}";'             => 'layout'],
    ['layout "/abs/{recording_id}";'           => 'layout'],
    ['layout "{nonsense}/{recording_id}";'     => 'layout'],
    ['workers 0;'                               => 'workers'],
    ['workers many;'                            => 'workers'],
    ['poll_rate 14;'                            => 'poll_rate'],
    ['poll_rate 0r/s;'                          => 'poll_rate'],
    ['poll_rate 10r/m;'                         => 'poll_rate'],
    ['jobs;'                                    => 'jobs'],
    ['jobs 0;'                                  => 'jobs.*"off" or from 1 to 8'],
    ['jobs 9;'                                  => 'jobs.*"off" or from 1 to 8'],
    ['jobs many;'                               => 'jobs.*"off" or from 1 to 8'],
    ['jobs 1; jobs off;'                        => 'jobs.*duplicate'],
    ['durability maybe;'                        => 'durability'],
    ['durability interval=1ms;'                 => 'durability'],
    ['reserve some;'                            => 'reserve'],
    ['reserve 95%;'                             => 'reserve'],
    ['reserve 5% delete_all;'                   => 'reserve'],
    ['reserve 5% pause age=1d;'                 => 'reserve'],
    ['reserve 5% delete_oldest age=old;'        => 'reserve'],
    ['retention forever;'                       => 'retention.*not known'],
    ['retention days=3;'                        => 'retention.*not known'],
    ['retention age=0;'                         => 'age=0.*retention.*time'],
    ['retention age=off;'                       => 'age=off.*retention.*time'],
    ['retention age=900000y;'                   => 'retention.*time'],
    ['retention size=0;'                        => 'retention.*size'],
    ['retention size=big;'                      => 'retention.*size'],
    ['retention count=0;'                       => 'retention.*at least 1'],
    ['retention count=1 count=2;'               => 'retention.*twice'],
    ['retention age=1d; retention size=1g;'     => 'retention.*duplicate'],
    ["streamer chzzk $id retention_age=x;"       => 'retention_age=x.*time'],
    ["streamer chzzk $id retention_size=off;"    => 'retention_size=off.*size'],
    ["streamer chzzk $id retention_all=1;"       => 'retention_all=1.*not known'],
    ['trash on;'                                => 'trash.*off'],
    ['trash 0;'                                 => 'trash.*off'],
    ['trash 1d; trash 2d;'                      => 'trash.*duplicate'],
    ['fetch_allow nowhere;'                     => 'fetch_allow'],
    ['fetch_ports 0;'                           => 'fetch_ports'],
    ['fetch_ports http;'                        => 'fetch_ports'],
    ['fetch_parallel 0;'                        => 'fetch_parallel'],
    ['backoff_jitter 51;'                       => 'backoff_jitter'],
    ['platform chzzk { cookies /none; }'        => 'cookies'],
    ['segment_retries 100;'                     => 'segment_retries|value'],
    ['resume_window soon;'                      => 'resume_window'],
    ['refresh 10ms;'                            => 'refresh'],
    ['lease 10ms;'                              => 'lease'],
    ['max_playlist_size 10m;'                   => 'max_playlist_size'],
    ['max_segment_size big;'                    => 'max_segment_size'],
    ['max_segment_size 0;'                      => 'max_segment_size'],
    ['max_playlist_size 0;'                     => 'max_playlist_size'],
    ['stall_timeout 0;'                         => 'stall_timeout'],
    ['connect_timeout 0;'                       => 'connect_timeout'],
    ['statsd somewhere:8125;'                   => 'statsd'],
    ['statsd 127.0.0.1;'                        => 'statsd'],
    ['platform twitch { }'                      => 'platform "twitch"'],
    ['platform chzzk { api ftp://x; }'          => 'api'],
    ['platform chzzk { quality huge; }'         => 'quality'],
    ['platform chzzk { proxy ftp://x; }'        => 'proxy'],
    ['platform chzzk { cookies /nonexistent; }' => '/nonexistent'],
    ["platform chzzk { cookies $m->{dir}/empty; }" => 'cookies'],
    ['platform hls { api http://x; }'           => 'api'],
    ['streamer nobody x;'                       => 'platform "nobody"'],
    ["streamer chzzk $id priority=5000;"        => 'priority'],
    ["streamer chzzk $id quality=8k;"           => 'quality'],
    ["streamer chzzk $id color=red;"            => 'color=red'],
    ["streamer chzzk $id; streamer chzzk $id;"  => 'streamer'],
    ['streamer chzzk somebody;'                 => 'is a nickname'],
    ['streamer hls not-a-url;'                  => 'streamer'],
    ['streamer rtmp "a b";'                     => 'streamer'],
    ['platform rtmp { poll_rate 1r/s; }'        => 'poll_rate.*not allowed'],
    ['platform rtmp { renditions 500p; }'       => 'renditions.*480p'],
    ['platform rtmp { renditions 480p 480p; }'  => 'renditions.*twice'],
    ['platform rtmp { renditions none 480p; }'  => 'renditions'],
    ['platform rtmp { renditions none; renditions none; }' => 'renditions.*dup'],
    ['platform chzzk { hls_path /x; }'          => 'hls_path.*not allowed'],
    ['platform rtmp { hls_path x; }'            => 'hls_path'],
    ['platform rtmp { hls_path /; }'            => 'hls_path'],
    ["platform rtmp { hls_path $m->{dir}/a; hls_path $m->{dir}/b; }"
                                                => 'hls_path.*duplicate'],
    ["platform rtmp { hls_path $m->{dir}/no/such; }" => 'hls_path.*not there'],
    ['platform chzzk { follower http://a/; }'   => 'follower.*not allowed'],
    ['platform rtmp { follower; }'              => 'follower'],
    ['platform rtmp { follower a/TOKEN; }'      => 'follower.*must be an http'],
    ['platform rtmp { follower ftp://a/TOKEN; }' => 'follower.*must be an http'],
    ['platform rtmp { follower http://u:TOKEN@a/; }'
                                                => 'follower.*without a user'],
    ['platform rtmp { follower http://a/TOKEN optional; }'
                                                => 'follower.*"required"'],
    ['platform rtmp { follower http://a/TOKEN; follower http://a/TOKEN required; }'
                                                => 'follower.*duplicate'],
    ['platform rtmp { follower env:MNT_NO_SUCH; }' => 'follower.*no "MNT_NO'],
    ['platform rtmp { ' . join('', map { "follower http://a/$_;" } 1 .. 9) . '}'
                                                => 'follower.*more than 8'],
    ['platform rtmp { thumbnail; }'             => 'thumbnail'],
    ['platform rtmp { thumbnail soon; }'        => 'thumbnail.*1s to 1h'],
    ['platform rtmp { thumbnail 10ms; }'        => 'thumbnail.*1s to 1h'],
    ['platform hls { thumbnail 2h; }'           => 'thumbnail.*1s to 1h'],
    ['platform hls { thumbnail 10s width=0; }'  => 'thumbnail.*width'],
    ['platform hls { thumbnail 10s width=481; }' => 'thumbnail.*width'],
    ['platform hls { thumbnail 10s 480; }'      => 'thumbnail.*width'],
    ['platform hls { thumbnail off width=64; }' => 'thumbnail.*off'],
    ['platform hls { thumbnail 5s; thumbnail off; }' => 'thumbnail.*duplicate'],
    ['thumbnail 10s;'                           => 'thumbnail'],
    ['storage /tmp;'                            => 'storage'],
    ['nonsense 1;'                              => 'nonsense'],
    ['resume_window x;'                         => 'resume_window.*must be a time'],
    ['segment_retries 10%;'                     => 'segment_retries.*from 0 to 20'],
    ['max_segment_size 2x;'                     => 'max_segment_size.*must be a size'],
    ['layout {platform}/{recording_id};'        => 'layout'],
    ['platform chzzk { media_proxy http://p.lan:99999; }'
                                                => 'media_proxy.*port from 1 to 65535'],
    ['platform chzzk { proxy http://p.lan:0; }' => 'proxy.*port'],
    ['platform chzzk { proxy http://:8080; }'   => 'proxy.*host'],
    ['platform chzzk { proxy socks5://[::1; }'  => 'proxy.*host'],
);

for my $b (@bad) {
    my ($d, $names) = @$b == 2 ? @$b : next;
    $m->{mntreamer} = $d;
    my ($rc, $out) = $m->check;
    isnt($rc, 0, "refused: $d");
    my @lines = grep { /\[emerg\]/ } split /\n/, $out;
    is(scalar @lines, 1, '... with one line') or diag $out;
    unlike($out, qr/TOKEN/, '... without a secret') if $d =~ /TOKEN/;
    like($lines[0] // '', qr/$names/, '... that names it');
    unlike($out, qr/Sanitizer|core dumped/, '... and no crash');
}

# an unquoted template is nginx's own error, which says too little

$m->{mntreamer} = 'layout {platform}/{recording_id};';
like(($m->check)[1], qr/\[warn\].*"layout" must stand in quotes/,
     'a template without quotes: what to do is said');

# parameters of a location

my %rtmp = (
    '' => '', 'port=1 application=a silence=1s' => '', 'port=0' => 'port=0',
    'port=65536' => 'port=65536', 'port=' => 'port=', 'application=a/b' =>
    'application=a/b', 'application=' => 'application=', 'silence=999ms' =>
    'silence=999ms', 'silence=x' => 'silence=x', 'silence=2h' => 'silence=2h',
    'host=x' => 'host=x',
);

$m->{mntreamer} = '';

for my $p (sort keys %rtmp) {
    $m->{server} = "location = /rtmp { mntreamer_rtmp $p; }";
    my ($rc, $out) = $m->check;
    is($rc ? 1 : 0, length $rtmp{$p} ? 1 : 0, "mntreamer_rtmp $p;") or diag $out;
    like($out, qr/invalid parameter "\Q$p\E" of "mntreamer_rtmp"/,
         '... says which') if $rtmp{$p};
}

for my $n (0, 1000, '', -1, 'many', '1.5', '10 20') {
    $m->{server} = "location /rec/ { mntreamer_recordings; mntreamer_max_viewers $n; }";
    my ($rc, $out) = $m->check;
    is($rc ? 1 : 0, $n =~ /^(0|1000)$/ ? 0 : 1, "mntreamer_max_viewers $n;") or diag $out;
    like($out, qr/invalid number .*"mntreamer_max_viewers"|"mntreamer_max_viewers" directive/,
         '... which says so') if $rc;
}

$m->{server} = 'location = /x { mntreamer_rtmp; mntreamer_health; }';
like(($m->check)[1], qr/already has a handler/, 'one handler each');
$m->{server} = '';

# whole blocks

my %block = (
    'no database' => ['mntreamer { storage /tmp/x; }', 'database'],
    'no storage'  => ["mntreamer { database 'host=/run dbname=x'; }", 'storage'],
    'relative'    => ["mntreamer { database 'host=/run'; storage x; }", 'storage'],
    'host name'   => ["mntreamer { database 'host=db.example.com'; storage /tmp/x; }",
                      'database'],
    'no conninfo' => ["mntreamer { database 'nonsense'; storage /tmp/x; }",
                      'database'],
    'twice'       => ["mntreamer { database 'host=/run'; storage $m->{storage}; }\n"
                      . "mntreamer { }", 'mntreamer'],
    'no block'    => ['', 'mntreamer'],
    'env'         => ["mntreamer { database env:MNT_NOT_THERE; storage /tmp/x; }",
                      'MNT_NOT_THERE'],
);

for my $name (sort keys %block) {
    $m->{block} = $block{$name}[0];
    my ($rc, $out) = $m->check;
    isnt($rc, 0, "refused: $name");
    my @lines = grep { /\[emerg\]/ } split /\n/, $out;
    is(scalar @lines, 1, '... with one line') or diag $out;
    like($lines[0] // '', qr/$block{$name}[1]/, '... that says so');
}

$m->{block} = "mntreamer { database file:$m->{dir}/dsn; storage $m->{storage}; }";
my ($rc, $out) = $m->check;
is($rc, 0, 'the connection string may stand in a file') or diag $out;

# a configuration that has the module but no block is left alone

$m->{raw_config} = "load_module $MNT::MODULE; events {} pid $m->{dir}/p;"
    . " error_log $m->{dir}/logs/error.log; http { server { listen 127.0.0.1:"
    . "$m->{port}; } }";
($rc, $out) = $m->check;
is($rc, 0, 'a configuration without the block is left alone') or diag $out;

unlink "$m->{dir}/logs/error.log";
$m->cleanup;
done_testing();
