use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# "proxy" is for the API and "media_proxy" for playlists and segments: each gets
# its own requests, all of them, and none of the other's.

my $m = MNT->new(workers => 2);
my %port = map { $_ => free_port() } 'api', 'media';
my %pid;
my $parent = $$;
for my $name (sort keys %port) {
    my $pid = fork // die $!;
    if (!$pid) {
        exec 'python3', "$MNT::TOP/t/lib/proxy.py", '--port', $port{$name},
            '--name', $name, '--log', "$m->{dir}/logs/$name.proxy",
            '--parent', $parent or POSIX::_exit(127);
    }
    $pid{$name} = $pid;
}
END { kill 'TERM', values %pid if $parent == $$ }

wait_for(sub {
    2 == grep { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port{$_}") }
        keys %port
}, 'two proxies');

(my $conf = $m->config) =~ s{(platform chzzk \{)}{$1
        proxy http://127.0.0.1:$port{api};
        media_proxy http://127.0.0.1:$port{media};};
$m->{raw_config} = $conf;

my $id = $m->channel('far', live => 1, dur => 0.5, kind => 'fmp4');
$m->start;
$m->up;
is($m->call(POST => '/api/v1/streamers', { platform => 'chzzk',
            channel => 'far' })->{status}, 201, 'a nickname is looked up');
my $r = wait_for(sub {
    my ($r) = @{ $m->recordings };
    $r && $r->{segments} >= 4 && $r
}, 'it is recorded');
is($r->{gaps}, 0, 'without a gap');

my %n;
for (@{ $m->served }) {
    my $kind = $_->{path} =~ m{^/(polling|service)/} ? 'api' : 'media';
    $n{$kind}{ $_->{via} // 'nobody' }++;
}
is(join(' ', sort keys %{ $n{api} }), 'api', 'the API by its proxy only');
is(join(' ', sort keys %{ $n{media} }), 'media', 'the media by theirs only');
cmp_ok($n{api}{api}, '>=', 3, 'lookup, status and detail');

my %log = map { $_ => slurp("$m->{dir}/logs/$_.proxy") } keys %port;
unlike($log{api}, qr{/hls/}, 'the proxy of the API saw no media');
unlike($log{media}, qr{/(?:polling|service)/}, 'nor the other one the API');

# a proxy that is away is no reason to go without

kill 'TERM', $pid{media};
waitpid $pid{media}, 0;
my $before = @{ $m->served };
wait_for(sub {
    my $t = $m->get('/metrics')->{content};
    my ($failed) = $t =~ /^mntreamer_transfers_total\{result="connect"\} (\d+)/m;
    $failed || $m->metric('mntreamer_playlist_loads_total{result="failed"}')
}, 'without its proxy media fail');
is(scalar(grep { $_->{path} =~ m{^/hls/} && ($_->{via} // '') ne 'media' }
          @{ $m->served }), 0, 'and nothing goes around it');

$m->finish;
