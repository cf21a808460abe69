use strict;
use warnings;
use lib 't/lib';
use MNT;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);

# RELIABILITY P13, N2, G11: what cannot be read is told as "encrypted", what cannot be
# trusted as "tls" or "forbidden", in the row, the metrics and the log, and nothing of
# it is stored. It is recorded as soon as it can be.

plan skip_all => 'a sanitizer is preloaded already' if $ENV{MNT_SAN};

my $m = MNT->new(workers => 2, mntreamer => 'poll_rate 200r/s; refresh 1s;'
                 . ' stall_timeout 2s; playlist_timeout 3s;');
my $dir = "$m->{dir}/tls";
mkdir $dir;
chmod 0755, $dir;

# an authority of our own, and what can be wrong with a certificate

sub openssl { MNT::quiet('openssl', @_) or BAIL_OUT("openssl @_") }

sub sign {
    my ($name, $san, $since, $until) = @_;
    spew("$dir/ext", "subjectAltName=$san\n");
    openssl('ca', '-batch', '-config', "$dir/cnf", '-cert', "$dir/ca.pem", '-keyfile',
            "$dir/ca.key", '-in', "$dir/csr.pem", '-out', "$dir/$name.pem", '-extfile',
            "$dir/ext", '-notext', '-startdate', strftime('%Y%m%d%H%M%SZ', gmtime $since),
            '-enddate', strftime('%Y%m%d%H%M%SZ', gmtime $until));
}

spew("$dir/cnf", "[ca]\ndefault_ca=d\n[d]\ndatabase=$dir/index\nnew_certs_dir=$dir\n"
     . "rand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\n"
     . "[p]\ncommonName=supplied\n");
spew("$dir/index", '');
openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=tests', '-keyout',
        "$dir/ca.key", '-out', "$dir/ca.pem", '-days', '30');
openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=server', '-keyout',
        "$dir/key.pem", '-out', "$dir/csr.pem");
my $now = time;
sign('good', 'IP:127.0.0.1', $now - 86400, $now + 86400);
sign('expired', 'IP:127.0.0.1', $now - 2e6, $now - 86400);
sign('wrong-name', 'DNS:elsewhere.test', $now - 86400, $now + 86400);
openssl('req', '-x509', '-key', "$dir/key.pem", '-subj', '/CN=server', '-addext',
        'subjectAltName=IP:127.0.0.1', '-out', "$dir/self-signed.pem", '-days', '30');
my %port = map { $_ => $m->tell('/_/listen', cert => "$dir/$_.pem", key => "$dir/key.pem")->{port} }
    qw(good expired wrong-name self-signed);

ok(MNT::quiet('cc', '-shared', '-fPIC', '-O1', '-o', "$dir/faults.so",
              "$MNT::TOP/t/figures/faults_preload.c", '-ldl'), 'the authority is trusted');
{
    local $ENV{LD_PRELOAD} = "$dir/faults.so";
    local $ENV{FAULTS_CA} = "$dir/ca.pem";
    $m->start;
}
$m->up;

my %id;
sub of {
    my ($name) = @_;
    my ($s) = grep { $_->{channel_id} eq $id{$name} } @{ $m->streamers };
    return $s;
}

sub probe { my $p = (of($_[0]) || {})->{last_probe} || {}; return ($p->{outcome} // '') . ' '
                                                            . ($p->{reason} // '') }

sub row {
    my ($name) = @_;
    my ($r) = grep { $_->{channel_id} eq $id{$name} } @{ $m->recordings };
    return $r;
}

sub stored { return scalar grep { m{/$id{$_[0]}/.*\.(?:ts|m4s|mp4)$} } file_list($m->{storage}) }

# P13: ways to encrypt that nobody can undo, or whose key is not given

my %locked = (
    sample => [['METHOD=AES-128', 'METHOD=SAMPLE-AES']],
    method => [['METHOD=AES-128', 'METHOD=AES-256-CTR']],
    format => [['METHOD=AES-128', 'METHOD=AES-128,KEYFORMAT="com.apple.streamingkeydelivery"']],
    keyless => undef,
);
for (sort keys %locked) {
    $id{$_} = $m->channel($_, live => 1, dur => 0.3, window => 20, key => 'explicit');
    $m->fault(match => $locked{$_} ? "/hls/$_/.*m3u8" : "/hls/$_/.*key", times => -1,
              $locked{$_} ? (edit => $locked{$_}) : (status => 404));
}
$m->watch($_, name => $_) for sort keys %locked;
for (sort keys %locked) {
    wait_for(sub { probe($_) eq 'live-not-playable encrypted' }, "$_: encrypted")
        or diag probe($_);
    is(stored($_), 0, '... and nothing of it is stored');
}
for (['sample', 'SAMPLE-AES'], ['method', 'AES-256-CTR'], ['format', 'AES-128']) {
    like($m->log, qr/ is encrypted in a way that cannot be read \($_->[1]\)/, "the log: $_->[1]");
}
like($m->log, qr/key "\S+" of recording \d+ was not had/, 'the log: a key');
cmp_ok($m->metric('mntreamer_gaps_total{cause="key"}') // 0, '>', 0, 'the metrics count it');

# it becomes so, and is clear again

$id{later} = $m->channel('later', live => 1, dur => 0.3, window => 20, key => 'explicit');
$m->watch('later', name => 'later');
wait_for(sub { my $r = row('later'); $r && $r->{segments} >= 3 }, 'one is readable at first');
$m->fault(match => '/hls/later/.*m3u8', times => -1, edit => $locked{sample});
wait_for(sub { probe('later') eq 'live-not-playable encrypted' }, 'then it is not');
wait_for(sub { $m->one('SELECT count(*) FROM media_gap g JOIN media_record r
    ON r.id = g.recording_id WHERE r.channel_id = \'' . $id{later} . "' AND reason = 'key'") },
         'which is a gap of its row');
$m->heal;
my $n = row('later')->{segments};
wait_for(sub { row('later')->{segments} > $n + 3 }, 'it is recorded again');
like($m->playlist(row('later')), qr/#EXT-X-DISCONTINUITY/, 'with a break in its playlist');
wait_for(sub { probe('later') eq 'live ' }, 'and its state says so') or diag probe('later');
wait_for(sub { my $r = row($_); $r && $r->{segments} > 3 }, "$_ is recorded, too", 40)
    for sort keys %locked;
$m->call(DELETE => '/api/v1/streamers/' . of($_)->{id}) for sort keys %id;

# N2: certificates that are worth nothing, of where a stream is, and of one that is
# asked itself; no request goes through, nothing is tried without TLS

my @bad = qw(expired wrong-name self-signed);
sub https { return "https://127.0.0.1:$port{$_[0]}" }
for (@bad) {
    $id{"m-$_"} = $m->channel("m-$_", live => 1, dur => 0.3, window => 40, media_host => https($_));
    $m->channel("h-$_", dur => 0.3, window => 40);
    $id{"h-$_"} = https($_) . "/hls/h-$_/media/720p30.m3u8";
    $m->watch("m-$_", name => "m-$_");
    my $r = $m->call(POST => '/api/v1/streamers', { platform => 'hls', channel => $id{"h-$_"},
                                                    name => "h-$_" });
    is($r->{status}, 201, "$_: by its address");
}
for (@bad) {
    wait_for(sub { probe("h-$_") eq 'transient-error tls' }, "$_: tls") or diag probe("h-$_");
    wait_for(sub { probe("m-$_") eq 'live-not-playable tls' }, '... also where the stream is', 40)
        or diag probe("m-$_");
    is(row("m-$_"), undef, '... which makes no row');
    is(stored("m-$_"), 0, '... and stores nothing');
    my $at = $port{$_};
    is(scalar(grep { $_->{port} == $at } @{ $m->served }), 0, '... no request goes there');
    is(scalar(grep { $_->{path} =~ m{^/hls/[mh]-} } @{ $m->served }), 0, '... nor without TLS');
    like($m->log, qr{no playlist of "chzzk/[^"]*": tls}, '... the log says so');
}
cmp_ok($m->metric('mntreamer_transfers_total{result="tls"}') // 0, '>=', 6, 'the metrics count it');

# the same behind one that is good

$m->channel("m-$_", media_host => https('good')) for @bad;
for (@bad) {
    wait_for(sub { my $r = row("m-$_"); $r && $r->{segments} > 2 }, "$_: renewed, it is recorded", 40);
}
is(scalar(grep { $_->{port} == $m->{origin_port} && $_->{path} =~ m{^/hls/m-} } @{ $m->served }), 0,
   'over TLS all the time');

# G11: three redirects are followed, a fourth is not, none from https to http

my $http = "http://127.0.0.1:$m->{origin_port}";
my %way = (
    three => [https('good'), 3], four => [https('good'), 4],
    up => [$http, 1, https('good')], down => [https('good'), 1, $http],
);
for my $name (sort keys %way) {
    my ($from, $n, $to) = @{ $way{$name} };
    $to //= $from;
    my $path = "/hls/$name/master.m3u8";
    $id{$name} = $m->channel($name, live => 1, dur => 0.3, window => 40, media_host => $from);
    $m->fault(match => "$path(?:\\?(?!hop)|\$)", times => -1, location => "$to$path?hop=1");
    $m->fault(match => "$path\\?hop=$_\$", times => -1,
              location => "$to$path?hop=" . ($_ + 1)) for 1 .. $n - 1;
    $m->watch($name, name => $name);
}
for (qw(three up)) {
    wait_for(sub { my $r = row($_); $r && $r->{segments} > 2 }, "redirects are followed: $_", 20);
}
for (qw(four down)) {
    wait_for(sub { probe($_) eq 'live-not-playable forbidden' }, "... and not: $_", 40)
        or diag probe($_);
    is(row($_), undef, '... it makes no row');
}
is(scalar(grep { $_->{path} =~ m{^/hls/down/.*hop} } @{ $m->served }), 0, 'nobody was asked without TLS');
is(scalar(grep { $_->{path} =~ m{^/hls/four/.*hop=4} } @{ $m->served }), 0, 'or behind the third');

# a segment of one that is recorded

$n = row('three')->{segments};
my ($next) = sort { $b <=> $a } map { $_->{path} =~ m{^/hls/three/seg/1080p60-0-(\d+)} ? $1 + 12 : () }
    @{ $m->served };
$m->fault(match => "/hls/three/seg/1080p60-0-$next\\b", times => -1,
          location => "$http/hls/three/seg/x.ts?plain");
wait_for(sub { $m->one("SELECT count(*) FROM media_gap g JOIN media_record r
    ON r.id = g.recording_id WHERE r.channel_id = '$id{three}'") }, 'of a segment it is a gap', 30);
is(scalar(grep { /plain/ } map { $_->{path} } @{ $m->served }), 0, 'nobody was asked for it');
wait_for(sub { row('three')->{segments} > $n + 5 }, 'the recording goes on');

$m->finish;
